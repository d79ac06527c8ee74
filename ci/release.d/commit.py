"""What is released: version, commit and notes, and whether they may be released at all."""

import dataclasses
import datetime
import json
import pathlib
import re
import tomllib

from common import Fault, run

# A stage of its own in a list of words: 1.2.0-rc.1.
VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
HEADING = re.compile(r"^## +\[?([^\]\s]+)\]?(?: *[-–] *(\S+))? *$")


@dataclasses.dataclass
class Release:
    version: str
    # Name in git, None for a trial.
    tag: str | None
    commit: str
    # Seconds since 1970: the commit's.
    time: int
    # The day that the changelog names, or the commit's.
    day: str
    notes: str

    @property
    def is_trial(self):
        return self.tag is None

    @property
    def created(self):
        made = datetime.datetime.fromtimestamp(self.time, datetime.UTC)
        return made.strftime("%Y-%m-%dT%H:%M:%SZ")


def released(top, trial):
    """The release of the commit that is checked out; a Fault if it cannot be one."""
    version = workspace_version(top)
    changed = run("git", "status", "--porcelain", cwd=top).strip("\n")
    if changed:
        raise Fault(f"a release is of a commit, and these files are not as in it:\n{changed}")
    commit = run("git", "rev-parse", "HEAD", cwd=top).strip()
    time = int(run("git", "log", "-1", "--format=%ct", cwd=top))
    changelog = (top / "CHANGELOG.md").read_text()
    if trial:
        count = run("git", "rev-list", "--count", "HEAD", cwd=top).strip()
        day = datetime.datetime.fromtimestamp(time, datetime.UTC).date().isoformat()
        notes = section(changelog, "Unreleased")[1]
        # The version that the image gives itself: image/lib/version.sh.
        return Release(f"{version}-dev.{count}", None, commit, time, day, notes)
    tag = tag_of(top, version)
    day, notes = section(changelog, version)
    try:
        datetime.date.fromisoformat(day or "")
    except ValueError as error:
        raise Fault(
            f"CHANGELOG.md: the heading of {version} has no day; it reads "
            f"`## {version} - 2026-12-31`"
        ) from error
    return Release(version, tag, commit, time, day, notes)


def workspace_version(top):
    version = tomllib.loads((top / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    if not VERSION.fullmatch(version):
        raise Fault(f"Cargo.toml: {version} is no version")
    for file in ("web/package.json", "web/package-lock.json"):
        found = json.loads((top / file).read_text())["version"]
        if found != version:
            raise Fault(f"{file} says {found}, and Cargo.toml {version}")
    return version


def tag_of(top, version):
    wanted = f"v{version}"
    tags = run("git", "tag", "--points-at", "HEAD", cwd=top).split()
    if wanted not in tags:
        others = [tag for tag in tags if VERSION.fullmatch(tag.removeprefix("v"))]
        if others:
            raise Fault(f"this commit has the tag {others[0]}, and Cargo.toml says {version}")
        raise Fault(
            f"this commit has no tag {wanted}. docs/releasing.md has the steps of a release; "
            "`make release TRIAL=1` makes everything of an untagged commit, to look at it"
        )
    if run("git", "cat-file", "-t", f"refs/tags/{wanted}", cwd=top).strip() != "tag":
        raise Fault(f"{wanted} is a lightweight tag, without name and day: `git tag --sign`")
    return wanted


def section(changelog, name):
    """Day and text of a section of the changelog."""
    found, day, lines = False, None, []
    for line in changelog.splitlines():
        heading = HEADING.match(line)
        if line.startswith("## "):
            if found:
                break
            if heading and heading[1] == name:
                found, day = True, heading[2]
            continue
        if found:
            lines.append(line)
    text = "\n".join(lines).strip()
    if not found:
        raise Fault(f"CHANGELOG.md has no section {name}")
    if not re.search(r"^[-*] ", text, re.MULTILINE):
        raise Fault(f"CHANGELOG.md: the section {name} says nothing")
    return day, text


def notes(release, source):
    """Release notes. Links into the repository lead to its files at `source`, if that is told."""
    at = f"{source.rstrip('/')}/blob/{release.tag or release.commit}/" if source else None

    def link(found):
        text, target = found.groups()
        if re.match(r"[a-z]+:|#", target):
            return found[0]
        return f"[{text}]({at}{target})" if at else text

    text = re.sub(r"\[([^\]]*)\]\(([^)]*)\)", link, release.notes)
    return f"# rccar {release.version}\n\n{release.day}\n\n{text}\n"


def top_of_checkout():
    return pathlib.Path(__file__).resolve().parents[2]
