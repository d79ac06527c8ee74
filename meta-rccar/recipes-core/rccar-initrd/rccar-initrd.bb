SUMMARY = "First program of the card"
DESCRIPTION = "Finds the slot's root, opens it by dm-verity, repairs and mounts the data partition. \
The drivers that it needs are in the kernel."
SECTION = "base"
LICENSE = "MIT | Apache-2.0"

require recipes-rccar/rccar-source.inc

INHIBIT_DEFAULT_DEPS = "1"

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -d ${D}${sysconfdir} ${D}/newroot
    install -m 0755 ${S}/image/initrd/init ${D}/init
    for file in lib.sh root.sh data.sh data.options; do
        install -m 0644 ${S}/image/initrd/$file ${D}${sysconfdir}/
    done
    # Lists of modules to load: there are none.
    : >${D}${sysconfdir}/modules
    : >${D}${sysconfdir}/modules-usb
}

FILES:${PN} += "/init /newroot"

RDEPENDS:${PN} = "busybox libdevmapper"
