#!/usr/bin/env python3
"""Proves that each check of checks.py finds something: takes one thing out, or puts one wrong thing
in, in a copy of the checkout, and wants the fault to be named."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import checks

TOP = pathlib.Path(__file__).resolve().parents[2]
COPIED = (
    "overlays",
    "ci/install",
    "ci/components.list",
    "Cargo.toml",
    "Cargo.lock",
    "deny.toml",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "meta-rccar",
    "image/layout.sh",
    "image/pack",
    "image/steps/50-root",
    "image/boards/raspberrypi-cameras.list",
    "crates/programs/provision/src/values/hardware.rs",
    "image/boot",
    "image/buildroot",
    "tests/packaging/buildroot.symbols",
)
PROGRAMS = "meta-rccar/recipes-rccar/rccar-programs/rccar-programs"
UNITS = "overlays/usr/lib/systemd/system"

CHECKS = checks.every_check()
BUNDLE = "meta-rccar/recipes-core/bundles/rccar-bundle.bb"
CONFIG = "image/buildroot/package/rccar/Config.in"
MAKEFILE = "image/buildroot/package/rccar/rccar.mk"
HASHES = "image/buildroot/package/rccar/rccar.hash"
DEFCONFIG = "image/buildroot/configs/rccar_rpi4_defconfig"
CARD = "image/buildroot/board/rccar/post-image.sh"

faults = []


def replace(file, old, new):
    def apply(top):
        text = (top / file).read_text()
        assert old in text, f"{file} has no {old!r}"
        (top / file).write_text(text.replace(old, new, 1))

    return apply


def append(file, text):
    return lambda top: (top / file).write_text((top / file).read_text() + text)


def create(file, text):
    def apply(top):
        (top / file).parent.mkdir(parents=True, exist_ok=True)
        (top / file).write_text(text)

    return apply


def remove(file):
    return lambda top: (top / file).unlink()


def link(file, target):
    return lambda top: (top / file).symlink_to(target)


def both(*changes):
    def apply(top):
        for change in changes:
            change(top)

    return apply


# check, what the fault must name, what is broken.
BROKEN = [
    ("lists_are_current", "crates.inc", replace("Cargo.lock", 'checksum = "', 'checksum = "0')),
    ("lists_are_current", "files.inc", both(create("overlays/etc/new", ""), append("ci/components.list", "car etc/new\n"))),
    ("lists_are_current", "belongs to no component", create("overlays/etc/new", "")),
    ("lists_are_current", "no file of overlays", append("ci/components.list", "car etc/nothing\n")),
    ("every_crate_has_its_checksum", "tokio-", replace(f"{PROGRAMS}-crates.inc", "crate://crates.io/tokio/", "crate://crates.io/tokyo/")),
    ("every_crate_has_its_checksum", "is not that of", replace("Cargo.lock", 'checksum = "', 'checksum = "0')),
    ("packages_have_what_is_installed", "in no package", replace(f"{PROGRAMS}-files.inc", "    ${datadir}/rccar/car.toml \\\n", "")),
    ("packages_have_what_is_installed", "not installed", replace(f"{PROGRAMS}-files.inc", "/rccar/car.toml", "/rccar/cat.toml")),
    ("packages_have_what_is_installed", " and ", replace(f"{PROGRAMS}-files.inc", "${datadir}/rccar/drive.toml", "${datadir}/rccar/car.toml")),
    ("no_file_is_a_package_s_and_the_appliance_s", "appliance", replace("ci/install", 'wanted=("${components[@]}")', 'wanted=("${components[@]}" rauc)')),
    ("the_list_is_what_is_installed", "car.toml", replace("ci/install", 'rm -f "$target"', 'case $target in */car.toml) continue ;; esac')),
    ("the_list_is_what_is_installed", "may write", replace("ci/install", "mode=644", "mode=666")),
    ("nothing_is_installed_twice_or_forgotten", "no component installs", replace("ci/components.list", "car usr/share/rccar/car.toml", "firmware usr/share/rccar/car.toml")),
    ("another_prefix_is_used_throughout", "below /usr", replace("ci/install", "share/rccar/", "share/rc/")),
    ("another_prefix_is_used_throughout", "nobody looks", replace("ci/install", "usr/bin/* | usr/lib/rccar/*", "usr/bin/* | usr/lib/*")),
    ("units_are_installed_and_started_once", "is not installed", remove(f"{UNITS}/rccar-trial.timer")),
    ("units_are_installed_and_started_once", "nothing starts it", remove(f"{UNITS}/multi-user.target.wants/rccar-car.service")),
    ("units_are_installed_and_started_once", "more than one", link(f"{UNITS}/sysinit.target.wants/rccar-car.service", "../rccar-car.service")),
    ("units_are_installed_and_started_once", "[Install]", append(f"{UNITS}/rccar-car.service", "[Install]\nWantedBy=multi-user.target\n")),
    ("units_are_installed_and_started_once", "in no SYSTEMD_SERVICE", replace(f"{PROGRAMS}-files.inc", 'rccar-drive = "rccar-drive.service', 'rccar-drive = "')),
    ("users_are_the_same_everywhere", "GROUPADD_PARAM", replace(f"{PROGRAMS}-files.inc", "--gid 400 gpio", "--gid 402 gpio")),
    ("users_are_the_same_everywhere", "USERADD_PARAM", replace("overlays/usr/lib/sysusers.d/rccar.conf", "rccar-car 411", "rccar-car 419")),
    ("licences_and_their_checksums", "checksum of LICENSE-MIT", append("LICENSE-MIT", "\n")),
    ("licences_and_their_checksums", "COPYING.MIT", append("meta-rccar/COPYING.MIT", "\n")),
    ("licences_and_their_checksums", "MPL-2.0", replace("deny.toml", '  "Zlib",', '  "Zlib",\n  "MPL-2.0",')),
    ("versions_are_the_workspace_s", "RCCAR_VERSION", replace("meta-rccar/conf/distro/include/rccar-release.inc", '"0', '"9')),
    ("files_of_recipes_are_there", "rccar.cfg", remove("meta-rccar/recipes-kernel/linux/files/rccar.cfg")),
    ("files_of_recipes_are_there", "rccar-raspberrypi.cfg", remove("meta-rccar/dynamic-layers/raspberrypi/recipes-kernel/linux/files/rccar-raspberrypi.cfg")),
    ("files_of_recipes_are_there", "rccar-source.inc", remove("meta-rccar/recipes-rccar/rccar-source.inc")),
    ("other_layers_stay_as_they_are_without_our_distro", "without DISTRO", replace("meta-rccar/recipes-kernel/linux/linux-yocto_%.bbappend", "append:rccar", "append")),
    ("other_layers_stay_as_they_are_without_our_distro", "only variables", append("meta-rccar/recipes-kernel/linux/linux-yocto_%.bbappend", "inherit allarch\n")),
    ("other_layers_stay_as_they_are_without_our_distro", "dynamic-layers", create("meta-rccar/recipes-core/x/other_%.bbappend", 'A:rccar = "b"\n')),
    ("other_layers_stay_as_they_are_without_our_distro", "sets MACHINE", append("meta-rccar/conf/layer.conf", 'MACHINE = "a"\n')),
    ("other_layers_stay_as_they_are_without_our_distro", "LAYERSERIES", replace("meta-rccar/conf/layer.conf", '"wrynose"', '"scarthgap"')),
    ("names_and_revisions_of_recipes", "override of itself", create("meta-rccar/recipes-rccar/rccar/rccar_1.bb", "")),
    ("names_and_revisions_of_recipes", "AUTOREV", append(f"{PROGRAMS}.bb", 'SRCREV = "${AUTOREV}"\n')),
    ("names_and_revisions_of_recipes", "opted out", append("meta-rccar/conf/distro/rccar.conf", 'DISTRO_FEATURES:remove = "x11"\n')),
    ("names_and_revisions_of_recipes", "INSANE_SKIP", append(f"{PROGRAMS}.bb", 'INSANE_SKIP:${PN} = "ldflags"\n')),
    ("recipes_of_the_appliance_skip_other_systems", "other distros", replace("meta-rccar/recipes-core/images/rccar-root.bb", "REQUIRED_DISTRO_FEATURES", "OTHER")),
    ("recipes_of_the_appliance_skip_other_systems", "other machines", replace("meta-rccar/recipes-bsp/rccar-boot/rccar-boot.bb", "COMPATIBLE_MACHINE", "OTHER")),
    ("recipes_of_the_appliance_skip_other_systems", "nothing to check", replace(f"{PROGRAMS}.bb", "REQUIRED_DISTRO_FEATURES", "OTHER")),
    ("kernel_fragments", "no line", append("meta-rccar/recipes-kernel/linux/files/rccar.cfg", "CONFIG_A=maybe\n")),
    ("kernel_fragments", "twice", append("meta-rccar/recipes-kernel/linux/files/rccar.cfg", "CONFIG_PWM=m\n")),
    ("texts_for_integrators", "maintainers", lambda top: create("meta-rccar/README.md", "patch a@b")(top)),
    ("texts_for_integrators", "another README", append("meta-rccar/README.md", "see README.rst\n")),
    ("texts_for_integrators", "no section Licence", replace("meta-rccar/README.md", "## Licence", "## Other")),
    ("texts_for_integrators", "SECURITY.md is empty", create("meta-rccar/SECURITY.md", "\n")),
    ("texts_for_integrators", "the integrator's", create("meta-rccar/conf/key.pem", "-----BEGIN PRIVATE " + "KEY-----\n")),
    ("partitions_are_the_same_everywhere", "rootA", replace("meta-rccar/files/wic/rccar.wks", "--fixed-size 256", "--fixed-size 255")),
    ("partitions_are_the_same_everywhere", "data", replace("image/layout.sh", "data 64", "data 65")),
    ("the_bundle_is_the_same_everywhere", "FORMAT", replace("image/pack", "format=verity", "format=plain")),
    ("the_bundle_is_the_same_everywhere", "SLOTS", replace(BUNDLE, '"rootfs boot"', '"rootfs"')),
    ("the_bundle_is_the_same_everywhere", "rootfs[rename]", replace("image/pack", "filename=root.img", "filename=r.img")),
    ("the_bundle_is_the_same_everywhere", "boot[adaptive]", replace(BUNDLE, 'RAUC_SLOT_boot[adaptive]', 'RAUC_SLOT_boot[other]')),
    ("cameras_are_the_same_everywhere", "RCCAR_CAMERAS", append("image/boards/raspberrypi-cameras.list", "imx500\n")),
    ("cameras_are_the_same_everywhere", "does not know imx500", append("image/boards/raspberrypi-cameras.list", "imx500\n")),
    ("cameras_are_the_same_everywhere", "does not name ov9281", replace("meta-rccar/README.md", "ov9281", "ov9282")),
    ("the_root_is_finished_the_same_everywhere", "no hostname", replace("image/steps/50-root", 'echo rccar >"$root/etc/hostname"', "echo rccar")),
    ("the_root_is_finished_the_same_everywhere", "stub-resolv", replace("image/buildroot/board/rccar/post-build.sh", "stub-resolv.conf", "resolv.conf")),
    ("the_root_is_finished_the_same_everywhere", "no machine-id", replace("meta-rccar/recipes-core/images/rccar-root.bb", "/machine-id", "/id")),
    ("a_page_that_was_built_again_is_noticed", "the old page", replace(f"{PROGRAMS}.bb", "/web/dist\"", "/web\"")),
    ("defconfigs_have_known_symbols_in_order", "BOOT_SCRIPT is gone", append(DEFCONFIG, "BR2_TARGET_UBOOT_BOOT_SCRIPT=y\n")),
    ("defconfigs_have_known_symbols_in_order", "savedefconfig", append(DEFCONFIG, "BR2_LINUX_KERNEL=y\n")),
    ("defconfigs_have_known_symbols_in_order", "no line", append(DEFCONFIG, "BR2_LINUX_KERNEL = y\n")),
    ("defconfigs_have_known_symbols_in_order", "FORCE_CHECK", replace(DEFCONFIG, "BR2_DOWNLOAD_FORCE_CHECK_HASHES=y\n", "")),
    ("defconfigs_have_known_symbols_in_order", "Config.in has no", replace(CONFIG, "config BR2_PACKAGE_RCCAR_COMPATIBLE", "config BR2_PACKAGE_RCCAR_KIND")),
    ("defconfigs_have_known_symbols_in_order", "config.txt", remove("image/buildroot/board/rccar/config.txt")),
    ("defconfigs_have_known_symbols_in_order", "are not the three", remove("image/buildroot/configs/rccar_qemu_defconfig")),
    ("config_files_keep_the_rules", "72 columns", replace(CONFIG, "\t  Updates by RAUC.", "\t  " + "Updates by RAUC. " * 5)),
    ("config_files_keep_the_rules", "with blanks", append(CONFIG, "        bool\n")),
    ("config_files_keep_the_rules", "40 characters", replace("image/buildroot/external.desc", "A car", "A car " * 9)),
    ("config_files_keep_the_rules", "has no help", append(CONFIG, "\nconfig BR2_PACKAGE_RCCAR_X\n\tbool \"x\"\n")),
    ("every_text_is_clean", "end of a line", append(MAKEFILE, "# a \n")),
    ("every_text_is_clean", "one newline", append(CONFIG, "\n")),
    ("every_text_is_clean", "nobody may run", lambda top: (top / CARD).chmod(0o644)),
    ("every_text_is_clean", "no program", lambda top: (top / MAKEFILE).chmod(0o755)),
    ("makefiles_keep_the_rules", "head", replace(MAKEFILE, "# rccar\n", "# car\n")),
    ("makefiles_keep_the_rules", "begins with its name", append(MAKEFILE, "OTHER = 1\n")),
    ("makefiles_keep_the_rules", "with blanks", append(MAKEFILE, "  x\n")),
    ("makefiles_keep_the_rules", "no package", replace(MAKEFILE, "$(cargo-package)", "$(generic-package)")),
    ("makefiles_keep_the_rules", "RCCAR_VERSION", replace(MAKEFILE, "RCCAR_VERSION = ", "RCCAR_VERSION = 9.")),
    ("hashes_are_right", "is wrong", append("LICENSE-APACHE", "\n")),
    ("hashes_are_right", "come from", replace(HASHES, "# Locally calculated", "# From upstream")),
    ("hashes_are_right", "two blanks", replace(HASHES, "sha256  ", "sha256 ")),
    ("hashes_are_right", "only one", replace(MAKEFILE, "LICENSE-APACHE LICENSE-MIT", "LICENSE-MIT")),
    ("components_are_those_of_the_list", "its components", replace(MAKEFILE, "+= update", "+= updates")),
    ("components_are_those_of_the_list", "Config.in has no", replace(CONFIG, "config BR2_PACKAGE_RCCAR_HOST", "config BR2_PACKAGE_RCCAR_GUEST")),
    ("components_are_those_of_the_list", "firmware", replace(CARD, 'COMPONENTS="firmware"', 'COMPONENTS="car"')),
    ("users_are_those_of_the_table", "groups", replace(MAKEFILE, "gpio 400", "gpio 402")),
    ("users_are_those_of_the_table", "users", replace(MAKEFILE, "rccar-car 411 rccar-car", "rccar-car 419 rccar-car")),
    ("users_are_those_of_the_table", "nine fields", replace(MAKEFILE, "* - - - Pins", "* - -")),
    ("the_card_has_the_same_partitions", "layout.sh has", replace(CARD, "$(field size)s", "$(field start)s")),
    ("partitions_are_the_same_everywhere", "4 MiB", replace("meta-rccar/files/wic/rccar.wks", "--align 4096", "--align 1024")),
]


def copy(target):
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *COPIED],
        cwd=TOP,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if not (TOP / name).is_symlink() and not (TOP / name).exists():
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(TOP / name, target / name, follow_symlinks=False)


def findings(name, top):
    try:
        return list(CHECKS[f"check_{name}"](top))
    except (RuntimeError, subprocess.CalledProcessError, FileNotFoundError) as error:
        return [str(error)]


def main():
    # In memory, where there is such a place: fifty copies are made.
    memory = "/dev/shm" if pathlib.Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        whole = pathlib.Path(folder, "whole")
        copy(whole)
        for name, wanted, change in BROKEN:
            top = pathlib.Path(folder, "broken")
            shutil.copytree(whole, top, symlinks=True)
            change(top)
            found = findings(name, top)
            if not any(wanted in fault for fault in found):
                faults.append(f"{name}: nothing says {wanted!r}, but {found[:3]}")
            shutil.rmtree(top)
    unproved = {name.removeprefix("check_") for name in CHECKS}
    unproved -= {name for name, _, _ in BROKEN}
    faults.extend(f"{name}: nobody proves that it finds anything" for name in sorted(unproved))
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        sys.exit(1)
    print(f"{len(BROKEN)} faults were put in, and each was found")


if __name__ == "__main__":
    main()
