SUMMARY = "Everything that a remote-driven car runs"
DESCRIPTION = "The programs of rccar, and what they need at run time."
LICENSE = "MIT"

PACKAGE_ARCH = "${MACHINE_ARCH}"

inherit packagegroup features_check

REQUIRED_DISTRO_FEATURES = "systemd rauc"

RDEPENDS:${PN} = " \
    dosfstools \
    e2fsprogs-e2fsck \
    e2fsprogs-mke2fs \
    e2fsprogs-resize2fs \
    iproute2-ip \
    iwd \
    kernel-modules \
    rccar-car \
    rccar-drive \
    rccar-modem \
    rccar-provision \
    rccar-rauc-conf \
    rccar-update \
    util-linux-partx \
    util-linux-sfdisk \
    wireless-regdb-static \
"
# Machines recommend these to packagegroup-base only, which brings much more.
RRECOMMENDS:${PN}:rpi = " \
    linux-firmware-rpidistro-bcm43455 \
    linux-firmware-rpidistro-bcm43456 \
    udev-rules-rpi \
"
