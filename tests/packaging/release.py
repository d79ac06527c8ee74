#!/usr/bin/env python3
"""What `make release` makes of a build's files, and each fault that must end it. Nothing is built:
the files are small ones of standin.py, everything else is real: git, cargo, ssh-keygen, xz."""

import hashlib
import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import fastjsonschema
from standin import CHANGELOG, DEB, IMAGE, PROGRAM, TOP, URL, VERSION, StandIn, image_spdx

SCHEMAS = pathlib.Path(__file__).with_name("schemas")


def schema(name):
    return fastjsonschema.compile(json.loads((SCHEMAS / f"{name}.json").read_text()))


class Whole(unittest.TestCase):
    """A release that is as it should be, put together once."""

    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.standin = StandIn(folder, dict(os.environ))
        cls.said = cls.standin.release("assemble")
        cls.made = cls.standin.out / "release"

    def setUp(self):
        self.assertEqual(self.said.returncode, 0, self.said.stderr)

    def read(self, name):
        return json.loads((self.made / name).read_text())

    def test_the_list_for_imager_has_sizes_and_hashes_of_image_and_download(self):
        listed = self.read("os_list.json")
        schema("os-list")(listed)
        entry = listed["os_list"][0]
        packed = (self.made / f"{IMAGE}.img.xz").read_bytes()
        self.assertEqual(entry["url"], f"{URL}/{IMAGE}.img.xz")
        self.assertEqual(entry["extract_size"], len(self.standin.disk))
        self.assertEqual(entry["extract_sha256"], hashlib.sha256(self.standin.disk).hexdigest())
        self.assertEqual(entry["image_download_size"], len(packed))
        self.assertEqual(entry["image_download_sha256"], hashlib.sha256(packed).hexdigest())
        self.assertEqual(entry["release_date"], "2026-12-01")

    def test_what_is_in_it_is_listed_in_two_formats_that_say_the_same(self):
        for name in (IMAGE, f"rccar-host-{VERSION}"):
            spdx, cyclonedx = self.read(f"{name}.spdx.json"), self.read(f"{name}.cdx.json")
            schema("spdx")(spdx)
            schema("cyclonedx")(cyclonedx)
            ids = {part["SPDXID"] for part in spdx["packages"]}
            self.assertEqual(len(ids), len(spdx["packages"]))
            linked = {link["relatedSpdxElement"] for link in spdx["relationships"]}
            self.assertEqual(linked, ids)
            refs = {part["bom-ref"] for part in cyclonedx["components"]}
            whole = cyclonedx["metadata"]["component"]
            self.assertEqual(refs | {whole["bom-ref"]}, ids)
            self.assertEqual(whole["version"], VERSION)
            self.assertEqual(set(cyclonedx["dependencies"][0]["dependsOn"]), refs)

    def test_the_host_s_list_has_its_crates_and_what_is_in_its_page(self):
        parts = self.read(f"rccar-host-{VERSION}.cdx.json")["components"]
        found = {part["purl"]: part["licenses"][0]["expression"] for part in parts}
        wanted = {
            f"pkg:cargo/rccar-host@{VERSION}": "MIT OR Apache-2.0",
            "pkg:cargo/wheels@1.0.0%2Bround": "MIT OR Zlib",
            "pkg:npm/%40preact/signals@2.1.0": "MIT",
        }
        self.assertEqual(found, wanted)

    def test_the_statement_names_every_file_that_was_built_and_the_commit(self):
        statement = self.read("provenance.json")
        schema("provenance")(statement)
        subjects = {part["name"]: part["digest"]["sha256"] for part in statement["subject"]}
        for name in (f"{IMAGE}.img.xz", f"{IMAGE}.raucb", DEB, f"rccar-{VERSION}.tar.xz"):
            digest = hashlib.sha256((self.made / name).read_bytes()).hexdigest()
            self.assertEqual(subjects.get(name), digest)
        commit = self.standin.call("git", "rev-parse", "HEAD").stdout.strip()
        sources = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
        self.assertEqual(sources[0]["digest"], {"gitCommit": commit})

    def test_the_checksums_name_every_file_and_are_signed(self):
        listed = {line.split("  ")[1] for line in (self.made / "SHA256SUMS").read_text().splitlines()}
        beside = {"SHA256SUMS", "SHA256SUMS.sig", "allowed_signers"}
        self.assertEqual(listed | beside, {path.name for path in self.made.iterdir()})
        done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=self.made, check=False)
        self.assertEqual(done.returncode, 0)
        done = self.standin.call("python3", PROGRAM, "verify", self.made, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_file_or_a_sum_that_was_changed_is_not_the_one_that_was_signed(self):
        for name, wanted in ((f"{IMAGE}.raucb", "is not as in SHA256SUMS"), ("SHA256SUMS", "ssh-keygen"), (DEB, None)):
            with tempfile.TemporaryDirectory() as folder:
                copy = pathlib.Path(folder, "copy")
                shutil.copytree(self.made, copy)
                if wanted:
                    (copy / name).write_bytes((copy / name).read_bytes() + b"\n")
                else:
                    (copy / name).unlink()
                done = self.standin.call("python3", PROGRAM, "verify", copy, check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(wanted or "and not in", done.stderr)

    def test_the_notes_are_the_section_of_the_changelog_alone(self):
        notes = (self.made / "NOTES.md").read_text()
        self.assertIn("- A horn (docs/drive.md, [RFC](https://example.org/rfc)).", notes)
        self.assertNotIn("Wheels", notes)
        self.assertNotIn("comes later", notes)

    def test_the_page_links_every_file_and_nothing_that_is_missing(self):
        page = Page((self.made / "index.html").read_text())
        local = {link for link in page.links if "://" not in link}
        self.assertEqual([name for name in local if not (self.made / name).is_file()], [])
        unlinked = {path.name for path in self.made.iterdir()} - local - {"index.html"}
        self.assertEqual(unlinked, set())
        self.assertNotIn("trial", page.text)
        self.assertIn(f"{URL}/os_list.json", page.text)
        fingerprint = self.standin.call("ssh-keygen", "-l", "-f", self.standin.key).stdout.split()[1]
        self.assertIn(fingerprint, page.text)
        size = (self.made / "index.html").with_name(f"{IMAGE}.img.xz").stat().st_size
        self.assertIn(f"Download the image ({max(size // 1000, 1)} kB)", page.text)

    def test_the_same_build_gives_the_same_bits_again(self):
        before = {path.name: path.read_bytes() for path in self.made.iterdir()}
        self.assertEqual(self.standin.release("assemble").returncode, 0)
        self.assertEqual({path.name: path.read_bytes() for path in self.made.iterdir()}, before)
        beside = {path.name for path in self.standin.out.iterdir()}
        self.assertEqual(beside, {"image", "deb", "dist", "oci", "release"})

    def test_links_of_the_notes_lead_to_the_tag_where_the_repository_is_known(self):
        self.standin.environment["RCCAR_RELEASE_SOURCE"] = "https://git.example.org/rccar"
        self.addCleanup(self.standin.environment.pop, "RCCAR_RELEASE_SOURCE")
        other = self.standin.out.with_name("elsewhere")
        done = self.standin.release("assemble", "--out", other, "--built", self.standin.out)
        # Beside `out`, where git sees it, but after the check.
        self.addCleanup(shutil.rmtree, other)
        self.assertEqual(done.returncode, 0, done.stderr)
        notes = (other / "NOTES.md").read_text()
        self.assertIn("(https://git.example.org/rccar/blob/v0.2.0/docs/drive.md)", notes)


class Page(html.parser.HTMLParser):
    """Links and text of a page; what is opened is closed."""

    VOID = ("meta", "link", "img", "br")

    def __init__(self, text):
        super().__init__()
        self.links, self.text, self.open = set(), "", []
        self.feed(text)
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.links |= {value for name, value in attributes if name in ("href", "src")}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


def write(path, content):
    return lambda it: (it.out / path).write_bytes(content)


def both(*changes):
    return lambda it: [change(it) for change in changes]


def changelog(old, new):
    return lambda it: (it.replace("CHANGELOG.md", old, new), it.retag())


def stale_spdx(it):
    write(f"image/{IMAGE}.spdx.json", json.dumps(image_spdx("0.1.9")).encode())(it)
    it.sum("image", f"{IMAGE}.sha256", [f"{IMAGE}.img.xz"])


def odd_image(it):
    import lzma

    write(f"image/{IMAGE}.img.xz", lzma.compress(b"a" * 1000))(it)
    write(f"image/{IMAGE}.img.bmap", b"<ImageSize> 1000 </ImageSize>")(it)
    it.sum("image", f"{IMAGE}.sha256", [f"{IMAGE}.img.xz"])


def cut_image(it):
    path = it.out / f"image/{IMAGE}.img.xz"
    path.write_bytes(path.read_bytes()[:-20])
    it.sum("image", f"{IMAGE}.sha256", [f"{IMAGE}.img.xz"])


def development_key(it):
    it.key.unlink()
    it.key.with_suffix(".pub").unlink()
    it.call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "rccar development key", "-f", it.key)


def weak_key(it):
    it.key.unlink()
    it.key.with_suffix(".pub").unlink()
    it.call("ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", "rccar", "-f", it.key)


# What is wrong, what the error must say, the change; and what else is given.
FAULTS = [
    ("a file that no commit has", "not as in it", lambda it: it.write("new", "")),
    ("a changed file", "CHANGELOG.md", lambda it: it.replace("CHANGELOG.md", "horn", "bell")),
    ("no tag", "has no tag v0.2.0", lambda it: it.call("git", "tag", "--delete", "v0.2.0")),
    ("a commit after the tag", "has no tag v0.2.0", lambda it: it.commit("Later")),
    (
        "the tag of another version",
        "has the tag v0.3.0, and Cargo.toml says 0.2.0",
        lambda it: (it.call("git", "tag", "--delete", "v0.2.0"), it.call("git", "tag", "-am", "a", "v0.3.0")),
    ),
    ("a lightweight tag", "lightweight", lambda it: it.call("git", "tag", "--force", "v0.2.0", "HEAD")),
    (
        "the page of another version",
        "web/package.json says 0.1.9",
        lambda it: (it.replace("web/package.json", VERSION, "0.1.9"), it.retag()),
    ),
    ("no section of the changelog", "has no section 0.2.0", changelog("## 0.2.0 -", "## 0.2.1 -")),
    ("a section without a day", "has no day", changelog("0.2.0 - 2026-12-01", "0.2.0")),
    ("a day that is none", "has no day", changelog("2026-12-01", "2026-13-01")),
    ("an empty section", "says nothing", changelog(CHANGELOG[CHANGELOG.index("- A horn") :].split("\n")[0], "")),
    ("a development key", "development key", development_key),
    ("a key that is too weak", "too weak", weak_key),
    ("no such key", "there is no", lambda it: it.key.unlink()),
    ("a development key of bundles", "cars would take", lambda it: it.certificate("/CN=rccar development signing key of a")),
    ("no key of bundles", "to sign bundles with", lambda it: (it.keys / "signing.cert.pem").unlink()),
]
# The same, of what was built.
BUILT = [
    ("no image", ".img.xz is missing", lambda it: (it.out / f"image/{IMAGE}.img.xz").unlink()),
    ("no sources of the card", "sources.tar is missing", lambda it: (it.out / f"image/{IMAGE}-sources.tar").unlink()),
    ("no sums of the build", f"{IMAGE}.sha256 is missing", lambda it: (it.out / f"image/{IMAGE}.sha256").unlink()),
    ("an image of another run", "is not the file that", write(f"image/{IMAGE}.img.xz", b"other")),
    ("an archive of another run", "is not the file that", write(f"dist/rccar-{VERSION}.tar.xz", b"other")),
    ("a container of another run", "compose.yaml is not the file", write("oci/compose.yaml", b"other")),
    ("an image that was cut off", "is damaged", cut_image),
    ("a map of another image", "of another image", both(
        write(f"image/{IMAGE}.img.bmap", b"<ImageSize> 512 </ImageSize>"),
        lambda it: it.sum("image", f"{IMAGE}.sha256", [f"{IMAGE}.img.xz"]),
    )),
    ("an image of no whole sectors", "no whole sectors", odd_image),
    ("a package of another version", "has version 0.1.9 inside", lambda it: it.pack("0.1.9")),
    ("a list of what is in another image", "is of version 0.1.9", stale_spdx),
]  # fmt: skip


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.whole = StandIn(cls.folder / "whole", dict(os.environ))

    def copy(self):
        """A copy of the whole one, to break."""
        copied = self.folder / "copy"
        shutil.rmtree(copied, ignore_errors=True)
        shutil.copytree(self.folder / "whole", copied)
        standin = StandIn.__new__(StandIn)
        standin.__dict__.update(self.whole.__dict__)
        standin.top, standin.out, standin.keys = copied / "top", copied / "top/out", copied / "keys"
        standin.key = standin.keys / "release"
        return standin

    def refuses(self, standin, wanted, command, **how):
        done = standin.release(command, **how)
        self.assertNotEqual(done.returncode, 0, f"nothing says {wanted!r}")
        self.assertIn(wanted, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertFalse((standin.out / "release").exists())

    def test_a_commit_that_may_be_released_says_its_version(self):
        self.assertEqual(self.copy().release("check").stdout, f"{VERSION}\n")

    def test_a_commit_that_may_not_be_released_is_refused_with_the_reason(self):
        for what, wanted, change in FAULTS:
            with self.subTest(what):
                standin = self.copy()
                change(standin)
                self.refuses(standin, wanted, "check")

    def test_files_that_are_not_of_this_build_are_refused_with_the_reason(self):
        for what, wanted, change in BUILT:
            with self.subTest(what):
                standin = self.copy()
                change(standin)
                self.refuses(standin, wanted, "assemble")

    def test_a_release_needs_a_key_and_an_address_that_nobody_can_change_on_the_way(self):
        standin = self.copy()
        self.refuses(standin, "RCCAR_RELEASE_KEY", "check", key=False)
        self.refuses(standin, "RCCAR_RELEASE_URL is missing", "check", url=None)
        self.refuses(standin, "https:// only", "check", url="http://cars.example.org")
        self.refuses(standin, "is no address", "check", url="cars.example.org")

    def test_a_failed_run_leaves_the_release_before_as_it_was(self):
        standin = self.copy()
        self.assertEqual(standin.release("assemble").returncode, 0)
        sums = (standin.out / "release/SHA256SUMS").read_bytes()
        cut_image(standin)
        self.assertNotEqual(standin.release("assemble").returncode, 0)
        self.assertEqual((standin.out / "release/SHA256SUMS").read_bytes(), sums)

    def test_a_trial_needs_neither_tag_nor_key_and_says_on_its_page_that_it_is_one(self):
        standin = self.copy()
        standin.commit("Later")
        said = standin.release("check", key=False, url=None, trial=True)
        self.assertEqual(said.returncode, 0, said.stderr)
        version = said.stdout.strip()
        self.assertEqual(version, "0.2.0-dev.2")
        rename(standin, version)
        done = standin.release("assemble", key=False, url=None, trial=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        made = standin.out / "release"
        page = Page((made / "index.html").read_text())
        self.assertIn("This is a trial, not a release.", page.text)
        self.assertIn("Something that comes later", (made / "NOTES.md").read_text())
        schema("os-list")(json.loads((made / "os_list.json").read_text()))

    def test_the_project_s_own_changelog_can_be_cut(self):
        text = (TOP / "CHANGELOG.md").read_text()
        found = re.search(r"^## \[?([^\]\s]+)", text, re.MULTILINE)
        self.assertEqual(found[1], "Unreleased")


def rename(standin, version):
    """The files of the build under the names of a trial, as its build would have made them."""
    for path in sorted(standin.out.rglob(f"*{VERSION}*")):
        new = version.replace("-", "~") if path.suffix == ".deb" else version
        path.rename(path.with_name(path.name.replace(VERSION, new)))
    image = f"rccar-{version}-rpi-arm64"
    (standin.out / f"image/{image}.spdx.json").write_text(json.dumps(image_spdx(version)))
    standin.sum("image", f"{image}.sha256", [f"{image}.img.xz"])
    for name in (f"rccar-{version}.tar.xz", f"rccar-{version}-vendored.tar.xz"):
        standin.sum("dist", f"{name}.sha256", [name])
    container = [f"rccar-host-{version}-oci-amd64.tar", "compose.yaml", "host.toml"]
    standin.sum("oci", f"rccar-host-{version}-oci.sha256", container)
    # Also without the sources of what is on the card.
    (standin.out / f"image/{image}-sources.tar").unlink()
    standin.pack(version.replace("-", "~"))
    (standin.out / "deb" / DEB).replace(standin.out / f"deb/rccar-host_{version.replace('-', '~')}_amd64.deb")


if __name__ == "__main__":
    unittest.main()
