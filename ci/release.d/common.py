"""What the parts of a release share."""

import hashlib
import json
import pathlib
import subprocess

BOARD = "rpi-arm64"


class Fault(Exception):
    """Says what is wrong, where, and what to do."""


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def run(*command, cwd=None, stdin=None):
    """Standard output of a command; a Fault with what it says if it fails."""
    try:
        done = subprocess.run(
            [str(part) for part in command], cwd=cwd, input=stdin, capture_output=True, check=False
        )
    except FileNotFoundError as missing:
        raise Fault(f"{command[0]} is missing here") from missing
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise Fault(f"`{command[0]} {command[1]}` failed: {said}")
    return done.stdout.decode()


def write_json(path, value):
    """In one order, so that the same content has the same bits."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    pathlib.Path(path).write_text(text + "\n", encoding="utf-8")


def read_json(path):
    try:
        return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Fault(f"{path}: {error}") from error


def readable(size):
    """As download pages write it: in thousands, not in 1024s."""
    if size < 1e5:
        return f"{max(size / 1e3, 1):.0f} kB"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
