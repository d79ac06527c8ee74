"""The checks of image/buildroot; checks.py runs them with its own."""

import hashlib
import re

from checks import layout, short, subprocess, system_users

COLUMNS = 80


def tree(top):
    return top / "image/buildroot"


def symbols(top):
    """Symbols of upstream in their order, and those of our own Config.in."""
    known = (top / "tests/packaging/buildroot.symbols").read_text().splitlines()
    ours = re.findall(r"^(?:menu)?config (\w+)$", (tree(top) / "package/rccar/Config.in").read_text(), re.MULTILINE)
    return [name for name in known if name and not name.startswith("#")], ours


def check_defconfigs_have_known_symbols_in_order(top):
    known, ours = symbols(top)
    order = {name: number for number, name in enumerate(known)}
    files = sorted((tree(top) / "configs").glob("*_defconfig"))
    if [path.name for path in files] != ["rccar_qemu_defconfig", "rccar_rpi4_defconfig", "rccar_rpi5_defconfig"]:
        yield f"image/buildroot/configs: {[path.name for path in files]} are not the three that the texts name"
    for path in files:
        last = -1
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.fullmatch(r'(?:(BR2_\w+)=(?:y|\d+|"[^"]*")|# (BR2_\w+) is not set)', line)
            name = found and (found[1] or found[2])
            if not name:
                yield f"{short(top, path)}:{number}: this is no line of a defconfig: {line}"
            elif name not in order:
                what = "BR2_TARGET_UBOOT_BOOT_SCRIPT is gone" if "BOOT_SCRIPT" in name else "nobody has looked it up"
                yield f"{short(top, path)}:{number}: {name} is not in buildroot.symbols: {what}"
            elif order[name] <= last:
                yield f"{short(top, path)}:{number}: {name} is not where savedefconfig would write it"
            else:
                last = order[name]
            if name and name.startswith("BR2_PACKAGE_RCCAR") and name not in ours:
                yield f"{short(top, path)}:{number}: Config.in has no {name}"
        text = path.read_text()
        for wanted in ("BR2_DOWNLOAD_FORCE_CHECK_HASHES=y", "BR2_INIT_SYSTEMD=y", "BR2_PACKAGE_RCCAR=y"):
            if f"{wanted}\n" not in text:
                yield f"{short(top, path)}: {wanted} is missing"
        for file in re.findall(r"\$\(BR2_EXTERNAL_RCCAR_PATH\)/([^\s\"]+)", text):
            if not (tree(top) / file).is_file():
                yield f"{short(top, path)}: there is no {file}"


def check_config_files_keep_the_rules(top):
    for path in sorted(tree(top).rglob("Config.in")):
        helping = False
        for number, line in enumerate(path.read_text().splitlines(), 1):
            where = f"{short(top, path)}:{number}"
            helping = helping and (not line or line.startswith("\t  "))
            if helping and len(line.expandtabs(8)) > 72:
                yield f"{where}: help has 72 columns"
            elif len(line.expandtabs(8)) > COLUMNS:
                yield f"{where}: wider than {COLUMNS} columns"
            if re.match(r" +\S", line):
                yield f"{where}: indented with blanks"
            helping = helping or line == "\thelp"
    description = (tree(top) / "external.desc").read_text()
    found = re.fullmatch(r"name: (\w+)\ndesc: (.+)\n", description)
    if not found or found[1] != "RCCAR" or len(found[2]) > 40:
        yield "external.desc: it is name: RCCAR and desc: with 40 characters at most"
    config = (tree(top) / "package/rccar/Config.in").read_text()
    for block in re.split(r"\n(?=(?:menu)?config )", config):
        if "config " in block and "\thelp\n" not in block:
            yield f"package/rccar/Config.in: {block.split()[1]} has no help"


def check_every_text_is_clean(top):
    for path in sorted(tree(top).rglob("*")):
        if not path.is_file():
            continue
        text = path.read_text()
        if re.search(r"[ \t]$", text, re.MULTILINE):
            yield f"{short(top, path)}: blanks at the end of a line"
        if not text.endswith("\n") or text.endswith("\n\n"):
            yield f"{short(top, path)}: it ends with one newline"
        if path.suffix == ".sh" and not path.stat().st_mode & 0o100:
            yield f"{short(top, path)}: nobody may run it"
        if path.suffix != ".sh" and path.stat().st_mode & 0o111:
            yield f"{short(top, path)}: it is no program"


def check_makefiles_keep_the_rules(top):
    path = tree(top) / "package/rccar/rccar.mk"
    lines = path.read_text().splitlines()
    if lines[:5] != ["#" * 80, "#", "# rccar", "#", "#" * 80] or lines[5]:
        yield f"{short(top, path)}: the head of five lines with the package's name is missing"
    for number, line in enumerate(lines, 1):
        if line.startswith(" "):
            yield f"{short(top, path)}:{number}: indented with blanks"
        if re.match(r"[A-Z_-]+(\$\([\w]+\))? *[+:?]?=", line) and not line.startswith("RCCAR_"):
            yield f"{short(top, path)}:{number}: a variable of a package begins with its name"
    if not re.search(r"^\$\(eval \$\(cargo-package\)\)$", path.read_text(), re.MULTILINE):
        yield f"{short(top, path)}: it makes no package"
    version = re.search(r"^RCCAR_VERSION = (\S+)$", path.read_text(), re.MULTILINE)
    wanted = re.search(r'^version = "(.*)"$', (top / "Cargo.toml").read_text(), re.MULTILINE)[1]
    if not version or version[1] != wanted:
        yield f"{short(top, path)}: RCCAR_VERSION is not the workspace's {wanted}"


def check_hashes_are_right(top):
    path = tree(top) / "package/rccar/rccar.hash"
    lines = path.read_text().splitlines()
    if lines[0] != "# Locally calculated":
        yield f"{short(top, path)}: it begins with where its hashes come from"
    files = {}
    for line in lines[1:]:
        found = re.fullmatch(r"sha256  ([0-9a-f]{64})  (\S+)", line)
        if not found:
            yield f"{short(top, path)}: two blanks stand between its fields: {line}"
        else:
            files[found[2]] = found[1]
    makefile = (path.parent / "rccar.mk").read_text()
    named = re.search(r"^RCCAR_LICENSE_FILES = (.*)$", makefile, re.MULTILINE)[1].split()
    for name in sorted(files.keys() ^ set(named)):
        yield f"{short(top, path)}: only one of it and RCCAR_LICENSE_FILES has {name}"
    for name, wanted in files.items():
        if (top / name).is_file() and hashlib.sha256((top / name).read_bytes()).hexdigest() != wanted:
            yield f"{short(top, path)}: the hash of {name} is wrong"


def check_components_are_those_of_the_list(top):
    """Every component with a program has its option, and the appliance is laid over the root."""
    makefile = (tree(top) / "package/rccar/rccar.mk").read_text()
    _, ours = symbols(top)
    named = dict(re.findall(r"^RCCAR_COMPONENTS-\$\((BR2_PACKAGE_RCCAR_\w+)\) \+= (\w+)$", makefile, re.MULTILINE))
    wanted = {f"BR2_PACKAGE_RCCAR_{name.upper()}": name for name in ("car", "drive", "host", "modem", "provision", "update")}
    if named != wanted:
        yield f"rccar.mk: its components are {sorted(named.values())}"
    for name in sorted(named.keys() - set(ours)):
        yield f"rccar.mk: Config.in has no {name}"
    others = set()
    for script in sorted(tree(top).rglob("*.sh")):
        for listed in re.findall(r'COMPONENTS="([\w ]+)"', script.read_text()):
            others |= set(listed.split())
    missing = {"rauc", "firmware", "appliance"} ^ others
    for name in sorted(missing):
        yield f"board/rccar: the scripts install {sorted(others)}, and {name} is missing or a package's"


def check_users_are_those_of_the_table(top):
    groups, users = {}, {}
    for table in ("rccar.conf", "rccar-host.conf"):
        for found, named in zip((groups, users), system_users(top, table)):
            found.update(named)
    makefile = (tree(top) / "package/rccar/rccar.mk").read_text()
    table = re.search(r"^define RCCAR_USERS\n(.*?)\nendef$", makefile, re.MULTILINE | re.DOTALL)[1]
    found_groups, found_users = {}, {}
    for line in table.splitlines():
        name, uid, group, gid = line.split()[:4]
        found_groups[group] = gid
        if name != "-":
            found_users[name] = uid
        if len(line.split()) < 9:
            yield f"rccar.mk: a line of RCCAR_USERS has nine fields: {line.strip()}"
    if found_groups != groups:
        yield "rccar.mk: RCCAR_USERS and sysusers.d do not have the same groups"
    if found_users != users:
        yield "rccar.mk: RCCAR_USERS and sysusers.d do not have the same users"


def check_the_card_has_the_same_partitions(top):
    """What post-image.sh writes for genimage, compared with image/layout.sh."""
    script = (tree(top) / "board/rccar/post-image.sh").read_text()
    parts = re.search(r"^write_genimage\(\) \{.*?^\}\nfield\(\) .*?$", script, re.MULTILINE | re.DOTALL)
    if not parts:
        yield "post-image.sh: write_genimage was not found"
        return
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f". image/layout.sh\n{parts[0]}\nwrite_genimage"],
        cwd=top, capture_output=True, text=True, check=False,
    )
    found = re.findall(
        r'partition (\w+) \{\n\t\toffset = (\d+)s\n\t\tsize = (\d+)s\n\t\tpartition-type-uuid = "(\S+)"\n\t\tpartition-uuid = "(\S+)"',
        done.stdout,
    )
    wanted = layout(top)
    if [(name, int(size) // 2048, kind, uuid) for name, _, size, kind, uuid in found] != wanted:
        yield f"post-image.sh: genimage's partitions are {found}, image/layout.sh has {wanted} {done.stderr}"
    at = 8192
    for name, offset, size, _, _ in found:
        if int(offset) != at:
            yield f"post-image.sh: {name} begins at {offset} and not at {at}"
        at = int(offset) + int(size)
