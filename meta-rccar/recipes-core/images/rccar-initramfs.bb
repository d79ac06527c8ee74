SUMMARY = "Initial RAM disk of the slots, the part that all have in common"
DESCRIPTION = "BusyBox, dmsetup and rccar-initrd. rccar-boot packs it into a slot, behind the hash of its root."
LICENSE = "MIT"

inherit core-image features_check

REQUIRED_DISTRO_FEATURES = "rauc"
COMPATIBLE_MACHINE = "^(rpi|qemuarm64)$"

PACKAGE_INSTALL = "busybox rccar-initrd"
IMAGE_FEATURES = ""
IMAGE_LINGUAS = ""
IMAGE_FSTYPES = "cpio.zst"
IMAGE_NAME_SUFFIX = ""
# It is packed into the slot by rccar-boot, and is in rccar-root's bill of materials by its packages.
IMAGE_ROOTFS_SIZE = "8192"
IMAGE_ROOTFS_EXTRA_SPACE = "0"

create_mount_points() {
    install -d ${IMAGE_ROOTFS}/dev ${IMAGE_ROOTFS}/proc ${IMAGE_ROOTFS}/run ${IMAGE_ROOTFS}/sys ${IMAGE_ROOTFS}/tmp
}
ROOTFS_POSTPROCESS_COMMAND += "create_mount_points"
