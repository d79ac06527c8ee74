# Compiling for the target. These functions run inside of the builder root, where the checkout is
# /mnt/src, everything at the same path in every build: the checkout's place leaves no trace in the
# programs.
# shellcheck shell=bash

triple=aarch64-unknown-linux-gnu

cross_environment() {
  local under=${triple//-/_}
  export CARGO_HOME=/tmp/cargo CARGO_TARGET_DIR=/mnt/target CARGO_TERM_PROGRESS_WHEN=never
  export "CARGO_TARGET_${under^^}_LINKER=aarch64-linux-gnu-gcc"
  export "CC_$under=aarch64-linux-gnu-gcc" "CXX_$under=aarch64-linux-gnu-g++" "AR_$under=aarch64-linux-gnu-ar"
  # There is no pkg-config of the target: ours, with the target's folders.
  export PKG_CONFIG_ALLOW_CROSS=1 "PKG_CONFIG_LIBDIR_$under=/usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig"
  export "BINDGEN_EXTRA_CLANG_ARGS_$under=--target=aarch64-linux-gnu -I/usr/aarch64-linux-gnu/include"
  export RUSTFLAGS="--remap-path-prefix=/mnt/src=/rccar --remap-path-prefix=/mnt/vendor=/crates"
  # Relocations as a map of bits instead of 24 bytes each: half a megabyte less of each program to
  # load, and to send with an update.
  RUSTFLAGS+=" -C link-arg=-Wl,-z,pack-relative-relocs"
  mkdir -p "$CARGO_HOME"
  printf '%s\n' '[source.crates-io]' 'replace-with = "vendored"' '[source.vendored]' 'directory = "/mnt/vendor"' >"$CARGO_HOME/config.toml"
  cd /mnt/src
}

# compile CARGO-ARGUMENTS…: the programs into /mnt/out/bin, the crates in them into
# /mnt/out/crates.txt.
compile() {
  cross_environment
  # Our own crates are always compiled anew: a fresh checkout's times say nothing. Of the others
  # cargo knows the checksums.
  cargo metadata --offline --locked --no-deps --format-version 1 | jq -r '.packages[].name' | sed 's/^/--package=/' |
    xargs cargo clean --quiet --offline --locked --profile image --target "$triple"
  cargo build --offline --locked --profile image --target "$triple" --bins "$@"
  mkdir /mnt/out/bin
  find "/mnt/target/$triple/image" -maxdepth 1 -type f -executable -name 'rccar*' -exec install -m 755 -t /mnt/out/bin {} +
  cargo tree --offline --locked --target "$triple" --edges normal --prefix none --format '{p}|{l}' "$@" | sed 's/ (\*)//; s/ (proc-macro)//; s# (/mnt/[^)]*)##' |
    LC_ALL=C sort -u >/mnt/out/crates.txt
}
