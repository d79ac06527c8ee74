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
  mapfile -t units < <(our_units '\.(service|path|mount|timer)$')
  chroot "$root" systemd-analyze verify "${units[@]}"
}

units_are_sandboxed() {
  local units
  mapfile -t units < <(our_units '\.service$')
  [ "${#units[@]}" -ge 5 ] && chroot "$root" systemd-analyze security --no-pager --offline=yes --threshold=30 "${units[@]}"
}

udev_rules_are_well_formed() { chroot "$root" sh -c 'udevadm verify /usr/lib/udev/rules.d/*-rccar-*.rules'; }

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

# A tree beside the car's own. Its camera is one that the programs of this build do not know.
refused_settings_are_dropped() {
  local tree=/tmp/refused
  inside mkdir -p $tree/boot/firmware $tree/usr
  inside ln -s /usr/bin /usr/lib /usr/share $tree/usr/
  inside sh -c "printf '[car]\\nname = \"Units\"\\n[camera]\\nrotation = 180\\n' >$tree/boot/firmware/provision.toml"
  inside rccar-provision apply --root $tree || return
  inside rccar-car --config $tree/run/rccar/config/car.toml check-config &&
    inside grep 'rccar-car does not take \[camera\]: .*built without libcamera' $tree/boot/firmware/provision-report.txt
}

# The container's libell needs the container's C library. No Wi-Fi of the kernel is needed for it.
as_iwd_reads() {
  local lib=$root/usr/lib/x86_64-linux-gnu
  [ -e "$lib/libell.so.0" ] || lib=$root/usr/lib/aarch64-linux-gnu
  "$(echo "$lib"/ld-linux-*.so.*)" --library-path "$lib" "$(command -v /usr/bin/python3 || command -v python3)" tests/units/read-network.py "$@"
}

# What is hard to write in iwd's format: spaces at both ends, a backslash, signs of comments.
iwd_reads_its_networks() {
  local tree=$work/networks password=' a\b #;"c'\' networks
  mkdir -p "$tree/boot/firmware" "$tree/usr/share"
  cp -r "$root/usr/share/rccar" "$tree/usr/share/"
  {
    printf '[wifi]\ncountry = "DE"\nssid = "Café"\npassword = """%s"""\n' "${password//\\/\\\\}"
    printf '[[wifi]]\nssid = "Phone"\npassword = "correct horse "\nhidden = true\n'
    printf '[[wifi]]\nssid = "Club"\npassword = "%064d"\npriority = 3\n' 7
  } >"$tree/boot/firmware/provision.toml"
  "$CARGO_TARGET_DIR/debug/rccar-provision" apply --root "$tree" || return
  networks=$tree/var/lib/iwd
  ls -l "$networks"
  [ "$(as_iwd_reads "$networks/=436166c3a9.psk" Security Passphrase)" = "$password" ] &&
    [ "$(as_iwd_reads "$networks/Phone.psk" Security Passphrase; echo .)" = "correct horse "$'\n.' ] &&
    [ "$(as_iwd_reads "$networks/Phone.psk" Settings Hidden)" = true ] &&
    [ "$(as_iwd_reads "$networks/Club.psk" Security PreSharedKey)" = "$(printf %064d 7)" ] &&
    [ "$(as_iwd_reads "$tree/etc/iwd/main.conf" General Country)" = DE ]
}

# No kernel here has Wi-Fi: that the program knows the option, and reads it where it stands.
wifi_does_not_sleep() {
  grep -q PowerSaveDisable "$root/usr/libexec/iwd" &&
    [ "$(as_iwd_reads "$root/etc/iwd/main.conf" DriverQuirks PowerSaveDisable)" = '*' ]
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

only_the_car_is_believed() { set_car rccar-car && refused set_car rccar-update; }
set_car() { as "$1,$1" busctl call org.rccar.Modem /org/rccar/Modem org.rccar.Modem1 SetCar bb false false; }

# Debian's unit wants no container; what is asked here is who may do what.
restarts_modem_manager_only() {
  local drop_in=/run/systemd/system/ModemManager.service.d
  inside mkdir -p $drop_in && inside sh -c "printf '[Unit]\\nConditionVirtualization=\\n' >$drop_in/container.conf" &&
    inside systemctl daemon-reload || return
  restart_unit rccar-modem ModemManager.service && wait_for "ModemManager runs" inside systemctl is-active ModemManager &&
    refused restart_unit rccar-modem rccar-drive.service && refused restart_unit rccar-car ModemManager.service
}

restart_unit() { ask_unit "$1" RestartUnit "$2"; }

# ask_unit USER METHOD UNIT
ask_unit() {
  as "$1,$1" busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager "$2" ss "$3" replace
}

# There is no port, and a container's kernel has no PPP: what is asked here is who may.
starts_ppp_only() {
  local unit=rccar-ppp@ttyNone.service
  ask_unit rccar-modem StartUnit $unit && ask_unit rccar-modem StopUnit $unit && refused ask_unit rccar-car StartUnit $unit &&
    refused ask_unit rccar-modem RestartUnit $unit && refused ask_unit rccar-modem StartUnit rccar-ppp@-.service &&
    refused ask_unit rccar-modem StopUnit rccar-drive.service
}

# It ends with 2 where it does not, and with 4 where it finds that this kernel has no PPP (pppd(8),
# EXIT STATUS).
pppd_understands() {
  local status=0
  inside pppd /dev/null file /run/rccar/config/ppp-options dryrun || status=$?
  [ "$status" = 0 ] || [ "$status" = 4 ]
}

# There is no modem to let go of: who may ask is told so, others are not even heard.
is_listened_to_by_modem_manager() {
  inhibit rccar-modem | grep 'No device found' && inhibit rccar-car | grep 'Access denied'
}

# Its refusal is looked for in what it says, so it is no failure.
inhibit() {
  as "$1,$1" busctl call org.freedesktop.ModemManager1 /org/freedesktop/ModemManager1 org.freedesktop.ModemManager1 \
    InhibitDevice sb none true 2>&1 || true
}

gives_name_servers() {
  inside ip link add wwan0 type veth peer name cell && inside ip link set wwan0 up || return
  local index
  index=$(inside cat /sys/class/net/wwan0/ifindex)
  name_server rccar-modem "$index" && inside resolvectl dns wwan0 | grep 192.0.2.53 && refused name_server rccar-car "$index"
}

name_server() {
  as "$1,$1" busctl call org.freedesktop.resolve1 /org/freedesktop/resolve1 org.freedesktop.resolve1.Manager SetLinkDNS 'ia(iay)' \
    "$2" 1 2 4 192 0 2 53
}

# The end of a veth with the name of a driver; at the other end is the stick's DHCP server. networkd
# matches no such name.
stick_gets_its_address() {
  local net=/run/invented/net drop_in=/run/systemd/system/rccar-modem.service.d
  inside mkdir -p $net/stick0/device $drop_in && inside ln -s /drivers/cdc_ether $net/stick0/device/driver &&
    inside sh -c "printf '[Service]\\nBindReadOnlyPaths=$net:/sys/class/net\\n' >$drop_in/stick.conf" &&
    inside ip netns add stick && inside ip link add stick0 type veth peer name tower netns stick &&
    inside ip -n stick addr add 192.168.8.1/24 dev tower && inside ip -n stick link set tower up &&
    inside systemctl daemon-reload && inside systemctl restart rccar-modem || return
  inside ip netns exec stick dnsmasq --conf-file=/dev/null --port=0 --interface=tower --user=root --dhcp-leasefile=/run/leases --pid-file= \
    --dhcp-range=192.168.8.50,192.168.8.59,2m --dhcp-option=option:dns-server,192.168.8.1 || return
  wait_for "the stick has an address" inside sh -c 'ip -4 -o addr show dev stick0 | grep 192.168.8.5' &&
    wait_for "resolved has its name server" inside sh -c 'resolvectl dns stick0 | grep 192.168.8.1' &&
    inside ip route show default dev stick0 | grep 'metric 701' && inside grep -x 2 /proc/sys/net/ipv6/conf/stick0/accept_ra
}

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

# update_begun_in SLOT: an update that was begun in this slot. Without rccar-update nobody goes on
# with it.
update_begun_in() {
  inside systemctl stop rccar-update
  inside sh -c "printf '{\n  \"pending\": {\n    \"version\": \"2.0.0\",\n    \"from\": \"$1\",\n    \"stage\": \"installed\"\n  }\n}\n' \
    >/var/lib/rccar-update/state.json"
}

net_is_spread() { inside systemctl list-timers rccar-trial.timer | grep rccar-trial.service; }

net_spares_a_proven_slot() {
  update_begun_in A
  inside systemctl start rccar-trial && inside test ! -e /run/rccar-trial/reboot
}

# The drive's own words, so that the net does not look for others.
net_waits_while_armed() {
  as rccar-car,rccar-drive rccar-drive --config /run/rccar/config/drive.toml status | grep -E '^state +disarmed$' || return
  update_begun_in B
  inside sh -c 'printf "#!/bin/sh\necho state     armed\n" >/run/armed && chmod 755 /run/armed && mount --bind /run/armed /usr/bin/rccar-drive'
  inside systemctl start --no-block rccar-trial
  wait_for "the net sees the driver" net_sees_the_driver && inside test ! -e /run/rccar-trial/reboot
}

net_sees_the_driver() { journal --unit=rccar-trial | grep 'not rebooting: somebody drives'; }

net_reboots_a_trial() {
  inside umount /usr/bin/rccar-drive
  reboots && journal --boot=-1 | grep 'rccar-trial: rccar-update does not run on slot A, which is on trial'
}

# reboots_for SERVICE: a file that its user made.
reboots_for() {
  inside install -d -o "$1" -g "$1" "/run/$1"
  as "$1,$1" sh -c "umask 077; echo 'the test wants it' >/run/$1/reboot"
  reboots && journal --boot=-1 | grep -x 'the test wants it'
}

reboots() {
  local status=0
  wait_for "the container ends" refused kill -0 "$container"
  wait "$container" || status=$?
  # systemd-nspawn ends so when the system inside wants to boot again.
  [ "$status" = 133 ] && boot
}
