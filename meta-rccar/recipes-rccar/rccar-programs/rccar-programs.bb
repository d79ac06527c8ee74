SUMMARY = "Programs of a remote-driven car"
DESCRIPTION = "Camera, encoder and WebRTC of the car, the process that owns its actuators, \
the supervisor of its mobile link, its updates and its set-up; on demand the signaling host."
SECTION = "net"

# Ours, and what is linked in.
LICENSE = "(MIT | Apache-2.0) & BSD-2-Clause & BSD-3-Clause & ISC & Unicode-3.0 & Zlib"

require recipes-rccar/rccar-source.inc
require rccar-programs-crates.inc
require rccar-programs-files.inc

inherit cargo pkgconfig systemd useradd features_check

REQUIRED_DISTRO_FEATURES = "systemd"

# host: also compiles rccar-host, which a car has no use for.
PACKAGECONFIG ??= "libcamera"
PACKAGECONFIG[libcamera] = "--features rccar/libcamera,,libcamera clang-native"
PACKAGECONFIG[host] = "--package rccar-host,,,"

# The profile and the linker's option of the reference image: small programs, because they travel
# over a mobile link. cargo.bbclass passes --release, which cargo refuses beside a profile.
BUILD_MODE = "--profile image"
BUILD_DIR = "image"
CARGO_BUILD_FLAGS += "--bins --package rccar --package rccar-drive"
RUSTFLAGS += "-C link-arg=-Wl,-z,pack-relative-relocs"
# OpenEmbedded strips, and keeps the symbols for -dbg.
export CARGO_PROFILE_IMAGE_STRIP = "none"
export LIBCLANG_PATH = "${STAGING_LIBDIR_NATIVE}"
export BINDGEN_EXTRA_CLANG_ARGS = "${HOST_CC_ARCH}${TOOLCHAIN_OPTIONS} --target=${TARGET_SYS}"
# C and C++ of crates is compiled where cargo keeps them.
DEBUG_PREFIX_MAP:append = " -ffile-prefix-map=${CARGO_HOME}=${TARGET_DBGSRC_DIR}/cargo_home"

RCCAR_COMPONENTS = "car drive modem update provision ${@bb.utils.filter('PACKAGECONFIG', 'host', d)}"
RCCAR_PROGRAMS = "rccar rccar-drive ${@bb.utils.contains('PACKAGECONFIG', 'host', 'rccar-host', '', d)}"

# externalsrc sees a change of what git tracks, and the page is not tracked.
CONFIGURE_FILES = "${EXTERNALSRC}/web/dist"

do_configure:prepend() {
    [ -e ${S}/web/dist/index.html ] || bbfatal "${S}/web/dist is missing: run \`make web\` there, or take a release's archive"
}

do_install() {
    oe_runmake -C ${S} install DESTDIR=${D} PREFIX=${prefix} BINDIR=${B}/target/${CARGO_TARGET_SUBDIR} \
        PROGRAMS="${RCCAR_PROGRAMS}" COMPONENTS="${RCCAR_COMPONENTS}"
}

# The units are linked in the targets that want them, by the packages themselves.
SYSTEMD_AUTO_ENABLE = "disable"

RDEPENDS:rccar-car = "ca-certificates rccar-common rccar-multicall"
RDEPENDS:rccar-host = "ca-certificates"
RDEPENDS:rccar-drive = "rccar-common"
RDEPENDS:rccar-modem = "modemmanager ppp rccar-common rccar-multicall"
RDEPENDS:rccar-provision = "dropbear rccar-common rccar-multicall"
RDEPENDS:rccar-update = "ca-certificates libubootenv-bin rauc rccar-common rccar-multicall"
RRECOMMENDS:rccar-car = "${@bb.utils.contains('PACKAGECONFIG', 'libcamera', 'libcamera', '', d)}"
