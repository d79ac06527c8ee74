SUMMARY = "The card: firmware, two slots, data"
DESCRIPTION = "A disk image for an SD card, with slot A filled."
LICENSE = "MIT"

require conf/distro/include/rccar-release.inc

PV = "${RCCAR_VERSION}"

inherit image features_check

REQUIRED_DISTRO_FEATURES = "systemd rauc"
COMPATIBLE_MACHINE = "^(rpi|qemuarm64)$"

# The root of the card is rccar-root's.
PACKAGE_INSTALL = ""
IMAGE_FEATURES = ""
IMAGE_LINGUAS = ""
IMAGE_FSTYPES = "wic.zst wic.bmap"
WKS_FILE = "rccar.wks"
# The default for aarch64 builds boot loaders that nothing uses.
WKS_FILE_DEPENDS = "dosfstools-native e2fsprogs-native mtools-native"

do_image_wic[depends] += " \
    rccar-boot-script:do_deploy \
    rccar-boot:do_deploy \
    rccar-root:do_image_complete \
    virtual/bootloader:do_deploy \
"
