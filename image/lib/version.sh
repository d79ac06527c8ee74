# What is built. Needs debian.sh.
# shellcheck shell=bash
COMPATIBLE=rccar-rpi-arm64
BOARD=rpi-arm64
HOST_ARCH=$(dpkg --print-architecture)
# Every file of the image is as old as the lock, so that a new version changes no more than its
# content.
EPOCH=$(locked_epoch)
# A car without a clock starts with this one.
COMMIT_TIME=$(git log -1 --format=%ct)
VERSION=${VERSION:-$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)-dev.$(git rev-list --count HEAD)}
KEYS=${RCCAR_KEYS:-$HOME/.config/rccar/keys}
OUT=${OUT:-out/image}
export BOARD COMPATIBLE COMMIT_TIME EPOCH HOST_ARCH KEYS OUT VERSION
