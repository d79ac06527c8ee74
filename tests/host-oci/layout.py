#!/usr/bin/env python3
"""Looks at a container image of ci/host-oci as whoever loads it would.

layout.py check IMAGE            says what is wrong with it, and proves that each fault is found
layout.py unpack IMAGE FOLDER    lays its layers over each other, and prints `USER ENTRYPOINT CMD`
"""

import gzip
import hashlib
import io
import json
import pathlib
import re
import sys
import tarfile

TOP = pathlib.Path(__file__).resolve().parents[2]


def opened(image):
    """Files of the layout by their path."""
    with tarfile.open(fileobj=io.BytesIO(image)) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive if entry.isreg()}


def blob(files, wanted):
    content = files.get("blobs/" + wanted["digest"].replace(":", "/"))
    if content is None:
        raise ValueError(f"there is no blob {wanted['digest']}")
    if hashlib.sha256(content).hexdigest() != wanted["digest"].split(":")[1]:
        raise ValueError(f"{wanted['digest']} is not the hash of its blob")
    if len(content) != wanted["size"]:
        raise ValueError(f"{wanted['digest']} has {len(content)} bytes, and not {wanted['size']}")
    return content


def parts(files):
    """Manifest, configuration, and the layers as tar files."""
    if json.loads(files["oci-layout"]) != {"imageLayoutVersion": "1.0.0"}:
        raise ValueError("oci-layout has another version")
    (listed,) = json.loads(files["index.json"])["manifests"]
    manifest = json.loads(blob(files, listed))
    config = json.loads(blob(files, manifest["config"]))
    layers = [gzip.decompress(blob(files, layer)) for layer in manifest["layers"]]
    for layer, wanted in zip(layers, config["rootfs"]["diff_ids"], strict=True):
        if f"sha256:{hashlib.sha256(layer).hexdigest()}" != wanted:
            raise ValueError(f"{wanted} is not the hash of its layer")
    return listed, config, layers


def faults(image):
    files = opened(image)
    try:
        listed, config, layers = parts(files)
    except (KeyError, ValueError) as error:
        return [f"{type(error).__name__}: {error}"]
    found = []
    table = (TOP / "overlays/usr/lib/sysusers.d/rccar-host.conf").read_text()
    number = re.search(r"^u rccar-host (\d+)", table, re.MULTILINE)[1]
    if config["config"]["User"] != f"{number}:{number}":
        found.append(f"it runs as {config['config']['User']}")
    if not listed["annotations"]["org.opencontainers.image.ref.name"].startswith("localhost/rccar-host:"):
        found.append("its name is not what compose.yaml starts")
    named = {"oci-layout", "index.json"}
    named |= {f"blobs/sha256/{it['digest'].split(':')[1]}" for it in (listed, *described(files, listed))}
    found += [f"{name} belongs to nothing" for name in sorted(files.keys() - named)]
    paths = set()
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
            for entry in archive:
                paths.add(entry.name)
                found += entry_faults(entry, int(number))
    for wanted in ("usr/bin/rccar-host", "etc/ssl/certs/ca-certificates.crt", "usr/share/doc/libc6/copyright"):
        if wanted not in paths:
            found.append(f"{wanted} is missing")
    found += [f"{path} is a shell" for path in paths if re.search(r"/(ba|da|a)?sh$", path)]
    return found


def described(files, listed):
    manifest = json.loads(blob(files, listed))
    return [manifest["config"], *manifest["layers"]]


def entry_faults(entry, number):
    if entry.mode & 0o6000:
        yield f"{entry.name} lends its owner's rights"
    if entry.mode & 0o002 and not entry.issym() and not entry.mode & 0o1000:
        yield f"everybody may write {entry.name}"
    if entry.uid and entry.name != "var/lib/rccar-host":
        yield f"{entry.name} belongs to {entry.uid}"
    if entry.name == "var/lib/rccar-host" and (entry.uid != number or entry.mode != 0o700):
        yield "the folder of its data is not its own"


def compose_faults(compose, config):
    """What the two files say of each other."""
    ports = re.findall(r"^(min|max)_port = (\d+)$", config, re.MULTILINE)
    low, high = (dict(ports)[end] for end in ("min", "max"))
    if f'"{low}-{high}:{low}-{high}/udp"' not in compose:
        yield "compose.yaml opens other ports for relays than host.toml names"
    table = (TOP / "overlays/usr/lib/sysusers.d/rccar-host.conf").read_text()
    number = re.search(r"^u rccar-host (\d+)", table, re.MULTILINE)[1]
    if f'user: "{number}:{number}"' not in compose:
        yield "compose.yaml starts it as another user"
    unit = (TOP / "overlays/usr/lib/systemd/system/rccar-host.service").read_text()
    for ours, theirs in (("mem_limit: (.*)m", "MemoryMax=(.*)M"), ("pids_limit: (.*)", "TasksMax=(.*)"), ("nofile: (.*)", "LimitNOFILE=(.*)")):
        if re.search(ours, compose)[1] != re.search(theirs, unit)[1]:
            yield f"compose.yaml has another {ours.split(':')[0]} than the unit"
    for wanted in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true"):
        if wanted not in compose:
            yield f"compose.yaml is without {wanted}"


def replaced(image, old, new):
    assert old in image, old
    return image.replace(old, new, 1)


def rebuilt(image, change):
    """The image with an entry of its last layer changed, and every hash right again."""
    files = opened(image)
    listed, config, layers = parts(files)
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(layers[-1])) as old, tarfile.open(fileobj=made, mode="w") as new:
        for entry in old:
            content = old.extractfile(entry) if entry.isreg() else None
            change(entry)
            new.addfile(entry, content)
    config["rootfs"]["diff_ids"][-1] = f"sha256:{hashlib.sha256(made.getvalue()).hexdigest()}"
    manifest = json.loads(blob(files, listed))

    def put(content):
        digest = hashlib.sha256(content).hexdigest()
        files[f"blobs/sha256/{digest}"] = content
        return {"digest": f"sha256:{digest}", "size": len(content)}

    for gone in (listed, manifest["config"], manifest["layers"][-1]):
        files.pop("blobs/" + gone["digest"].replace(":", "/"))
    manifest["layers"][-1].update(put(gzip.compress(made.getvalue(), 1, mtime=0)))
    manifest["config"].update(put(json.dumps(config).encode()))
    listed.update(put(json.dumps(manifest).encode()))
    files["index.json"] = json.dumps({"manifests": [listed]}).encode()
    return packed(files)


def packed(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def change(path, **values):
    def apply(entry):
        if entry.name == path:
            for key, value in values.items():
                setattr(entry, key, value)

    return apply


def prove(image, compose, config):
    """Each fault is found in an image, or in a file beside it, that has it."""
    program, data = "usr/bin/rccar-host", "var/lib/rccar-host"
    broken = [
        ("is not the hash", replaced(image, b'"os":"linux","rootfs"', b'"os":"Linux","rootfs"')),
        ("another version", replaced(image, b'"1.0.0"', b'"1.0.1"')),
        ("there is no blob", packed(dict(list(opened(image).items())[1:]))),
        ("lends", rebuilt(image, change(program, mode=0o4755))),
        ("everybody may write", rebuilt(image, change(program, mode=0o777))),
        ("belongs to 7", rebuilt(image, change(program, uid=7))),
        ("not its own", rebuilt(image, change(data, uid=0))),
        ("is a shell", rebuilt(image, change("etc/group", name="usr/bin/dash"))),
        ("rccar-host is missing", rebuilt(image, change(program, name="usr/bin/other"))),
    ]
    unproved = [wanted for wanted, it in broken if not any(wanted in fault for fault in faults(it))]
    unproved += ["a whole image that was packed again"] if faults(rebuilt(image, lambda _: None)) else []
    texts = [
        ("other ports", compose.replace("49407", "49408"), config),
        ("another user", compose.replace('"414:414"', '"0:0"'), config),
        ("another mem_limit", compose.replace("1536m", "1537m"), config),
        ("without read_only", compose.replace("read_only", "writes"), config),
    ]
    unproved += [wanted for wanted, *it in texts if not any(wanted in fault for fault in compose_faults(*it))]
    return [f"nothing says {wanted!r}" for wanted in unproved], len(broken) + len(texts)


def check(path):
    image = path.read_bytes()
    compose, config = (path.with_name(name).read_text() for name in ("compose.yaml", "host.toml"))
    found = [*faults(image), *compose_faults(compose, config)]
    if not found:
        found, count = prove(image, compose, config)
    if found:
        sys.exit("\n".join(found))
    print(f"nothing is wrong with it, and {count} faults that were put in were found")


def unpack(path, folder):
    _, config, layers = parts(opened(path.read_bytes()))
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
            archive.extractall(folder, filter="fully_trusted", numeric_owner=True)
    config = config["config"]
    print(config["User"], *config["Entrypoint"], *config["Cmd"])


if __name__ == "__main__":
    if sys.argv[1] == "check":
        check(pathlib.Path(sys.argv[2]))
    else:
        unpack(pathlib.Path(sys.argv[2]), sys.argv[3])
