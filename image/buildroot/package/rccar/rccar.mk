################################################################################
#
# rccar
#
################################################################################

RCCAR_VERSION = 0.1.0
# The tree that this folder is in. What a checkout has beside it is not copied.
RCCAR_SITE = $(BR2_EXTERNAL_RCCAR_PATH)/../..
RCCAR_SITE_METHOD = local
RCCAR_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS = \
	--exclude node_modules --exclude /out --exclude /target
RCCAR_LICENSE = MIT or Apache-2.0
RCCAR_LICENSE_FILES = LICENSE-APACHE LICENSE-MIT

# Components that have a package here; the rest belongs to the appliance and is
# laid over the whole root by board/rccar/post-build.sh.
RCCAR_COMPONENTS-$(BR2_PACKAGE_RCCAR_CAR) += car
RCCAR_COMPONENTS-$(BR2_PACKAGE_RCCAR_DRIVE) += drive
RCCAR_COMPONENTS-$(BR2_PACKAGE_RCCAR_HOST) += host
RCCAR_COMPONENTS-$(BR2_PACKAGE_RCCAR_MODEM) += modem
RCCAR_COMPONENTS-$(BR2_PACKAGE_RCCAR_PROVISION) += provision
RCCAR_COMPONENTS-$(BR2_PACKAGE_RCCAR_UPDATE) += update

# One file holds all but the drive and the host.
RCCAR_PROGRAMS = \
	$(if $(filter-out drive host,$(RCCAR_COMPONENTS-y)),rccar) \
	$(addprefix rccar-,$(filter drive host,$(RCCAR_COMPONENTS-y)))

RCCAR_CARGO_BUILD_OPTS = --bins $(addprefix --package ,$(RCCAR_PROGRAMS))
# As in the profile of the reference image; the infrastructure sets the others.
RCCAR_CARGO_ENV = \
	CARGO_PROFILE_RELEASE_CODEGEN_UNITS="1" \
	CARGO_PROFILE_RELEASE_LTO="fat" \
	CARGO_PROFILE_RELEASE_OPT_LEVEL="s"

ifeq ($(BR2_PACKAGE_RCCAR_LIBCAMERA),y)
RCCAR_DEPENDENCIES += host-clang host-pkgconf libcamera
RCCAR_CARGO_BUILD_OPTS += --features rccar/libcamera
RCCAR_CARGO_ENV += \
	LIBCLANG_PATH="$(HOST_DIR)/lib" \
	BINDGEN_EXTRA_CLANG_ARGS="--target=$(GNU_TARGET_NAME) --sysroot=$(STAGING_DIR)"
endif

# The same numbers as in overlays/usr/lib/sysusers.d.
define RCCAR_USERS
	- - gpio 400 * - - - Pins
	- - i2c 401 * - - - Buses
	rccar-drive 410 rccar-drive 410 * - /sbin/nologin - Steering and motor of the car
	rccar-car 411 rccar-car 411 * - /sbin/nologin - The car, camera and connection
	rccar-update 412 rccar-update 412 * - /sbin/nologin - Updates of the car
	rccar-modem 413 rccar-modem 413 * - /sbin/nologin - Supervisor of the mobile link
	rccar-host 414 rccar-host 414 * - /sbin/nologin - Signaling host
endef

define RCCAR_CHECK_SOURCES
	@test -d $(@D)/VENDOR && test -e $(@D)/web/dist/index.html || { \
		echo "rccar: $(RCCAR_SITE) has no crates or no page: unpack rccar-<version>-vendored.tar.xz and use its image/buildroot"; \
		exit 1; \
	}
endef
RCCAR_PRE_BUILD_HOOKS += RCCAR_CHECK_SOURCES

define RCCAR_INSTALL_TARGET_CMDS
	$(MAKE) -C $(@D) install DESTDIR=$(TARGET_DIR) \
		BINDIR=$(@D)/target/$(RUSTC_TARGET_NAME)/$(if $(BR2_ENABLE_DEBUG),debug,release) \
		PROGRAMS="$(RCCAR_PROGRAMS)" COMPONENTS="$(RCCAR_COMPONENTS-y)"
endef

$(eval $(cargo-package))
