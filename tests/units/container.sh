# The container of tests/units/run.
# shellcheck shell=bash disable=SC2154 # ci/lib.sh has the colours, run the folder

cache=${RCCAR_CACHE:-$HOME/.cache/rccar}/units
# What the image has, as far as a container can use it.
packages=systemd,systemd-sysv,udev,dbus,kmod,iproute2,procps,systemd-resolved,systemd-timesyncd,iwd,dropbear-bin,rauc,rauc-service
packages+=,libubootenv-tool,modemmanager,ppp,libstdc++6,util-linux
# What a stick has.
packages+=,dnsmasq-base
# Those that the workspace has; of a program that is not there yet the unit is masked.
all_programs=(rccar-provision rccar-drive rccar-car rccar-modem rccar-update)

need_container() {
  local tool
  [ "$(id -u)" = 0 ] || skip units "a container needs root"
  for tool in mmdebstrap nsenter curl; do
    command -v "$tool" >/dev/null || skip units "$tool is missing"
  done
  nspawn=$(command -v systemd-nspawn || unpacked_nspawn) || skip units "systemd-nspawn is missing (Debian: systemd-container)"
}

# The program alone: installing its package may bring the machine another systemd.
unpacked_nspawn() {
  local folder=$cache/nspawn
  if [ ! -x "$folder/usr/bin/systemd-nspawn" ]; then
    mkdir -p "$folder"
    (cd "$folder" && apt-get download --quiet systemd-container && dpkg -x systemd-container_*.deb .) >&2 || return
  fi
  echo "$folder/usr/bin/systemd-nspawn"
}

# Prints the root of a plain Debian with the packages, made once for each list of them.
base_root() {
  local made
  made=$cache/$(echo "trixie $packages" | sha256sum | cut -c 1-16)
  if [ ! -e "$made" ]; then
    echo "making a root of Debian trixie (once, about half a minute)" >&2
    mkdir -p "$(dirname "$made")"
    rm -rf "$made.new"
    mmdebstrap --quiet --variant=essential --mode=root --aptopt='APT::Install-Recommends "false"' --include="$packages" \
      --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
      trixie "$made.new" "$(debian_mirror)" >&2 || die "the root could not be made"
    mv "$made.new" "$made"
  fi
  echo "$made"
}

# make_root BASE: a copy with everything of ours in $work/root.
make_root() {
  local programs=() program
  root=$work/root
  cp -a --reflink=auto "$1" "$root"
  for program in "${all_programs[@]}"; do
    if [ -d "crates/programs/${program#rccar-}" ]; then programs+=("$program"); fi
  done
  build_programs
  DESTDIR=$root BINDIR=$CARGO_TARGET_DIR/debug PROGRAMS="${programs[*]}" COMPONENTS="${all_programs[*]#rccar-} rauc appliance" ci/install
  for program in "${all_programs[@]}"; do
    if [ ! -e "$root/usr/bin/$program" ]; then ln -s /dev/null "$root/etc/systemd/system/$program.service"; fi
  done
  # The programs of this build know no libcamera.
  sed -i 's/^source = "libcamera"$/source = "simulator"/' "$root/usr/share/rccar/car.toml"
  chroot "$root" systemd-sysusers 2>/dev/null
  chroot "$root" systemctl preset-all --quiet 2>/dev/null
  tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
  mkdir -p "$work"/{data/var,firmware,slots}
  truncate -s 64K "$work"/slots/{rootA,rootB,bootA,bootB,env}
  printf 'BOOT_ORDER=A B\nBOOT_A_LEFT=3\nBOOT_B_LEFT=0\n' >"$work/slots/first"
}

# The card's first partition with a provision.toml. A file system of its own: what remounts it must
# not reach the machine's. Not FAT, which not every kernel has.
make_firmware() {
  truncate -s 4M "$work/firmware.img"
  mke2fs -q -t ext4 "$work/firmware.img"
  mount -o loop "$work/firmware.img" "$work/firmware"
  printf '[host]\nurl = "https://drive.example"\n\n[car]\nname = "Units"\n\n[camera]\nfps = 1000\n' >"$work/firmware/provision.toml"
  mount -o remount,ro "$work/firmware"
}

# Starts the container and waits until the car can be reached.
boot() {
  "$nspawn" --quiet --register=no --keep-unit --private-network --machine=rccar-units -D "$root" --read-only \
    --overlay=+/etc::/etc --bind="$work/data:/data" --bind="$work/data/var:/var" --bind="$work/firmware:/boot/firmware" \
    --bind="$work/slots:/dev/disk/by-partlabel" --capability=CAP_IPC_LOCK --system-call-filter=@memlock --boot \
    </dev/null >"$work/console" 2>&1 &
  container=$!
  wait_for "the container starts" find_leader
  wait_for "the car is ready" inside systemctl is-active rccar-car
  wait_for "the start is over" is_started
  # RAUC finds its slot in the kernel's command line, and the counters where a card has them.
  inside sh -c 'echo rauc.slot=A >/run/cmdline && mount --bind /run/cmdline /proc/cmdline'
  inside sh -c 'cd /dev/disk/by-partlabel && fw_setenv -f first -s first' 2>/dev/null
}

find_leader() {
  leader=$(pgrep -P "$container" | head -n 1)
  [ -n "$leader" ] && inside test -S /run/systemd/private
}

is_started() { [[ $(inside systemctl is-system-running) =~ running|degraded ]]; }

finish() {
  if [ -n "${container:-}" ]; then
    { inside systemctl poweroff --force || kill "$container"; } >/dev/null 2>&1 || true
    wait "$container" || true
  fi
  if mountpoint -q "$work/firmware"; then umount "$work/firmware"; fi
  [ -n "${UNITS_KEEP:-}" ] || rm -rf "$work"
}

inside() { nsenter -t "$leader" -a "$@"; }

# as USER,GROUP COMMAND…
as() { inside setpriv --reuid "${1%,*}" --regid "${1#*,}" --clear-groups -- "${@:2}"; }

journal() { inside journalctl --no-pager -o cat "$@"; }

# wait_for WHAT COMMAND…: until the command succeeds, a minute at most.
wait_for() {
  local what=$1 until=$((SECONDS + 60))
  shift
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$until" ]; then
      echo "waited in vain until $what"
      return 1
    fi
    sleep 0.1
  done
}
