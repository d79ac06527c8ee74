# The front door. Every target sets up what it needs; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test web lint unit packaging units e2e image image-lock image-sources boot test-image bench-image bench-stops test-repro test-camera test-modem test-netlab test-releases bench-latency bench-link bench-host bench fuzz install dist host-deb test-host-deb host-oci test-host-oci msrv release pictures clean setup

help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Host and simulated car on this machine; prints the address to open
	@ci/demo

test: export RCCAR_SUMMARY = $(CURDIR)/out/summary.txt
test: ## What decides a landing (CI runs the same)
	@ci/summary begin
	@ci/timed ci/setup
	@ci/timed ci/web
	@ci/timed ci/lint
	@ci/timed tests/packaging/run
	@ci/timed ci/unit
	@ci/timed ci/modem
	@ci/timed ci/netlab
	@ci/timed tests/units/run
	@ci/timed tests/host-deb/run
	@ci/timed tests/host-oci/run
	@ci/timed ci/e2e
	@ci/timed ci/vm quick
	@ci/timed ci/image-repro quick
	@ci/summary

setup: ## Install system packages, Rust and npm packages
	@ci/setup

web: ## Check, test and build the web page (needs Node.js only)
	@ci/setup web
	@ci/web

pictures: ## Draw docs/cockpit-*.webp again: all states of the cockpit, for each kind of screen
	@ci/setup
	@ci/pictures

lint: ## Format and lints
	@ci/setup
	@ci/web build
	@ci/lint

unit: ## Rust tests
	@ci/setup
	@ci/web build
	@ci/unit

packaging: ## Check the layer for Yocto and the tree for Buildroot, without their build systems
	@ci/setup
	@tests/packaging/run

units: ## Boot the units of a car in a container and look at them (needs root)
	@ci/setup
	@tests/units/run

e2e: ## End-to-end tests with Chromium
	@ci/setup
	@ci/web build
	@ci/e2e

test-releases: ## Programs of the last release with those of today; before each release (some minutes more the first time)
	@ci/setup
	@ci/web build
	@ci/releases

test-camera: ## Capture by libcamera with its virtual camera, in a Debian 13 root of its own (needs root or sudo, mmdebstrap)
	@ci/setup
	@ci/web build
	@ci/camera

test-modem: ## Stories with the real ModemManager and emulated modems (needs root)
	@ci/setup
	@ci/modem

test-netlab: ## Stories of the real programs behind NAT and over bad links, in namespaces (needs root)
	@ci/setup
	@ci/web build
	@ci/netlab

bench-latency: ## Capture-to-screen latency in Chromium: median and p95 of both picture sizes
	@ci/setup
	@ci/bench-latency

bench-link: ## Age of the picture on links that narrow, lose and die: a table (needs root)
	@ci/setup
	@ci/bench-link

bench-host: ## Ten thousand cars at a host: registration, return after a restart, memory
	@ci/setup
	@ci/bench-host

bench: ## Time of rendering and encoding one frame
	@ci/setup
	@cargo bench -p rccar-media

fuzz: ## Fuzz every parser of network input for a minute each (needs a nightly toolchain and cargo-fuzz)
	@tests/fuzz/run 60

image: ## SD card image for Raspberry Pi 3, 4, 5 and Zero 2 W, into out/image (needs root or sudo)
	@ci/image

image-lock: ## Renew the versions of the Debian packages in the image and its builder
	@image/lock

image-sources: ## The source of what is on the image's card, for whoever passes the image on (needs root or sudo; 0.7 GB)
	@ci/image-sources

boot: ## The image in an emulator, against a host on this machine; prints the address to drive it (needs root or sudo)
	@ci/boot

test-image: ## Every story with the image in an emulator: bad releases, power cuts, damaged cards (needs root; an hour)
	@ci/setup
	@ci/web build
	@ci/vm

bench-image: ## Start, memory and bytes of an update, measured in an emulator (needs root)
	@ci/setup
	@ci/web build
	@ci/vm bench

bench-stops: ## 1,000 stops of a card that drives a servo board, by every failure, seen from outside (needs root; hours)
	@ci/setup
	@ci/web build
	@ci/vm bench/stops.mjs

test-repro: ## Build the image twice from scratch, in two places, and compare every bit (needs root or sudo)
	@ci/image-repro

install: ## Programs and their files into DESTDIR=…: COMPONENTS="car drive …" from BINDIR=… (ci/install has the rest)
	@ci/install

dist: ## Archives of the last commit with the page built in, without and with the crates, into out/dist
	@ci/setup
	@ci/web build
	@ci/dist

host-deb: ## Debian package of the host, into out/deb
	@ci/setup
	@ci/web build
	@ci/host-deb

test-host-deb: ## Install, upgrade and remove the host's package in a container (needs root)
	@ci/setup
	@ci/web build
	@tests/host-deb/run

host-oci: ## Container image of the host, made without a daemon, into out/oci
	@ci/setup
	@ci/web build
	@ci/host-oci

test-host-oci: ## Look at the container image of the host, and start it as a user without rights (needs root)
	@ci/setup
	@ci/web build
	@tests/host-oci/run

msrv: ## Check the programs with the oldest compiler that may build them; before each release
	@ci/setup
	@ci/web build
	@ci/msrv

release: ## Everything of a version, signed, into out/release; TRIAL=1 without a tag (needs root or sudo; docs/releasing.md)
	@ci/release

clean: ## Remove what was built
	rm -rf target out web/dist
