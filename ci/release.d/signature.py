"""Checksums and their signature.

The signature is one of OpenSSH (`ssh-keygen -Y`): Windows, macOS and Linux have the program that
checks it, and a hardware key can make it. With an Ed25519 key it has the same bits each time.
"""

import pathlib

from common import Fault, run, sha256

NAMESPACE = "rccar-release"
IDENTITY = "rccar"
DEVELOPMENT = "rccar development"


def development_key(folder):
    """Makes a key for trials where there is none."""
    key = folder / "release.development"
    if not key.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{DEVELOPMENT} key", "-f", key)
    return key


def check_key(key, trial):
    if not key:
        if trial:
            return
        raise Fault(
            "no key to sign the checksums with: RCCAR_RELEASE_KEY names a private key for "
            "`ssh-keygen -Y sign`, or the .pub of one that ssh-agent holds"
        )
    if not key.exists():
        raise Fault(f"there is no {key} (RCCAR_RELEASE_KEY)")
    kind, _, comment = public_part(key).split(" ", 2)
    if not trial and comment.startswith(DEVELOPMENT):
        raise Fault(f"{key} is a development key: a release is signed with the project's own")
    if "dss" in kind or kind == "ssh-rsa" and key_bits(key) < 3072:
        raise Fault(f"{key} is too weak a key: make one with `ssh-keygen -t ed25519`")


def check_bundle_key(folder, trial):
    """Bundles are signed while the image is built, with the keys of image/keys or a product's own."""
    certificate = folder / "signing.cert.pem"
    if not certificate.exists():
        if trial:
            return
        raise Fault(f"there is no {certificate} to sign bundles with: RCCAR_KEYS names the folder")
    subject = run("openssl", "x509", "-in", certificate, "-noout", "-subject")
    if not trial and "development" in subject:
        raise Fault(
            f"{certificate} is a development key: cars would take updates of whoever has it "
            "(docs/updates.md, A production key)"
        )


def public_part(key):
    """`KIND DATA COMMENT` of a key."""
    public = key if key.suffix == ".pub" else pathlib.Path(f"{key}.pub")
    text = public.read_text() if public.exists() else run("ssh-keygen", "-y", "-f", key)
    return " ".join((text.split() + [""] * 3)[:2] + [" ".join(text.split()[2:])])


def key_bits(key):
    return int(run("ssh-keygen", "-l", "-f", key).split()[0])


def fingerprint(key):
    return run("ssh-keygen", "-l", "-f", key).split()[1]


def sums(folder, names):
    return "".join(f"{sha256(folder / name)}  {name}\n" for name in sorted(names))


def sign(folder, key):
    """Signs SHA256SUMS, writes down whose signature counts, and checks it as a stranger would."""
    signed = folder / "SHA256SUMS"
    kind, data, _ = public_part(key).split(" ", 2)
    (folder / "allowed_signers").write_text(f'{IDENTITY} namespaces="{NAMESPACE}" {kind} {data}\n')
    signature = folder / "SHA256SUMS.sig"
    signature.unlink(missing_ok=True)
    run("ssh-keygen", "-Y", "sign", "-q", "-n", NAMESPACE, "-f", key, signed)
    verify(folder)


def verify(folder):
    """A Fault if a file of the release is not the one that was signed."""
    said = (folder / "SHA256SUMS").read_bytes()
    run(
        *("ssh-keygen", "-Y", "verify", "-f", folder / "allowed_signers", "-I", IDENTITY),
        *("-n", NAMESPACE, "-s", folder / "SHA256SUMS.sig"),
        stdin=said,
    )
    for line in said.decode().splitlines():
        digest, name = line.split("  ", 1)
        if not (folder / name).is_file():
            raise Fault(f"{name} is in SHA256SUMS and not in {folder}")
        if sha256(folder / name) != digest:
            raise Fault(f"{name} is not as in SHA256SUMS")
