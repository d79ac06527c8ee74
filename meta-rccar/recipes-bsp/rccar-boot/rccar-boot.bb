SUMMARY = "Boot half of a slot"
DESCRIPTION = "Kernel, device-tree overlays, and the initial RAM disk with the hash of the root that \
it belongs to, as a FAT file system."
SECTION = "bsp"
LICENSE = "MIT | Apache-2.0"

require recipes-rccar/rccar-source.inc

inherit deploy nopackages features_check

REQUIRED_DISTRO_FEATURES = "rauc"
COMPATIBLE_MACHINE = "^(rpi|qemuarm64)$"

DEPENDS += "dosfstools-native mtools-native"

INHIBIT_DEFAULT_DEPS = "1"
PACKAGE_ARCH = "${MACHINE_ARCH}"

# Cameras that provision.toml may name, by the overlays of Raspberry Pi's kernel
# (image/boards/raspberrypi-cameras.list).
RCCAR_CAMERAS ?= ""
RCCAR_CAMERAS:rpi ?= "imx219 imx290 imx296 imx477 imx708 ov5647 ov9281"

do_configure[noexec] = "1"
do_compile[depends] += "rccar-initramfs:do_image_complete rccar-root:do_image_complete virtual/kernel:do_deploy"
do_compile[cleandirs] = "${WORKDIR}/slot"
do_install[noexec] = "1"

do_compile() {
    . ${DEPLOY_DIR_IMAGE}/rccar-root-${MACHINE}.rootfs.squashfs-zst.verity-params
    printf 'blocks=%s\nhash_start=%s\nsalt=%s\nroot_hash=%s\n' \
        "$VERITY_DATA_BLOCKS" "$VERITY_DATA_BLOCKS" "$VERITY_SALT" "$VERITY_ROOT_HASH" >${WORKDIR}/verity
    bash ${S}/image/pack initrd ${WORKDIR}/verity ${DEPLOY_DIR_IMAGE}/rccar-initramfs-${MACHINE}.cpio.zst >${WORKDIR}/slot/initrd.img
    gzip -9 -n -c ${DEPLOY_DIR_IMAGE}/${KERNEL_IMAGETYPE} >${WORKDIR}/slot/Image.gz
    for camera in ${RCCAR_CAMERAS}; do
        for chip in brcm,bcm2711 brcm,bcm2712; do
            install -D -m 0644 ${DEPLOY_DIR_IMAGE}/$camera.dtbo ${WORKDIR}/slot/overlays/$chip/camera-$camera.dtbo
        done
    done
    bash ${S}/image/pack fat ${WORKDIR}/boot.img boot ${WORKDIR}/slot
}

do_deploy() {
    install -m 0644 ${WORKDIR}/boot.img ${DEPLOYDIR}/rccar-boot.img
    install -m 0644 ${DEPLOY_DIR_IMAGE}/rccar-root-${MACHINE}.rootfs.squashfs-zst.verity ${DEPLOYDIR}/rccar-root.img
}
addtask deploy after do_compile before do_build
