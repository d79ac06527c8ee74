# Puts results under their names. Needs the results of all steps.
# shellcheck shell=bash

publish() {
  local name=rccar-$VERSION-$BOARD
  mkdir -p "$OUT"
  # The raw image, as a sparse file: for the emulator, and for bmaptool.
  cp --sparse=always "${result[disk]}/disk.img" "$OUT/$name.img"
  cp "${result[disk]}/disk.bmap" "$OUT/$name.img.bmap"
  cp "${result[bundle]}/bundle.raucb" "$OUT/$name.raucb"
  cp "${result[sbom]}/sbom.spdx.json" "$OUT/$name.spdx.json"
  cp "${result[root]}/packages.txt" "$OUT/$name.packages.txt"
  # For stories, not for cars.
  cp "${result[kernel]}/test-modules.tar" "$OUT/$name.test-modules.tar"
  local published=("$name.img" "$name.img.bmap" "$name.raucb" "$name.spdx.json" "$name.packages.txt")
  if [ "${COMPRESS:-yes}" = yes ]; then
    compress "$OUT/$name.img"
    published+=("$name.img.xz")
  fi
  (cd "$OUT" && sha256sum "${published[@]}" >"$name.sha256")
  local step
  for step in "${!result[@]}"; do echo "$step ${result[$step]}"; done | LC_ALL=C sort >"$OUT/.results"
  ln -sfn "$name.img" "$OUT/latest.img"
  ln -sfn "$name.raucb" "$OUT/latest.raucb"
  [ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$OUT"
}

compress() {
  local began=$EPOCHREALTIME
  step "Compressing the image"
  # Most of it is compressed already: a higher level saves nothing.
  inside -b "$PWD/$OUT:out" xz -3 -T0 -k -f "/mnt/out/${1##*/}"
  timings+=("compress built $(elapsed "$began")")
}

print_sizes() {
  local file
  printf '\n%-34s %14s\n' "" bytes
  for file in "root slot:${result[root]}/root.img" "kernel:${result[kernel]}/Image.gz" "initial RAM disk:${result[boot]}/files/initrd.img" \
    "bundle:${result[bundle]}/bundle.raucb" "image:${result[disk]}/disk.img" "image, compressed:$OUT/rccar-$VERSION-$BOARD.img.xz"; do
    [ ! -e "${file#*:}" ] || printf '%-34s %14d\n' "${file%%:*}" "$(stat -c %s "${file#*:}")"
  done
  printf '\nIn %s, version %s, %s s in all.\n' "$OUT" "$VERSION" "$(elapsed "$began")"
}
