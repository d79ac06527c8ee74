# The front door. Every target sets up what it needs; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test web lint unit e2e test-modem bench-latency bench fuzz clean setup

help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Host and simulated car on this machine; prints the address to open
	@ci/demo

test: ## Every test of the project (what CI runs)
	@ci/setup
	@ci/web
	@ci/lint
	@ci/unit
	@ci/e2e

setup: ## Install system packages, Rust and npm packages
	@ci/setup

web: ## Check, test and build the web page
	@ci/setup
	@ci/web

lint: ## Format and lints
	@ci/setup
	@ci/web build
	@ci/lint

unit: ## Rust tests
	@ci/setup
	@ci/web build
	@ci/unit

e2e: ## End-to-end tests with Chromium
	@ci/setup
	@ci/web build
	@ci/e2e

test-modem: ## Stories with the real ModemManager and emulated modems (needs root)
	@ci/setup
	@ci/modem

bench-latency: ## Capture-to-screen latency in Chromium: median and p95 of both picture sizes
	@ci/setup
	@ci/bench-latency

bench: ## Time of rendering and encoding one frame
	@ci/setup
	@cargo bench -p rccar-media

fuzz: ## Fuzz every parser of network input for a minute each (needs a nightly toolchain and cargo-fuzz)
	@tests/fuzz/run 60

clean: ## Remove what was built
	rm -rf target out web/dist
