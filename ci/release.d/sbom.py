"""What is in the programs, as SPDX 2.3 and as CycloneDX 1.6.

The image has its SPDX from its build (image/steps/90-sbom), and CycloneDX is made of it here. Of
the host both are made here: of the crates in it, and of the packages of npm in its page.
"""

import json
import re
import urllib.parse
import uuid

from common import Fault, run

# cargo tree's line: name, version, licence.
CRATE = re.compile(r"([^ ]+) v([^ |]+)[^|]*\|(.*)")
NAMES = uuid.uuid5(uuid.NAMESPACE_URL, "urn:rccar:sbom")


def host(top, release):
    """SPDX of the host, of the lock files."""
    tree = run(
        *("cargo", "tree", "--locked", "--offline", "--package", "rccar-host"),
        *("--edges", "normal", "--prefix", "none", "--format", "{p}|{l}"),
        cwd=top,
    )
    lock = json.loads((top / "web/package-lock.json").read_text())["packages"]
    return spdx("rccar-host", release, [*crates(tree), *page(lock)])


def crates(tree):
    found = {}
    for line in tree.splitlines():
        match = CRATE.match(line)
        if match:
            name, version, licence = match.groups()
            found[name, version] = package("cargo", name, version, licence.replace("/", " OR "))
    if len(found) < 2:
        raise Fault("cargo tree named no crates")
    return [found[key] for key in sorted(found)]


def page(lock):
    """What becomes part of the page; what only builds it is not given away."""
    return [
        package("npm", path.rpartition("node_modules/")[2], entry["version"], entry.get("license"))
        for path, entry in sorted(lock.items())
        if path and not entry.get("dev")
    ]


def package(kind, name, version, licence):
    purl = f"pkg:{kind}/{urllib.parse.quote(name, safe='/')}@{urllib.parse.quote(version)}"
    return {
        "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", f"{kind}-{name}-{version}"),
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseDeclared": licence or "NOASSERTION",
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": purl,
            }
        ],
    }


def spdx(name, release, packages):
    whole = {
        "SPDXID": f"SPDXRef-{name}",
        "name": name,
        "versionInfo": release.version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
    }
    contained = [
        {
            "spdxElementId": whole["SPDXID"],
            "relationshipType": "CONTAINS",
            "relatedSpdxElement": part["SPDXID"],
        }
        for part in packages
    ]
    described = {
        "spdxElementId": "SPDXRef-DOCUMENT",
        "relationshipType": "DESCRIBES",
        "relatedSpdxElement": whole["SPDXID"],
    }
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{name}-{release.version}",
        "documentNamespace": f"urn:rccar:{name}:{release.version}",
        "creationInfo": {"created": release.created, "creators": ["Tool: rccar ci/release"]},
        "packages": [whole, *packages],
        "relationships": [described, *contained],
    }


def check(document, file, version):
    """That a list is the one of this version, and not empty."""
    if document.get("spdxVersion") != "SPDX-2.3":
        raise Fault(f"{file} is no SPDX 2.3: its spdxVersion is {document.get('spdxVersion')}")
    whole = described(document, file)
    if whole.get("versionInfo") != version:
        raise Fault(f"{file} is of version {whole.get('versionInfo')}, and not of {version}")
    if len(document["packages"]) < 2:
        raise Fault(f"{file} names no packages")


def described(document, file):
    """The package that is the whole of it."""
    wanted = {
        link["relatedSpdxElement"]
        for link in document.get("relationships", [])
        if link["relationshipType"] == "DESCRIBES"
    }
    whole = [part for part in document.get("packages", []) if part["SPDXID"] in wanted]
    if len(whole) != 1:
        raise Fault(f"{file} describes {len(whole)} packages; it should be one")
    return whole[0]


def cyclonedx(document, file):
    """The same list as CycloneDX 1.6."""
    whole = described(document, file)
    kind = "operating-system" if whole["name"] != "rccar-host" else "application"
    parts = [part for part in document["packages"] if part is not whole]
    components = [component(part, "library") for part in parts]
    components.sort(key=lambda part: part["bom-ref"])
    seen = set()
    for part in components:
        if part["bom-ref"] in seen:
            raise Fault(f"{file} names {part['bom-ref']} twice")
        seen.add(part["bom-ref"])
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMES, document['documentNamespace'])}",
        "version": 1,
        "metadata": {
            "timestamp": document["creationInfo"]["created"],
            "tools": {"components": [{"type": "application", "name": "rccar ci/release"}]},
            "component": component(whole, kind),
        },
        "components": components,
        "dependencies": [
            {"ref": whole["SPDXID"], "dependsOn": [part["bom-ref"] for part in components]}
        ],
    }


def component(part, kind):
    purls = [
        link["referenceLocator"]
        for link in part.get("externalRefs", [])
        if link["referenceType"] == "purl"
    ]
    made = {"type": kind, "bom-ref": part["SPDXID"], "name": part["name"]}
    if part.get("versionInfo"):
        made["version"] = part["versionInfo"]
    if purls:
        made["purl"] = purls[0]
    licence = part.get("licenseDeclared", "NOASSERTION")
    if licence != "NOASSERTION":
        made["licenses"] = [{"expression": licence}]
    return made
