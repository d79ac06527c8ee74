SUMMARY = "Settings of the whole appliance"
DESCRIPTION = "Masks, presets, network, journal and watchdog. They replace files of other packages, \
so they are no package but an archive that the image lays over its root."
SECTION = "base"
LICENSE = "MIT | Apache-2.0"

require recipes-rccar/rccar-source.inc

inherit deploy nopackages

INHIBIT_DEFAULT_DEPS = "1"

do_configure[noexec] = "1"
do_compile[noexec] = "1"
do_install[noexec] = "1"

do_deploy() {
    rm -rf ${WORKDIR}/appliance
    oe_runmake -C ${S} install DESTDIR=${WORKDIR}/appliance COMPONENTS="appliance"
    tar -C ${WORKDIR}/appliance --sort=name --owner=0 --group=0 --numeric-owner --mtime=@${SOURCE_DATE_EPOCH} \
        -cf ${DEPLOYDIR}/rccar-appliance.tar .
}
addtask deploy after do_install before do_build
