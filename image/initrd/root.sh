# The root: a squashfs whose every block is checked when it is read.

mount_root() {
  local device
  case $1 in A | B) ;; *) fail "the boot script named no slot" ;; esac
  device=$(partition "root$1") || fail "the card has no partition root$1"
  # Blocks, place of the hash tree, root hash and salt of this slot's root: packed with the boot
  # files that it came with.
  . /etc/verity
  # A wrong block restarts the machine, so that the boot script's counter sees it.
  dmsetup create root --readonly --noudevsync --noudevrules --table \
    "0 $((blocks * 8)) verity 1 $device $device 4096 4096 $blocks $hash_start sha256 $root_hash $salt 1 restart_on_corruption" ||
    fail "root$1 cannot be opened"
  # Without udev there is no /dev/mapper/root; this is the first mapped device.
  mount -t squashfs -o ro,nodev /dev/dm-0 /newroot || fail "root$1 is not what its boot files expect"
  say "root of slot $1 on $device"
}

# move_mounts: the places of the kernel go where root's programs expect them; ours point there.
move_mounts() {
  for place in dev proc sys run; do
    mount --move "/$place" "/newroot/$place" || fail "/$place cannot be moved"
    # The kernel's first /dev holds a console.
    rm -rf "/${place:?}"
    ln -s "newroot/$place" "/$place"
  done
}

# link_firmware: where boot-firmware.mount finds its partition, long before udev names it.
link_firmware() {
  local device
  if device=$(partition fw); then ln -s "$device" /run/rccar/firmware-partition; fi
}

# overlay_etc: /etc of the image with changes that last until the next boot, and the identity that
# lasts.
overlay_etc() {
  local id
  mkdir -p /run/etc-overlay
  mount -t tmpfs -o nosuid,nodev,mode=755,size=4m etc-overlay /run/etc-overlay
  mkdir /run/etc-overlay/upper /run/etc-overlay/work
  mount -t overlay -o nosuid,nodev,lowerdir=/newroot/etc,upperdir=/newroot/run/etc-overlay/upper,workdir=/newroot/run/etc-overlay/work etc /newroot/etc ||
    fail "/etc cannot be made writable"
  id=$(cat /newroot/data/machine-id 2>/dev/null)
  if ! echo "$id" | grep -qxE '[0-9a-f]{32}'; then
    id=$(tr -d - </proc/sys/kernel/random/uuid)
    echo "$id" >/newroot/data/machine-id.new && sync && mv /newroot/data/machine-id.new /newroot/data/machine-id
  fi
  rm -f /newroot/etc/machine-id
  echo "$id" >/newroot/etc/machine-id
  chmod 444 /newroot/etc/machine-id
}
