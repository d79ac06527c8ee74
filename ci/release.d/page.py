"""The page that people download from: which board, which file, how to write and check it."""

import html
import pathlib
import string

from common import BOARD, readable

# In the page's order: how a name ends, and for what it is. Each file of the folder is one of them.
KINDS = (
    (f"-{BOARD}.img.xz", "The card, for all boards"),
    (f"-{BOARD}.img.bmap", "Map of the card, for bmaptool"),
    (f"-{BOARD}.raucb", "Update for cars that drive already; upload it on your host's page"),
    (".deb", "The host, for Debian 12 and 13 on a PC or rented server"),
    ("-oci-amd64.tar", "The host, as a container image for Podman and Docker"),
    ("compose.yaml", "How to start that container"),
    ("host.toml", "Configuration of that container"),
    ("os_list.json", "List for Raspberry Pi Imager"),
    ("-vendored.tar.xz", "Sources with all crates, for Buildroot and builds without a network"),
    (f"-{BOARD}-sources.tar", "Sources of the Debian packages on the card"),
    (".tar.xz", "Sources of rccar with the web page built, for Yocto and others"),
    (".spdx.json", "What is in it: SPDX"),
    (".cdx.json", "What is in it: CycloneDX"),
    ("provenance.json", "Of which commit and what else the files were made: in-toto, SLSA"),
    ("NOTES.md", "What is new"),
)


def write(release, folder, url, fingerprint):
    names = sorted(path.name for path in folder.iterdir() if path.name != "rccar.svg")
    image = f"rccar-{release.version}-{BOARD}.img.xz"
    template = pathlib.Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    values = {
        "version": release.version,
        "day": release.day,
        "commit": release.commit[:12],
        "image": image,
        "image_size": readable((folder / image).stat().st_size),
        "bmap": f"rccar-{release.version}-{BOARD}.img.bmap",
        "list_url": f"{url}os_list.json",
        "fingerprint": fingerprint,
    }
    values = {name: html.escape(value) for name, value in values.items()}
    values["trial"] = TRIAL if release.is_trial else ""
    values["files"] = "\n".join(rows(folder, names))
    return string.Template(template).substitute(values)


TRIAL = """<p class="notice"><b>This is a trial, not a release.</b> It was signed with a development
key. Cars that were made with other keys do not take its update.</p>"""


def rows(folder, names):
    """A row for each file, in the order of KINDS."""
    left = list(names)
    for ending, what in KINDS:
        for name in [name for name in left if kind(name) == ending]:
            left.remove(name)
            size = readable((folder / name).stat().st_size)
            yield (
                f'          <li><a href="{html.escape(name)}">{html.escape(name)}</a>'
                f"<span>{html.escape(what)}</span><span>{size}</span></li>"
            )
    if left:
        raise ValueError(f"page.py does not say what {', '.join(left)} is for")


def kind(name):
    """The ending that says most: -vendored.tar.xz and not .tar.xz."""
    return max((ending for ending, _ in KINDS if name.endswith(ending)), key=len, default=None)
