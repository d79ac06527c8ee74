"""A checkout and the files of a build, small and made on the spot, to put a release together of."""

import hashlib
import json
import lzma
import os
import pathlib
import shutil
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = TOP / "ci/release.d/main.py"
VERSION = "0.2.0"
IMAGE = f"rccar-{VERSION}-rpi-arm64"
DEB = f"rccar-host_{VERSION}_amd64.deb"
URL = "https://cars.example.org/0.2.0"

CHANGELOG = """# Changelog

## Unreleased

- Something that comes later.

## 0.2.0 - 2026-12-01

### Added

- A horn ([docs/drive.md](docs/drive.md), [RFC](https://example.org/rfc)).

## 0.1.0 - 2026-01-01

- Wheels.
"""
FILES = {
    "CHANGELOG.md": CHANGELOG,
    "Cargo.toml": f"""[workspace]
members = ["host", "wheels"]
resolver = "3"
[workspace.package]
version = "{VERSION}"
edition = "2024"
""",
    "host/Cargo.toml": """[package]
name = "rccar-host"
version.workspace = true
edition.workspace = true
license = "MIT OR Apache-2.0"
[dependencies]
wheels = { path = "../wheels" }
""",
    "host/src/main.rs": "fn main() {}\n",
    "wheels/Cargo.toml": """[package]
name = "wheels"
version = "1.0.0+round"
edition.workspace = true
license = "MIT/Zlib"
""",
    "wheels/src/lib.rs": "",
    "web/package.json": json.dumps({"name": "rccar-web", "version": VERSION}),
    "web/package-lock.json": json.dumps(
        {
            "version": VERSION,
            "packages": {
                "": {"version": VERSION},
                "node_modules/@preact/signals": {"version": "2.1.0", "license": "MIT"},
                "node_modules/vite": {"version": "6.0.0", "dev": True, "license": "MIT"},
            },
        }
    ),
    "image/packages.lock": "# epoch 1\n",
    "rust-toolchain.toml": (TOP / "rust-toolchain.toml").read_text(),
    ".gitignore": "/out\n/target\n",
}
GIT = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "2026-12-01T12:00:00Z",
    "GIT_COMMITTER_DATE": "2026-12-01T12:00:00Z",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


class StandIn:
    """`top` is a tagged checkout, `out` what its build left, `keys` those of whoever releases."""

    def __init__(self, folder, environment):
        self.top, self.out, self.keys = folder / "top", folder / "top/out", folder / "keys"
        self.key = self.keys / "release"
        self.environment = {**environment, **GIT}
        for name, text in FILES.items():
            self.write(name, text)
        self.call("cargo", "generate-lockfile", "--offline", "--quiet")
        self.call("git", "init", "--quiet")
        self.commit("Release")
        self.call("git", "tag", "--annotate", "--message", "0.2.0", f"v{VERSION}")
        self.make_keys()
        self.build()

    def call(self, *command, check=True):
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self.top,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr}")
        return done

    def write(self, name, text):
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def replace(self, name, old, new):
        text = (self.top / name).read_text()
        assert old in text, f"{name} has no {old!r}"
        self.write(name, text.replace(old, new, 1))

    def commit(self, subject):
        self.call("git", "add", "--all")
        self.call("git", "commit", "--quiet", "--allow-empty", "--message", subject)

    def retag(self):
        """The tag moves to a commit of what was changed; a real one never does."""
        self.commit("Change")
        self.call("git", "tag", "--force", "--annotate", "--message", "0.2.0", f"v{VERSION}")

    def make_keys(self):
        self.keys.mkdir()
        self.call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "rccar", "-f", self.key)
        self.certificate("/CN=rccar signing key 1")

    def certificate(self, subject):
        self.call(
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", subject, "-keyout", self.keys / "signing.key.pem"),
            *("-out", self.keys / "signing.cert.pem"),
        )

    def build(self):
        """What image, dist and host-deb leave in `out`."""
        for folder in ("image", "deb", "dist", "oci"):
            (self.out / folder).mkdir(parents=True, exist_ok=True)
        self.disk = bytes(range(256)) * 4096
        image = self.out / "image"
        (image / f"{IMAGE}.img.xz").write_bytes(lzma.compress(self.disk))
        (image / f"{IMAGE}.img.bmap").write_text(f"<bmap><ImageSize> {len(self.disk)} </ImageSize></bmap>")
        (image / f"{IMAGE}.raucb").write_bytes(b"bundle")
        (image / f"{IMAGE}-sources.tar").write_bytes(b"sources")
        (image / f"{IMAGE}.spdx.json").write_text(json.dumps(image_spdx()))
        self.sum("image", f"{IMAGE}.sha256", [f"{IMAGE}.{kind}" for kind in ("img.xz", "img.bmap", "raucb", "spdx.json")])
        for name in (f"rccar-{VERSION}.tar.xz", f"rccar-{VERSION}-vendored.tar.xz"):
            (self.out / "dist" / name).write_bytes(lzma.compress(name.encode()))
            self.sum("dist", f"{name}.sha256", [name])
        container = [f"rccar-host-{VERSION}-oci-amd64.tar", "compose.yaml", "host.toml"]
        for name in container:
            (self.out / "oci" / name).write_text(name)
        self.sum("oci", f"rccar-host-{VERSION}-oci.sha256", container)
        self.pack(VERSION)

    def sum(self, folder, list_name, names):
        sums = (f"{hashlib.sha256((self.out / folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
        (self.out / folder / list_name).write_text("".join(sums))

    def pack(self, version):
        """A Debian package with that version inside."""
        root = self.top.parent / "deb"
        shutil.rmtree(root, ignore_errors=True)
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN/control").write_text(
            f"Package: rccar-host\nVersion: {version}\nArchitecture: amd64\nMaintainer: a <a@b>\nDescription: a\n"
        )
        self.call("dpkg-deb", "--root-owner-group", "--build", root, self.out / "deb" / DEB)

    def release(self, command, *more, key=True, url=URL, trial=False):
        """What `main.py check` or `assemble` says, and whether it was content."""
        arguments = ["--top", self.top, "--keys", self.keys]
        arguments += ["--key", self.key] if key else []
        arguments += ["--url", url] if url else []
        arguments += ["--trial"] if trial else []
        return self.call("python3", PROGRAM, command, *arguments, *more, check=False)


def image_spdx(version=VERSION):
    """As image/steps/90-sbom writes it."""
    packages = [
        {"SPDXID": "SPDXRef-image", "name": "rccar-rpi-arm64", "versionInfo": version},
        {
            "SPDXID": "SPDXRef-deb-libc6",
            "name": "libc6",
            "versionInfo": "2.41-12+b1",
            "sourceInfo": "built from glibc 2.41-12",
            "externalRefs": [
                {
                    "referenceCategory": "PACKAGE-MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": "pkg:deb/debian/libc6@2.41-12%2Bb1?arch=arm64",
                }
            ],
        },
    ]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"rccar-rpi-arm64-{version}",
        "documentNamespace": f"urn:rccar:rccar-rpi-arm64:{version}",
        "creationInfo": {"created": "2026-12-01T12:00:00Z", "creators": ["Tool: rccar image/build"]},
        "packages": [{**part, "downloadLocation": "NOASSERTION", "filesAnalyzed": False} for part in packages],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-image"},
            {"spdxElementId": "SPDXRef-image", "relationshipType": "CONTAINS", "relatedSpdxElement": "SPDXRef-deb-libc6"},
        ],
    }


def main():
    """standin.py FOLDER: a release of small files in FOLDER/top/out/release, to look at its page."""
    standin = StandIn(pathlib.Path(sys.argv[1]), dict(os.environ))
    done = standin.release("assemble")
    print(standin.out / "release" if not done.returncode else done.stderr)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
