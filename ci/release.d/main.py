#!/usr/bin/env python3
"""The parts of `ci/release` that need no build.

    main.py check [--trial]        may this commit be released? prints its version
    main.py assemble [--trial] …   puts what was built into a folder, with all that describes it
    main.py verify FOLDER          is each file the one that was signed?
"""

import argparse
import os
import pathlib
import re
import shutil
import sys

sys.dont_write_bytecode = True

import commit  # noqa: E402
import imager  # noqa: E402
import page  # noqa: E402
import provenance  # noqa: E402
import sbom  # noqa: E402
import signature  # noqa: E402
from common import BOARD, Fault, read_json, run, sha256, write_json  # noqa: E402


def check(top, arguments):
    release = commit.released(top, arguments.trial)
    signature.check_key(arguments.key, arguments.trial)
    signature.check_bundle_key(arguments.keys, arguments.trial)
    address(arguments)
    print(release.version)


def address(arguments):
    """Where the files will be found, with a slash at the end."""
    url = arguments.url or ("http://127.0.0.1:8000/" if arguments.trial else "")
    if not url:
        raise Fault(
            "RCCAR_RELEASE_URL is missing: the address that the files will have, which is in the "
            "list for Raspberry Pi Imager"
        )
    if not re.fullmatch(r"https?://[^\s\"'<>?#]+", url):
        raise Fault(f"RCCAR_RELEASE_URL={url} is no address")
    if not arguments.trial and not url.startswith("https://"):
        raise Fault(f"RCCAR_RELEASE_URL={url}: people download over https:// only")
    return url.rstrip("/") + "/"


def built(version, architecture):
    """Name of each file that was built, and the folder of `out` that it is in."""
    image = f"rccar-{version}-{BOARD}"
    debian = version.replace("-", "~")
    return {
        f"{image}.img.xz": "image",
        f"{image}.img.bmap": "image",
        f"{image}.raucb": "image",
        f"{image}.spdx.json": "image",
        f"{image}-sources.tar": "image",
        f"rccar-host_{debian}_{architecture}.deb": "deb",
        f"rccar-host-{version}-oci-{architecture}.tar": "oci",
        "compose.yaml": "oci",
        "host.toml": "oci",
        f"rccar-{version}.tar.xz": "dist",
        f"rccar-{version}-vendored.tar.xz": "dist",
    }


def assemble(top, arguments):
    release = commit.released(top, arguments.trial)
    signature.check_key(arguments.key, arguments.trial)
    url = address(arguments)
    new = arguments.out.with_name(arguments.out.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    collect(release, arguments, new)
    image = f"rccar-{release.version}-{BOARD}"
    lists(release, top, new, image)
    entry = imager.entry(release, new / f"{image}.img.xz", new / f"{image}.img.bmap", url)
    write_json(new / "os_list.json", {"os_list": [entry]})
    shutil.copyfile(pathlib.Path(__file__).with_name("rccar.svg"), new / "rccar.svg")
    (new / "NOTES.md").write_text(commit.notes(release, provenance.repository()))
    described = [path.name for path in new.iterdir() if path.name != "rccar.svg"]
    write_json(new / "provenance.json", provenance.statement(release, top, new, described))
    key = arguments.key or signature.development_key(arguments.keys)
    (new / "index.html").write_text(
        page.write(release, new, url, signature.fingerprint(key)), encoding="utf-8"
    )
    names = [path.name for path in new.iterdir()]
    (new / "SHA256SUMS").write_text(signature.sums(new, names))
    signature.sign(new, key)
    old = arguments.out.with_name(arguments.out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if arguments.out.exists():
        arguments.out.rename(old)
    new.rename(arguments.out)
    shutil.rmtree(old, ignore_errors=True)
    print(f"{arguments.out}: {len(names)} files of rccar {release.version}, signed")


def collect(release, arguments, folder):
    """Takes each file that was built, and looks whether it is what its name says."""
    for name, place in built(release.version, arguments.architecture).items():
        path = arguments.built / place / name
        if not path.is_file():
            if arguments.trial and name.endswith("-sources.tar"):
                continue
            raise Fault(f"{path} is missing; `make release` makes it")
        # A tilde of Debian's versions is another character after an upload to GitHub.
        take(path, folder / name.replace("~", "-"))
    image = f"rccar-{release.version}-{BOARD}"
    made_with(folder, arguments.built / f"image/{image}.sha256")
    made_with(folder, arguments.built / f"oci/rccar-host-{release.version}-oci.sha256")
    for name in (f"rccar-{release.version}.tar.xz", f"rccar-{release.version}-vendored.tar.xz"):
        made_with(folder, arguments.built / f"dist/{name}.sha256")
    package = folder / next(name for name in os.listdir(folder) if name.endswith(".deb"))
    stated = run("dpkg-deb", "--field", package, "Version").strip()
    if stated != release.version.replace("-", "~"):
        raise Fault(f"{package.name} has version {stated} inside")


def take(source, target):
    """Large files are there once, where the file system can do it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def made_with(folder, sums):
    """What the build wrote down of its files still holds: nothing is of another run."""
    if not sums.is_file():
        raise Fault(f"{sums} is missing; `make release` makes it")
    for line in sums.read_text().splitlines():
        digest, name = line.split(None, 1)
        if (folder / name).exists() and sha256(folder / name) != digest:
            raise Fault(f"{name} is not the file that {sums.name} was written for; build it again")


def lists(release, top, folder, image):
    """Bills of materials, each in both formats."""
    of_image = read_json(folder / f"{image}.spdx.json")
    of_host = sbom.host(top, release)
    write_json(folder / f"rccar-host-{release.version}.spdx.json", of_host)
    for name, document in ((image, of_image), (f"rccar-host-{release.version}", of_host)):
        sbom.check(document, f"{name}.spdx.json", release.version)
        write_json(folder / f"{name}.cdx.json", sbom.cyclonedx(document, f"{name}.spdx.json"))


def verify(_, arguments):
    signature.verify(arguments.folder)
    print(f"{arguments.folder}: every file is the one that was signed")


def parsed():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    for command, what in (("check", check), ("assemble", assemble)):
        made = commands.add_parser(command)
        made.set_defaults(run=what)
        made.add_argument("--trial", action="store_true")
        made.add_argument("--key", type=pathlib.Path)
        made.add_argument("--keys", type=pathlib.Path, required=True)
        made.add_argument("--url")
        made.add_argument("--top", type=pathlib.Path, default=commit.top_of_checkout())
        if what is assemble:
            made.add_argument("--built", type=pathlib.Path, default=pathlib.Path("out"))
            made.add_argument("--out", type=pathlib.Path, default=pathlib.Path("out/release"))
            made.add_argument("--architecture", default="amd64")
    made = commands.add_parser("verify")
    made.set_defaults(run=verify, top=None)
    made.add_argument("folder", type=pathlib.Path)
    return parser.parse_args()


def main():
    arguments = parsed()
    try:
        arguments.run(arguments.top, arguments)
    except Fault as fault:
        sys.exit(f"error: {fault}")


if __name__ == "__main__":
    main()
