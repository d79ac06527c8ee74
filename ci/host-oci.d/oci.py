#!/usr/bin/env python3
"""Writes a container image: an OCI image layout in a tar file, which Docker and Podman load.

https://github.com/opencontainers/image-spec has the formats. Two layers: what is Debian's, which
changes seldom, and what is ours. Every file has the time SOURCE_DATE_EPOCH and belongs to root, but
for the folder of the host's data.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import sys
import tarfile

LIBRARIES = re.compile(r"(ld-linux[\w-]*|libc|libm|libgcc_s|libresolv|libnss_(dns|files))\.so\.\d+")
TEXTS = re.compile(r"usr/share/doc/[\w.-]+/copyright")
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


class Layer:
    """Files by their path, put down in one order."""

    def __init__(self, time):
        self.time, self.entries = time, {}

    def add(self, path, kind, mode, content=b"", link="", owner=0):
        self.folders(pathlib.PurePosixPath(path).parent)
        entry = tarfile.TarInfo(str(path))
        entry.type, entry.mode, entry.linkname = kind, mode, link
        entry.mtime, entry.uid, entry.gid, entry.size = self.time, owner, owner, len(content)
        self.entries[str(path)] = (entry, content)

    def file(self, path, content, mode=0o644):
        self.add(path, tarfile.REGTYPE, mode, content)

    def link(self, path, target):
        self.add(path, tarfile.SYMTYPE, 0o777, link=target)

    def folder(self, path, mode=0o755, owner=0):
        self.add(path, tarfile.DIRTYPE, mode, owner=owner)

    def folders(self, path):
        if str(path) != "." and str(path) not in self.entries:
            self.folder(path)

    def tar(self):
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for path in sorted(self.entries):
                entry, content = self.entries[path]
                archive.addfile(entry, io.BytesIO(content))
        return made.getvalue()


def debian(root, time):
    """The libraries, the certificates of authorities, and the licences of both."""
    layer = Layer(time)
    libraries = set()
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if TEXTS.fullmatch(name):
            layer.file(name, path.read_bytes())
        elif LIBRARIES.fullmatch(path.name) and name.startswith("usr/lib"):
            if path.is_symlink():
                layer.link(name, os.readlink(path))
            else:
                layer.file(name, path.read_bytes(), 0o755)
            libraries.add(path.name.split(".so")[0])
    missing = {"libc", "libm", "libgcc_s"} - libraries
    if missing or not any(name.startswith("ld-linux") for name in libraries):
        sys.exit(f"error: {root} has no {' '.join(sorted(missing)) or 'loader'}")
    authorities = sorted((root / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    if len(authorities) < 50:
        sys.exit(f"error: {root} has only {len(authorities)} certificates of authorities")
    joined = b"".join(path.read_bytes().rstrip(b"\n") + b"\n" for path in authorities)
    layer.file("etc/ssl/certs/ca-certificates.crt", joined)
    for name in ("bin", "lib", "lib64", "sbin"):
        layer.link(name, f"usr/{name}")
        layer.folder(f"usr/{name}")
    layer.folder("tmp", 0o1777)
    layer.file("etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files dns\n")
    return layer


def host(arguments, time, user):
    layer = Layer(time)
    layer.file("usr/bin/rccar-host", arguments.program.read_bytes(), 0o755)
    layer.file("etc/rccar/host.toml", arguments.config.read_bytes())
    passwd = f"root:x:0:0::/:/nonexistent\nrccar-host:x:{user}:{user}::/var/lib/rccar-host:/nonexistent\n"
    layer.file("etc/passwd", passwd.encode())
    layer.file("etc/group", f"root:x:0:\nrccar-host:x:{user}:\n".encode())
    layer.folder("var/lib/rccar-host", 0o700, user)
    return layer


def user_of(table):
    """The host's number, by the same table that every other build has it from."""
    found = re.search(r"^u rccar-host (\d+) ", table.read_text(), re.MULTILINE)
    if not found:
        sys.exit(f"error: {table} has no user rccar-host")
    return int(found[1])


class Image:
    """Blobs by their hash, and what names them."""

    def __init__(self):
        self.blobs = {}

    def blob(self, kind, content, **more):
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content), **more}

    def json(self, kind, value, **more):
        return self.blob(kind, canonical(value), **more)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def write(arguments, time):
    from datetime import UTC, datetime

    user = user_of(arguments.users)
    image, layers, unpacked = Image(), [], []
    for layer in (debian(arguments.debian, time), host(arguments, time, user)):
        tar = layer.tar()
        unpacked.append(f"sha256:{hashlib.sha256(tar).hexdigest()}")
        layers.append(image.blob(LAYER, gzip.compress(tar, mtime=0)))
    created = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    labels = {
        "org.opencontainers.image.title": "rccar-host",
        "org.opencontainers.image.version": arguments.version,
        "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
        "org.opencontainers.image.created": created,
    }
    config = {
        "architecture": arguments.architecture,
        "os": "linux",
        "created": created,
        "config": {
            "User": f"{user}:{user}",
            "Entrypoint": ["/usr/bin/rccar-host"],
            "Cmd": ["run"],
            "Env": ["PATH=/usr/bin"],
            "WorkingDir": "/var/lib/rccar-host",
            "Volumes": {"/var/lib/rccar-host": {}},
            "ExposedPorts": {"8080/tcp": {}, "3478/tcp": {}, "3478/udp": {}},
            "StopSignal": "SIGTERM",
            "Labels": labels,
        },
        "rootfs": {"type": "layers", "diff_ids": unpacked},
        "history": [
            {"created": created, "created_by": "Debian: libraries and certificates"},
            {"created": created, "created_by": f"rccar-host {arguments.version}"},
        ],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": image.json(CONFIG, config),
        "layers": layers,
        "annotations": labels,
    }
    names = {
        # Podman takes the first, Docker the second.
        "org.opencontainers.image.ref.name": f"localhost/rccar-host:{arguments.version}",
        "io.containerd.image.name": f"localhost/rccar-host:{arguments.version}",
    }
    platform = {"architecture": arguments.architecture, "os": "linux"}
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [image.json(MANIFEST, manifest, annotations=names, platform=platform)],
    }
    outside = Layer(time)
    outside.file("oci-layout", canonical({"imageLayoutVersion": "1.0.0"}))
    outside.file("index.json", canonical(index))
    for digest, content in image.blobs.items():
        outside.file(f"blobs/sha256/{digest}", content)
    arguments.out.write_bytes(outside.tar())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("debian", "program", "config", "users", "out"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--architecture", required=True)
    write(parser.parse_args(), int(os.environ["SOURCE_DATE_EPOCH"]))


if __name__ == "__main__":
    main()
