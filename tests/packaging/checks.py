#!/usr/bin/env python3
"""What can be said about meta-rccar and image/buildroot without the trees that build them.

checks.py [TOP]: runs every check on the checkout and prints what is wrong. Each function whose name
begins with `check_` takes the checkout and yields faults, each a sentence that names the file.
broken.py proves that each of them finds something.
"""

import collections
import configparser
import hashlib
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

# Components whose files are packages; the image lays `appliance` over them.
PACKAGED = ("car", "drive", "modem", "provision", "update", "host", "common", "rauc")
FOLDERS = {
    "systemd_system_unitdir": "/usr/lib/systemd/system",
    "nonarch_libdir": "/usr/lib",
    "datadir": "/usr/share",
    "sbindir": "/usr/sbin",
    "bindir": "/usr/bin",
    "sysconfdir": "/etc",
    "localstatedir": "/var",
}


def layer_files(top, *kinds):
    return sorted(path for kind in kinds for path in (top / "meta-rccar").rglob(f"*.{kind}"))


def short(top, path):
    return str(path.relative_to(top))


def joined(text):
    """The text with continued lines in one, and without comments."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return re.sub(r"\\\n\s*", "", "\n".join(lines) + "\n")


def assignments(path):
    """Variables of a recipe: name with overrides, operator, value."""
    found = re.finditer(
        r'^(?:export )?([A-Za-z0-9_:${}+.@%\[\]-]+?) *(\?\?=|\?=|:=|\+=|=\+|\.=|=\.|=) *"(.*)"$',
        joined(path.read_text()),
        re.MULTILINE,
    )
    return [match.groups() for match in found]


def expanded(value):
    return re.sub(r"\$\{(\w+)\}", lambda name: FOLDERS.get(name[1], name[0]), value)


def install(top, **env):
    done = subprocess.run(
        [top / "ci/install"], env={"PATH": "/usr/bin:/bin", **env}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


def installed(top, components, programs="", prefix="/usr"):
    """What `make install` says that it installs; check_the_list_is_what_is_installed holds it to that."""
    return set(install(top, COMPONENTS=components, PROGRAMS=programs, PREFIX=prefix, LIST="only").split())


def generated(top):
    return top / "meta-rccar/recipes-rccar/rccar-programs/rccar-programs-files.inc"


def packages(top):
    """Files of each package of rccar-programs, as the recipe names them."""
    found = {}
    for name, _, value in assignments(generated(top)):
        if name.startswith("FILES:"):
            found[name.removeprefix("FILES:")] = expanded(value).split()
    return found


def services(top):
    """Units of each package of rccar-programs."""
    found = {}
    for name, _, value in assignments(generated(top)):
        if name.startswith("SYSTEMD_SERVICE:"):
            found[name.removeprefix("SYSTEMD_SERVICE:")] = value.split()
    return found


# ---- lists that follow from other files ----------------------------------------------------------


def check_lists_are_current(top):
    done = subprocess.run(
        [top / "meta-rccar/scripts/update-lists", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        yield f"meta-rccar: {done.stderr.strip()}"


def check_every_crate_has_its_checksum(top):
    """By itself, so that a fault of the script is found, too."""
    lock = tomllib.loads((top / "Cargo.lock").read_text())
    wanted = {
        f"{package['name']}-{package['version']}": package["checksum"]
        for package in lock["package"]
        if "checksum" in package
    }
    text = (generated(top).parent / "rccar-programs-crates.inc").read_text()
    uris = {f"{name}-{version}" for name, version in re.findall(r"crates\.io/(\S+)/(\S+)", text)}
    sums = dict(re.findall(r'^SRC_URI\[(\S+)\.sha256sum\] = "(\w+)"$', text, re.MULTILINE))
    for crate in sorted(wanted.keys() ^ uris):
        yield f"rccar-programs-crates.inc and Cargo.lock: only one of them has {crate}"
    for crate in sorted(wanted):
        if sums.get(crate) != wanted[crate]:
            yield f"rccar-programs-crates.inc: the checksum of {crate} is not that of Cargo.lock"


def check_packages_have_what_is_installed(top):
    programs = "rccar rccar-drive rccar-host"
    wanted = installed(top, "car drive modem provision update host", programs)
    owners = collections.defaultdict(list)
    for package, paths in packages(top).items():
        for path in paths:
            owners[path].append(package)
    for path in sorted(wanted - owners.keys()):
        yield f"rccar-programs: {path} is installed and in no package"
    for path in sorted(owners.keys() - wanted):
        yield f"rccar-programs: {path} is in {owners[path][0]} and not installed"
    for path, names in sorted(owners.items()):
        if len(names) > 1:
            yield f"rccar-programs: {path} is in {' and '.join(names)}"


def check_no_file_is_a_package_s_and_the_appliance_s(top):
    """Two packages with one path end an image."""
    appliance = installed(top, "appliance")
    for component in PACKAGED:
        for path in sorted(appliance & installed(top, component)):
            yield f"ci/components.list: {path} belongs to {component} and to the appliance"


def check_the_list_is_what_is_installed(top):
    components, programs = "car drive modem update provision host rauc appliance", "rccar rccar-drive rccar-host"
    with tempfile.TemporaryDirectory() as folder:
        target, built = pathlib.Path(folder, "target"), pathlib.Path(folder, "built")
        built.mkdir()
        for program in programs.split():
            (built / program).touch(0o755)
        install(top, DESTDIR=str(target), BINDIR=str(built), COMPONENTS=components, PROGRAMS=programs)
        paths = (path for path in target.rglob("*") if path.is_symlink() or path.is_file())
        found = {f"/{path.relative_to(target)}" for path in paths}
        modes = {path for path in found if (target / path[1:]).lstat().st_mode & 0o22 and not (target / path[1:]).is_symlink()}
    for path in sorted(found ^ installed(top, components, programs)):
        yield f"ci/install: LIST=only and what is installed differ in {path}"
    for path in sorted(modes):
        yield f"ci/install: others than its owner may write {path}"


def check_nothing_is_installed_twice_or_forgotten(top):
    """All components together are all of overlays/."""
    overlays = top / "overlays"
    files = {f"/{path.relative_to(overlays)}" for path in overlays.rglob("*") if path.is_symlink() or path.is_file()}
    files -= {path for path in files if path.startswith("/boot/firmware/")}
    found = set().union(*(installed(top, component) for component in (*PACKAGED, "appliance")))
    for path in sorted(files - found):
        yield f"ci/install: no component installs overlays{path}"
    for path in sorted(found - files):
        yield f"ci/install: {path} comes from nowhere in overlays/"


def check_another_prefix_is_used_throughout(top):
    """Programs and our own data move, and nothing still names their old place."""
    usual = installed(top, "car drive modem update", "rccar rccar-drive")
    moved = installed(top, "car drive modem update", "rccar rccar-drive", "/opt/car")
    ours = {path for path in usual if re.match(r"/usr/(bin|lib/rccar|share/rccar)/", path)}
    wanted = (usual - ours) | {path.replace("/usr/", "/opt/car/", 1) for path in ours}
    for path in sorted(wanted ^ moved):
        yield f"ci/install: with PREFIX=/opt/car {path} is {'missing' if path in wanted else 'where nobody looks'}"
    with tempfile.TemporaryDirectory() as folder:
        install(top, DESTDIR=folder, COMPONENTS="car drive modem update", PROGRAMS="", PREFIX="/opt/car")
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if path.is_file() and re.search(r"/usr/(bin|lib|share)/rccar", path.read_text()):
                yield f"ci/install: with PREFIX=/opt/car /{path.relative_to(folder)} names programs below /usr"


# ---- units, users, licences ----------------------------------------------------------------------


def check_units_are_installed_and_started_once(top):
    units = top / "overlays/usr/lib/systemd/system"
    links = collections.Counter(path.name for path in units.glob("*.wants/*"))
    rules = " ".join(path.read_text() for path in sorted((top / "overlays/usr/lib/udev/rules.d").glob("*.rules")))
    texts = {path.name: path.read_text() for path in units.iterdir() if path.is_file() and not path.is_symlink()}
    for package, names in services(top).items():
        for name in names:
            if name not in texts:
                yield f"rccar-programs: SYSTEMD_SERVICE:{package} names {name}, which is not installed"
                continue
            if re.search(r"^\[Install\]", texts[name], re.MULTILINE):
                yield f"{name}: [Install] would enable it a second time; it is linked in a .wants folder"
            stem = name.rsplit(".", 1)[0]
            others = sum(f"{stem}{kind}" in texts and f"{stem}{kind}" != name for kind in (".timer", ".path"))
            named = any(re.search(rf"(?:Requires|Wants|RequiresMountsFor)=.*{re.escape(name)}", text) for text in texts.values())
            mounted = name.endswith(".mount") and any("/" + stem.replace("-", "/") in text for other, text in texts.items() if other != name)
            starters = links[name] + (links[name] == 0 and bool(others or name in rules or named or mounted))
            if starters != 1:
                yield f"{name}: {'nothing starts it' if not starters else 'more than one folder links it'}"
    listed = {name for names in services(top).values() for name in names}
    for package, paths in packages(top).items():
        for path in paths:
            name = path.removeprefix("/usr/lib/systemd/system/")
            if path != name and "/" not in name and "@" not in name and name not in listed:
                yield f"rccar-programs: {name} is in {package} and in no SYSTEMD_SERVICE"


def system_users(top, table):
    """Name to number, of users and of groups, by a table of sysusers.d."""
    groups, users = {}, {}
    for line in (top / "overlays/usr/lib/sysusers.d" / table).read_text().splitlines():
        if found := re.match(r"([gu]) (\S+) (\d+)", line):
            kind, name, number = found.groups()
            groups[name] = number
            if kind == "u":
                users[name] = number
    return groups, users


def check_users_are_the_same_everywhere(top):
    values = {name: value for name, _, value in assignments(generated(top))}
    for component, table, least in (("common", "rccar.conf", 4), ("host", "rccar-host.conf", 1)):
        groups, users = system_users(top, table)
        if len(users) < least:
            yield f"sysusers.d/{table}: only {len(users)} users were found"
        named = dict(re.findall(r"--gid (\d+) ([\w-]+);", values.get(f"GROUPADD_PARAM:rccar-{component}", "")))
        if {name: number for number, name in named.items()} != groups:
            yield f"rccar-programs: GROUPADD_PARAM and sysusers.d/{table} do not have the same groups"
        named = re.findall(r"--uid (\d+) --gid (\d+) [^;]* ([\w-]+);", values.get(f"USERADD_PARAM:rccar-{component}", ""))
        if {name: uid for uid, gid, name in named if uid == gid} != users:
            yield f"rccar-programs: USERADD_PARAM and sysusers.d/{table} do not have the same users"


def check_licences_and_their_checksums(top):
    seen = 0
    for path in layer_files(top, "bb", "inc"):
        for name, _, value in assignments(path):
            if name != "LIC_FILES_CHKSUM":
                continue
            for file, wanted in re.findall(r"file://([^;\s]+);md5=(\w+)", value):
                seen += 1
                if not (top / file).is_file():
                    yield f"{short(top, path)}: there is no {file}"
                elif hashlib.md5((top / file).read_bytes()).hexdigest() != wanted:
                    yield f"{short(top, path)}: the checksum of {file} is wrong"
    if seen < 2:
        yield "meta-rccar: no recipe has the checksums of our licences"
    if (top / "meta-rccar/COPYING.MIT").read_text() != (top / "LICENSE-MIT").read_text():
        yield "meta-rccar/COPYING.MIT is not LICENSE-MIT"
    allowed = set(re.findall(r'^  "([\w.-]+)",$', (top / "deny.toml").read_text(), re.MULTILINE))
    recipe = generated(top).parent / "rccar-programs.bb"
    stated = next((value for name, _, value in assignments(recipe) if name == "LICENSE"), "")
    for licence in sorted(allowed ^ set(re.findall(r"[\w.-]+", stated))):
        yield f"rccar-programs.bb: only one of LICENSE and deny.toml has {licence}"


# ---- the layer -----------------------------------------------------------------------------------


def check_versions_are_the_workspace_s(top):
    version = tomllib.loads((top / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    release = top / "meta-rccar/conf/distro/include/rccar-release.inc"
    stated = dict((name, value) for name, _, value in assignments(release)).get("RCCAR_VERSION")
    if stated != version:
        yield f"{short(top, release)}: RCCAR_VERSION is {stated}, the workspace's is {version}"


def check_files_of_recipes_are_there(top):
    seen = 0
    for path in layer_files(top, "bb", "bbappend", "inc"):
        values = assignments(path)
        folders = [path.parent / "files", path.parent / path.name.split("_")[0].removesuffix(".bb")]
        for name, _, value in values:
            if name.startswith("FILESEXTRAPATHS"):
                folders += [pathlib.Path(part.replace("${THISDIR}", str(path.parent))) for part in value.split(":") if part]
        for name, _, value in values:
            if name.split(":")[0] != "SRC_URI":
                continue
            for file in re.findall(r"file://([^;\s\"]+)", value):
                seen += 1
                if not any((folder / file).exists() for folder in folders):
                    yield f"{short(top, path)}: there is no {file} in {' or '.join(folder.name for folder in folders)}"
    if seen < 3:
        yield f"meta-rccar: only {seen} files of recipes were found"
    for path in layer_files(top, "bb", "inc", "conf"):
        for wanted in re.findall(r"^require (\S+)", path.read_text(), re.MULTILINE):
            if not (path.parent / wanted).exists() and not (top / "meta-rccar" / wanted).exists():
                yield f"{short(top, path)}: there is no {wanted}"


def check_other_layers_stay_as_they_are_without_our_distro(top):
    for path in layer_files(top, "bbappend"):
        for name, _, _ in assignments(path):
            if "rccar" not in name.split(":"):
                yield f"{short(top, path)}: {name} changes a recipe without DISTRO = rccar"
        if not assignments(path) or re.search(r"^\s*(?:\w+\(\)|python|inherit)", path.read_text(), re.MULTILINE):
            yield f"{short(top, path)}: only variables with an override of our distro may be in it"
        dynamic = "dynamic-layers" in path.parts
        known = {"linux-yocto_%.bbappend"}
        if not dynamic and path.name not in known:
            yield f"{short(top, path)}: is its recipe in a layer of LAYERDEPENDS? Else it belongs to dynamic-layers"
    layer = dict((name, value) for name, _, value in assignments(top / "meta-rccar/conf/layer.conf"))
    for name in ("DISTRO", "MACHINE"):
        if name in layer:
            yield f"conf/layer.conf sets {name}"
    if layer.get("LAYERSERIES_COMPAT_rccar") != "wrynose":
        yield "conf/layer.conf: LAYERSERIES_COMPAT_rccar is not wrynose, the series that was tried"


def check_names_and_revisions_of_recipes(top):
    for path in layer_files(top, "bb"):
        if path.name.split("_")[0].removesuffix(".bb") == "rccar":
            yield f"{short(top, path)}: a recipe with the distro's name is an override of itself"
    for path in layer_files(top, "bb", "bbappend", "inc", "conf"):
        if "AUTOREV" in path.read_text():
            yield f"{short(top, path)}: AUTOREV builds something else tomorrow"
        if re.search(r"DISTRO_FEATURES:remove|MACHINE_FEATURES:remove", path.read_text()):
            yield f"{short(top, path)}: features are opted out of, not removed"
        if re.search(r"^INSANE_SKIP", path.read_text(), re.MULTILINE):
            yield f"{short(top, path)}: INSANE_SKIP hides what somebody has to mend"


def check_recipes_of_the_appliance_skip_other_systems(top):
    """`bitbake world` with another distro or machine meets them."""
    for path in layer_files(top, "bb"):
        values = dict((name, value) for name, _, value in assignments(path))
        text = path.read_text()
        if re.search(r"^inherit .*\b(core-image|image|bundle|packagegroup)\b", text, re.MULTILINE) and "REQUIRED_DISTRO_FEATURES" not in values:
            yield f"{short(top, path)}: without REQUIRED_DISTRO_FEATURES it breaks other distros' world"
        if re.search(r"virtual/kernel|virtual/bootloader|u-boot", text) and "COMPATIBLE_MACHINE" not in values:
            yield f"{short(top, path)}: without COMPATIBLE_MACHINE it breaks other machines' world"
        if "features_check" in text and not any(name.endswith("_FEATURES") and "REQUIRED" in name for name in values):
            yield f"{short(top, path)}: features_check has nothing to check"


def check_kernel_fragments(top):
    fragments = layer_files(top, "cfg")
    if len(fragments) < 3:
        yield "meta-rccar: the fragments of kernel and U-Boot were not found"
    for path in fragments:
        seen = set()
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line or line.startswith("# ") and not line.endswith(" is not set"):
                continue
            found = re.fullmatch(r'(?:# )?(CONFIG_[A-Z0-9_]+)(?:=(?:[ym]|-?\d+|"[^"]*")| is not set)', line)
            if not found:
                yield f"{short(top, path)}:{number}: this is no line of a kernel's configuration: {line}"
            elif found[1] in seen:
                yield f"{short(top, path)}:{number}: {found[1]} is set twice"
            else:
                seen.add(found[1])


def check_texts_for_integrators(top):
    layer = top / "meta-rccar"
    text = (layer / "README.md").read_text()
    for word, what in (("maintainer", "maintainers"), ("patch", "how to send a patch"), ("@", "an e-mail address")):
        if word not in text.lower():
            yield f"meta-rccar/README.md does not say: {what}"
    # yocto-check-layer leaves out what follows the name of another one.
    if "readme" in text.lower():
        yield "meta-rccar/README.md names another README, and yocto-check-layer looks no further"
    for heading in ("Description", "Yocto Project Compatible", "Dependencies", "Quick start", "Maintainers", "Licence"):
        if f"\n## {heading}\n" not in text:
            yield f"meta-rccar/README.md has no section {heading}"
    if not (layer / "SECURITY.md").read_text().strip():
        yield "meta-rccar/SECURITY.md is empty"
    for path in sorted(layer.rglob("*")):
        if path.is_file() and re.search(r"BEGIN [A-Z ]*(PRIVATE KEY|CERTIFICATE)", path.read_text()):
            yield f"{short(top, path)}: keys and certificates are the integrator's"


# ---- the card ------------------------------------------------------------------------------------


def layout(top):
    """Partitions of image/layout.sh: name, MiB, type, identifier."""
    done = subprocess.run(
        ["bash", "-euc", ". image/layout.sh; layout"], cwd=top, capture_output=True, text=True, check=True
    )
    found = re.findall(r"^start=(\d+), size=(\d+), type=([\w-]+), uuid=([\w-]+), name=(\w+)", done.stdout, re.MULTILINE)
    return [(name, int(size) // 2048, kind, uuid) for _, size, kind, uuid, name in found]


def check_partitions_are_the_same_everywhere(top):
    wanted = layout(top)
    if len(wanted) < 7:
        yield "image/layout.sh: partitions are missing"
    found = []
    for line in (top / "meta-rccar/files/wic/rccar.wks").read_text().splitlines():
        if line.startswith("part "):
            value = lambda option: re.search(rf"--{option} (\S+)", line)[1]  # noqa: E731, B023
            found.append((value("part-name"), int(value("fixed-size")), value("part-type"), value("uuid")))
            if value("align") != "4096":
                yield f"rccar.wks: {value('part-name')} does not begin at a multiple of 4 MiB"
    for ours, theirs in zip(wanted + [None] * 9, found + [None] * 9):
        if ours != theirs:
            yield f"rccar.wks: {theirs} where image/layout.sh has {ours}"


def packed(top, *arguments):
    done = subprocess.run(
        ["bash", top / "image/pack", *arguments],
        env={"PATH": "/usr/bin:/bin", "SOURCE_DATE_EPOCH": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def check_the_bundle_is_the_same_everywhere(top):
    """meta-rccar's is made by a class of meta-rauc, from variables; the others by image/pack."""
    recipe = top / "meta-rccar/recipes-core/bundles/rccar-bundle.bb"
    text = recipe.read_text()
    values = dict((name, value) for name, _, value in assignments(recipe))
    flags = {(slot, flag): value for slot, flag, value in re.findall(r'^RAUC_SLOT_(\w+)\[(\w+)\] = "(.*)"$', text, re.MULTILINE)}
    wanted = configparser.ConfigParser()
    wanted.read_string(packed(top, "manifest", "kind", "1.2.3"))
    if values.get("RAUC_BUNDLE_FORMAT") != wanted["bundle"]["format"]:
        yield "rccar-bundle.bb: RAUC_BUNDLE_FORMAT is not that of `image/pack manifest`"
    slots = [name.removeprefix("image.") for name in wanted.sections() if name.startswith("image.")]
    if values.get("RAUC_BUNDLE_SLOTS", "").split() != slots:
        yield f"rccar-bundle.bb: RAUC_BUNDLE_SLOTS are not {' '.join(slots)}"
    for slot in slots:
        for flag, key in (("rename", "filename"), ("adaptive", "adaptive")):
            if flags.get((slot, flag)) != wanted[f"image.{slot}"][key]:
                yield f"rccar-bundle.bb: RAUC_SLOT_{slot}[{flag}] is not {wanted[f'image.{slot}'][key]}"


def check_cameras_are_the_same_everywhere(top):
    lines = (top / "image/boards/raspberrypi-cameras.list").read_text().splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    recipe = top / "meta-rccar/recipes-bsp/rccar-boot/rccar-boot.bb"
    values = dict((name, value) for name, _, value in assignments(recipe))
    if values.get("RCCAR_CAMERAS:rpi", "").split() != wanted:
        yield "rccar-boot.bb: RCCAR_CAMERAS:rpi are not those of raspberrypi-cameras.list"
    known = (top / "crates/programs/provision/src/values/hardware.rs").read_text()
    for camera in wanted:
        if f'"{camera}"' not in known:
            yield f"raspberrypi-cameras.list: rccar-provision does not know {camera}"
        if camera not in (top / "meta-rccar/README.md").read_text():
            yield f"meta-rccar/README.md does not name {camera}"


def check_the_root_is_finished_the_same_everywhere(top):
    """What every build writes into a root after its packages."""
    wanted = ("clock-epoch", "fstab", "machine-id", "hostname", "resolv.conf", "os-release")
    for file in (
        "image/steps/50-root",
        "image/buildroot/board/rccar/post-build.sh",
        "meta-rccar/recipes-core/images/rccar-root.bb",
    ):
        text = (top / file).read_text()
        for name in wanted:
            if not re.search(rf"^(?! *rm )[^#\n]*/{re.escape(name)}\b", text, re.MULTILINE):
                yield f"{file}: the root gets no {name}"
        for word in (r"IMAGE_ID=%s\nIMAGE_VERSION=%s", "stub-resolv.conf", "echo rccar"):
            if word not in text:
                yield f"{file}: {word} is missing"


def check_a_page_that_was_built_again_is_noticed(top):
    recipe = generated(top).parent / "rccar-programs.bb"
    values = dict((name, value) for name, _, value in assignments(recipe))
    if values.get("CONFIGURE_FILES") != "${EXTERNALSRC}/web/dist":
        yield "rccar-programs.bb: CONFIGURE_FILES has no web/dist, and the old page stays in the host"


def every_check():
    import buildroot  # noqa: PLC0415 - it needs this module

    return {
        name: check
        for module in (sys.modules["checks"], buildroot)
        for name, check in vars(module).items()
        if name.startswith("check_")
    }


def main():
    top = pathlib.Path(sys.argv[1] if sys.argv[1:] else __file__).resolve()
    top = top if top.is_dir() else top.parents[2]
    faults = []
    checks = every_check()
    for name, check in checks.items():
        faults += [f"{name.removeprefix('check_').replace('_', ' ')}: {fault}" for fault in check(top)]
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        sys.exit(1)
    print(f"{len(checks)} checks found nothing")


if __name__ == "__main__":
    # Under its name, which buildroot.py imports.
    sys.modules["checks"] = sys.modules["__main__"]
    main()
