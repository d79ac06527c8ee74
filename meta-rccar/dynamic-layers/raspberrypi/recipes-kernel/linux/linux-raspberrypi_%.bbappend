FILESEXTRAPATHS:prepend:rccar := "${THISDIR}/files:${THISDIR}/../../../../recipes-kernel/linux/files:"

SRC_URI:append:rccar = " file://rccar.cfg file://rccar-raspberrypi.cfg"
