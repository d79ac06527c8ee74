"""The list that Raspberry Pi Imager reads: what there is to write, its sizes and hashes.

The fields are those of the program's own `os-list-schema.json` and of its notes on the schema;
tests/packaging/schemas/os-list.json restates them. `devices` are the tags of its list of boards: a
Zero 2 W has those of a Pi 3. `init_format` is "none": this card is set up by `provision.toml`, and
what the program's customisation writes is not read.
"""

import hashlib
import lzma
import re

from common import Fault, sha256

DEVICES = ["pi5-64bit", "pi4-64bit", "pi3-64bit"]
CHUNK = 1 << 20


def entry(release, image, bmap, url):
    size, digest = extracted(image)
    stated = re.search(r"<ImageSize>\s*(\d+)\s*</ImageSize>", bmap.read_text())
    if not stated or int(stated[1]) != size:
        raise Fault(f"{bmap.name} is of another image: {image.name} has {size} bytes when unpacked")
    if size % 512:
        raise Fault(f"{image.name}: {size} bytes are no whole sectors, which Imager refuses")
    return {
        "name": f"rccar {release.version}",
        "description": "A remote-controlled car: picture and driving from a web page",
        "icon": f"{url}rccar.svg",
        "website": f"{url}index.html",
        "url": f"{url}{image.name}",
        "release_date": release.day,
        "extract_size": size,
        "extract_sha256": digest,
        "image_download_size": image.stat().st_size,
        "image_download_sha256": sha256(image),
        "devices": DEVICES,
        "init_format": "none",
        "architecture": "armv8",
    }


def extracted(image):
    """Size and SHA-256 of what is in an .xz file."""
    size, digest = 0, hashlib.sha256()
    try:
        with lzma.open(image) as file:
            while chunk := file.read(CHUNK):
                size += len(chunk)
                digest.update(chunk)
    except (lzma.LZMAError, EOFError) as error:
        raise Fault(f"{image.name} is damaged: {error}") from error
    return size, digest.hexdigest()
