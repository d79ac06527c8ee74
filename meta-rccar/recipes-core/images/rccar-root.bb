SUMMARY = "Root of a slot"
DESCRIPTION = "A read-only squashfs with dm-verity's hash tree behind it. \
rccar-image and rccar-bundle put it onto cards."
LICENSE = "MIT"

require conf/distro/include/rccar-release.inc

PV = "${RCCAR_VERSION}"

inherit core-image features_check

REQUIRED_DISTRO_FEATURES = "systemd rauc"
COMPATIBLE_MACHINE = "^(rpi|qemuarm64)$"

IMAGE_INSTALL = "packagegroup-core-boot packagegroup-rccar"
IMAGE_FEATURES = "read-only-rootfs"
IMAGE_LINGUAS = ""
IMAGE_FSTYPES = "squashfs-zst verity"
EXTRA_IMAGECMD:squashfs-zst = "-b 1M -Xcompression-level 19"

VERITY_IMAGE_FSTYPE = "squashfs-zst"
# No secret, and always the same, so that equal blocks of two releases stay equal.
VERITY_SALT = "${@__import__('hashlib').sha256(d.getVar('RCCAR_COMPATIBLE').encode()).hexdigest()}"

RCCAR_COMPATIBLE ?= "rccar-${MACHINE}"

do_rootfs[depends] += "rccar-appliance:do_deploy"

# What image/steps/50-root does to the reference image's root.
finish_appliance() {
    tar -C ${IMAGE_ROOTFS} --no-same-owner -xf ${DEPLOY_DIR_IMAGE}/rccar-appliance.tar
    touch -d @${REPRODUCIBLE_TIMESTAMP_ROOTFS} ${IMAGE_ROOTFS}${nonarch_libdir}/clock-epoch
    : >${IMAGE_ROOTFS}${sysconfdir}/fstab
    : >${IMAGE_ROOTFS}${sysconfdir}/machine-id
    echo rccar >${IMAGE_ROOTFS}${sysconfdir}/hostname
    ln -sf ../run/systemd/resolve/stub-resolv.conf ${IMAGE_ROOTFS}${sysconfdir}/resolv.conf
    printf 'IMAGE_ID=%s\nIMAGE_VERSION=%s\n' "${RCCAR_COMPATIBLE}" "${PV}" >>${IMAGE_ROOTFS}${nonarch_libdir}/os-release
    # The initial RAM disk calls it by the path that Debian has.
    ln -sf ${sbindir}/partx ${IMAGE_ROOTFS}${bindir}/partx
}
ROOTFS_POSTPROCESS_COMMAND += "finish_appliance"
