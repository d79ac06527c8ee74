# Running arm64 programs on another architecture. Needs inside.sh.
# shellcheck shell=bash

binfmt=/proc/sys/fs/binfmt_misc

# run_arm64: registers the builder root's emulator with the kernel, unless the machine has one that
# works inside of a chroot.
run_arm64() {
  [ "$HOST_ARCH" != arm64 ] || return 0
  [ -e $binfmt/register ] || mount -t binfmt_misc binfmt_misc $binfmt ||
    die "this kernel cannot run programs of other architectures (binfmt_misc is missing)"
  ! grep -lsE '^magic 7f454c460201010000000000000000000200b700' $binfmt/* | xargs -r grep -lE '^flags: .*F' | xargs -r grep -q '^enabled' || return 0
  emulator=rccar-$$
  # The ELF header of an arm64 program, and which bits of it count. F: the emulator is opened now,
  # so a chroot need not hold it.
  printf ':%s:M::%s:%s:%s:F' "$emulator" \
    '\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00' \
    '\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff' \
    "${result[builder]}/root/usr/bin/qemu-aarch64" >$binfmt/register
}

forget_arm64() { [ -z "${emulator:-}" ] || echo -1 >"$binfmt/$emulator"; }
