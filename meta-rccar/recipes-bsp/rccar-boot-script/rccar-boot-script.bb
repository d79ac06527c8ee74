SUMMARY = "Boot script, boot state and first files of a new card"
DESCRIPTION = "The script of U-Boot that chooses the slot and counts its attempts, the state that it \
keeps, the template of provision.toml, and an empty data partition."
SECTION = "bsp"
LICENSE = "MIT | Apache-2.0"

require recipes-rccar/rccar-source.inc

inherit deploy nopackages

COMPATIBLE_MACHINE = "^(rpi|qemuarm64)$"

DEPENDS += "e2fsprogs-native u-boot-tools-native"
PROVIDES += "u-boot-default-script"

INHIBIT_DEFAULT_DEPS = "1"
PACKAGE_ARCH = "${MACHINE_ARCH}"

do_configure[noexec] = "1"
do_compile[cleandirs] = "${WORKDIR}/card"
do_install[noexec] = "1"

do_compile() {
    oe_runmake -C ${S} install DESTDIR=${WORKDIR}/card COMPONENTS="firmware"
    bash ${S}/image/pack state ${WORKDIR}/env.img
    bash -c '. ${S}/image/layout.sh && layout >/dev/null && \
        ${S}/image/pack data ${WORKDIR}/data.img $((size[data] / 2048)) $DATA_ID $DATA_SEED'
}

do_deploy() {
    install -m 0644 ${WORKDIR}/card/boot/firmware/boot.scr ${WORKDIR}/card/boot/firmware/provision.toml ${DEPLOYDIR}/
    install -m 0644 ${WORKDIR}/env.img ${DEPLOYDIR}/rccar-env.img
    install -m 0644 ${WORKDIR}/data.img ${DEPLOYDIR}/rccar-data.img
}
addtask deploy after do_compile before do_build
