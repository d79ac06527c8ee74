FILESEXTRAPATHS:prepend:rccar := "${THISDIR}/files:"

SRC_URI:append:rccar:rpi = " file://rccar.cfg"
