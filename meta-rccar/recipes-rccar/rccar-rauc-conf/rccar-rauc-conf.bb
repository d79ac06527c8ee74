SUMMARY = "RAUC's configuration for the slots of the card, and whom the car trusts"
DESCRIPTION = "The keyring is the integrator's: RAUC_KEYRING_FILE names it. \
Without it nothing can be signed for the car, so there is no default."
SECTION = "base"
LICENSE = "MIT | Apache-2.0"

require recipes-rccar/rccar-source.inc

inherit features_check

REQUIRED_DISTRO_FEATURES = "rauc"

INHIBIT_DEFAULT_DEPS = "1"
PACKAGE_ARCH = "${MACHINE_ARCH}"

RAUC_KEYRING_FILE ??= ""
RCCAR_COMPATIBLE ?= "rccar-${MACHINE}"

do_configure[noexec] = "1"
do_compile[noexec] = "1"
do_install[file-checksums] += "${@'${RAUC_KEYRING_FILE}:True' if os.path.isabs(d.getVar('RAUC_KEYRING_FILE') or '') else ''}"

do_install() {
    [ -f "${RAUC_KEYRING_FILE}" ] ||
        bbfatal "RAUC_KEYRING_FILE=\"${RAUC_KEYRING_FILE}\" names no file: set it to the certificates that the car trusts (README.md of meta-rccar)"
    oe_runmake -C ${S} install DESTDIR=${D} COMPONENTS="rauc"
    sed -i 's/^compatible=.*/compatible=${RCCAR_COMPATIBLE}/' ${D}${sysconfdir}/rauc/system.conf
    # RAUC asks for revoked keys only where it is told to, and then refuses a keyring without a list.
    if grep -q 'BEGIN X509 CRL' "${RAUC_KEYRING_FILE}"; then
        sed -i 's/^check-purpose=.*/&\ncheck-crl=true/' ${D}${sysconfdir}/rauc/system.conf
    fi
    install -m 0644 "${RAUC_KEYRING_FILE}" ${D}${sysconfdir}/rauc/keyring.pem
}

RPROVIDES:${PN} += "virtual-rauc-conf"
RCONFLICTS:${PN} = "rauc-conf"
