SUMMARY = "Signed update of a car"
DESCRIPTION = "Both halves of a slot, for RAUC. RAUC_KEY_FILE and RAUC_CERT_FILE are the integrator's."
LICENSE = "MIT"

require conf/distro/include/rccar-release.inc

PV = "${RCCAR_VERSION}"

inherit bundle features_check

REQUIRED_DISTRO_FEATURES = "rauc"
COMPATIBLE_MACHINE = "^(rpi|qemuarm64)$"

RCCAR_COMPATIBLE ?= "rccar-${MACHINE}"

RAUC_BUNDLE_COMPATIBLE = "${RCCAR_COMPATIBLE}"
RAUC_BUNDLE_VERSION = "${PV}"
RAUC_BUNDLE_FORMAT = "verity"
# The default is the time of the build, and no build would be like another.
RAUC_BUNDLE_BUILD = "${PV}"
RAUC_BUNDLE_SLOTS = "rootfs boot"
# block-hash-index: a car fetches only the 4 KiB blocks that neither of its slots has.
RAUC_SLOT_rootfs = "rccar-root"
RAUC_SLOT_rootfs[file] = "rccar-root-${MACHINE}.rootfs.squashfs-zst.verity"
RAUC_SLOT_rootfs[rename] = "root.img"
RAUC_SLOT_rootfs[adaptive] = "block-hash-index"
RAUC_SLOT_boot = "rccar-boot"
RAUC_SLOT_boot[type] = "boot"
RAUC_SLOT_boot[file] = "rccar-boot.img"
RAUC_SLOT_boot[rename] = "boot.img"
RAUC_SLOT_boot[adaptive] = "block-hash-index"
# The root is compressed already.
RCCAR_INTERMEDIATE_FILE ?= ""
RCCAR_INTERMEDIATE_FILE[doc] = "Certificates between RAUC_CERT_FILE and what is in the keyring."
BUNDLE_ARGS += "${@'--intermediate=' + d.getVar('RCCAR_INTERMEDIATE_FILE') if d.getVar('RCCAR_INTERMEDIATE_FILE') else ''}"
BUNDLE_ARGS += "--mksquashfs-args='-b 64K -comp zstd -Xcompression-level 3'"
