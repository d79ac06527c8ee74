FILESEXTRAPATHS:prepend:rccar := "${THISDIR}/files:"

SRC_URI:append:rccar = " file://rccar.cfg"
