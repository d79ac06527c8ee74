# The checks of tests/units/run.
# shellcheck shell=bash disable=SC2154,SC2034 # shares variables with the others

failures=0
rauc_operation=(busctl get-property de.pengutronix.rauc / de.pengutronix.rauc.Installer Operation)

# check SENTENCE COMMAND…
check() {
  local sentence=$1
  shift
  if "$@" >"$work/said" 2>&1; then
    printf '  ok      %s\n' "$sentence"
  else
    failures=$((failures + 1))
    printf '  %sFAILED  %s%s\n%s\n' "$red" "$sentence" "$plain" "$(cat "$work/said")"
  fi
}

refused() { ! "$@"; }

units_are_well_formed() {
  local units
  mapfile -t units < <(our_units '\.(service|path|mount)$')
  chroot "$root" systemd-analyze verify "${units[@]}"
}

units_are_sandboxed() {
  local units
  mapfile -t units < <(our_units '\.service$')
  [ "${#units[@]}" -ge 5 ] && chroot "$root" systemd-analyze security --no-pager --offline=yes --threshold=30 "${units[@]}"
}

# our_units PATTERN: those that are not masked.
our_units() {
  local unit
  for unit in "$root"/usr/lib/systemd/system/{rccar-*,boot-firmware.mount}; do
    if [[ $unit =~ $1 ]] && [ ! -L "$root/etc/systemd/system/${unit##*/}" ]; then echo "${unit##*/}"; fi
  done
}

nothing_failed() {
  local failed
  failed=$(inside systemctl --failed --plain --no-legend)
  echo "$failed"
  [ -z "$failed" ]
}

has_host_name() {
  local name
  name=$(inside cat /proc/sys/kernel/hostname)
  echo "host name: $name"
  [ "$name" = units ]
}

property() { inside systemctl show --property="$2" --value "$1"; }

drive_is_before_car() {
  [ "$(property rccar-drive ActiveEnterTimestampMonotonic)" -le "$(property rccar-car InactiveExitTimestampMonotonic)" ]
}

has_owner() {
  local found
  found=$(inside stat -c '%U:%G %a' "$1")
  echo "$1: $found instead of $2"
  [ "$found" = "$2" ]
}

journal_is_bounded() { journal | grep 'System Journal (/var/log/journal/.* max 64M'; }

# may_own NAME USER: its own user may, even where the name is taken; another may not.
may_own() { request_name "$2" "$1" && refused request_name systemd-network "$1"; }
request_name() { as "$1,nogroup" busctl call org.freedesktop.DBus / org.freedesktop.DBus RequestName su "$2" 4; }

rauc_knows_its_slot() { inside rauc status | grep 'Booted from:.*rootfs.0 (A)'; }

# comes_back_after SIGNAL SERVICE
comes_back_after() {
  local pid
  pid=$(property "$2" MainPID)
  inside systemctl kill --signal="$1" "$2"
  wait_for "there is another $2" is_another "$2" "$pid"
}

is_another() { inside systemctl is-active "$1" && [ "$(property "$1" MainPID)" != "$2" ]; }

drive_comes_back_after() {
  local neutrals
  neutrals=$(neutrals)
  comes_back_after "$1" rccar-drive && wait_for "neutral was set" more_neutrals "$neutrals"
}

neutrals() { journal --unit=rccar-drive --grep='^the actuators are at neutral' | wc -l; }
more_neutrals() { [ "$(neutrals)" -gt "$1" ]; }

ssh_answers() {
  inside sh -c 'dropbearkey -t ed25519 -f /tmp/key | grep ^ssh- >/run/rccar/ssh/authorized_keys && systemctl start rccar-ssh'
  wait_for "SSH lets the key in" inside dbclient -y -y -i /tmp/key root@127.0.0.1 systemctl is-active rccar-drive
}

reboots_for_update() {
  local status=0
  inside install -d -o rccar-update -g rccar-update /run/rccar-update
  as rccar-update,rccar-update sh -c 'umask 077; echo "the test wants it" >/run/rccar-update/reboot'
  wait "$container" || status=$?
  # systemd-nspawn ends so when the system inside wants to boot again.
  [ "$status" = 133 ] && boot && journal --boot=-1 | grep -x 'the test wants it'
}
