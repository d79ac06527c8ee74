# Shared by the scripts of the initial RAM disk.
NOTICES=/run/rccar/notices

say() { echo "rccar: $*" >/dev/kmsg; }

# notice NAME TEXT: what the driver should know; the car passes it on.
notice() {
  say "$2"
  echo "$2" >"$NOTICES/$1.txt"
}

# fail TEXT: this slot cannot be started now.
fail() {
  say "$*; starting again"
  sync
  sleep 1
  reboot -f
}

# option NAME: value of NAME=… on the kernel's command line.
option() { tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p" | tail -n 1; }

# load_modules LIST
load_modules() {
  while read -r module; do
    case $module in
      *\**) for file in $(find /lib/modules -name "$module.ko"); do insert "$(basename "$file" .ko)"; done ;;
      *) insert "$module" ;;
    esac
  done <"$1"
}
# Boards lack most of the hardware.
insert() { modprobe "$1" 2>/dev/null || true; }

# partition NAME: device of the partition with that name in the card's table; waits for it to
# appear.
partition() {
  local waited=0 event
  while [ "$waited" -lt 200 ]; do
    # No card: a stick, perhaps. Its drivers cost time that cards need not spend.
    [ "$waited" -ne 20 ] || load_modules /etc/modules-usb
    for event in /sys/class/block/*/uevent; do
      if grep -qx "PARTNAME=$1" "$event"; then
        echo "/dev/$(sed -n 's/^DEVNAME=//p' "$event")"
        return 0
      fi
    done
    waited=$((waited + 1))
    sleep 0.1
  done
  return 1
}

# in_root PATH ARGUMENT…: a program of the image's root. With a bare name, BusyBox would take its
# own applet (it has an mke2fs).
in_root() { chroot /newroot "$@"; }
