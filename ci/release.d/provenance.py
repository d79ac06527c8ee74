"""Of what and how the files were made: an in-toto statement with SLSA's provenance, version 1.

https://in-toto.io/Statement/v1 and https://slsa.dev/provenance/v1 have the fields. It has no times
of the build, so that the same release has the same statement. It is no more than the word of
whoever signs SHA256SUMS, where it stands: no build service vouches for it.
"""

import os
import re

from common import sha256

# What the files follow from, beside the sources.
LOCKS = ("Cargo.lock", "web/package-lock.json", "image/packages.lock", "rust-toolchain.toml")


def statement(release, top, folder, names):
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": name, "digest": {"sha256": sha256(folder / name)}} for name in sorted(names)
        ],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:rccar:make-release:1",
                "externalParameters": {
                    "command": "make release" + (" TRIAL=1" if release.is_trial else ""),
                    "version": release.version,
                    "ref": f"refs/tags/{release.tag}" if release.tag else release.commit,
                },
                "resolvedDependencies": [
                    {"uri": source(release), "digest": {"gitCommit": release.commit}},
                    *(
                        {"name": lock, "digest": {"sha256": sha256(top / lock)}}
                        for lock in LOCKS
                    ),
                ],
            },
            "runDetails": {"builder": {"id": builder()}},
        },
    }


def source(release):
    at = repository()
    return f"git+{at}@refs/tags/{release.tag}" if at and release.tag else f"git+{at or 'urn:rccar'}"


def repository():
    """Where the sources are, as GitHub's workflows say it or RCCAR_RELEASE_SOURCE does."""
    told = os.environ.get("RCCAR_RELEASE_SOURCE", "").rstrip("/")
    return told if re.match(r"https://", told) else ""


def builder():
    """Who ran the build: a person's machine, or the workflow that GitHub names."""
    workflow = os.environ.get("GITHUB_WORKFLOW_REF")
    if os.environ.get("GITHUB_ACTIONS") == "true" and workflow:
        return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{workflow}"
    return "urn:rccar:builder:somebodys-machine"
