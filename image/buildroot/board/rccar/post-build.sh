#!/usr/bin/env bash
# Makes an appliance of the finished root: what the reference image's step 50-root does.
# $1 is the root; Buildroot sets BR2_CONFIG and BR2_EXTERNAL_RCCAR_PATH.
set -euo pipefail
root=$1
top=$BR2_EXTERNAL_RCCAR_PATH/../..

option() { sed -n "s/^BR2_PACKAGE_RCCAR_$1=\"\(.*\)\"$/\1/p" "$BR2_CONFIG"; }
fail() {
	echo "rccar: $*" >&2
	exit 1
}

keys=$(option KEYS)
compatible=$(option COMPATIBLE)
[ -f "$keys/keyring.pem" ] || fail "BR2_PACKAGE_RCCAR_KEYS=\"$keys\" names no folder with keyring.pem, the certificates that the car trusts"

make --no-print-directory -C "$top" install DESTDIR="$root" COMPONENTS="rauc appliance"
sed -i "s/^compatible=.*/compatible=$compatible/" "$root/etc/rauc/system.conf"
install -m 644 "$keys/keyring.pem" "$root/etc/rauc/keyring.pem"
# RAUC asks for revoked keys only where it is told to, and then refuses a keyring without a list.
if grep -q 'BEGIN X509 CRL' "$keys/keyring.pem"; then
	sed -i 's/^check-purpose=.*/&\ncheck-crl=true/' "$root/etc/rauc/system.conf"
fi

# The earliest time that the system believes.
touch -d "@${SOURCE_DATE_EPOCH:-$(stat -c %Y "$top/Cargo.lock")}" "$root/usr/lib/clock-epoch"
: >"$root/etc/fstab"
: >"$root/etc/machine-id"
echo rccar >"$root/etc/hostname"
ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$top/Cargo.toml")
sed -i '/^IMAGE_/d' "$root/usr/lib/os-release"
printf 'IMAGE_ID=%s\nIMAGE_VERSION=%s\n' "$compatible" "$version" >>"$root/usr/lib/os-release"
# The initial RAM disk calls these by the paths that Debian has.
for tool in partx:bin dropbear:sbin e2fsck:sbin mke2fs:sbin resize2fs:sbin sfdisk:sbin; do
	wanted=$root/usr/${tool#*:}/${tool%:*}
	for folder in usr/sbin usr/bin sbin bin; do
		if [ -e "$wanted" ] || [ ! -e "$root/$folder/${tool%:*}" ]; then continue; fi
		ln -sf "/$folder/${tool%:*}" "$wanted"
	done
	[ -e "$wanted" ] || [ -L "$wanted" ] || fail "the root has no ${tool%:*}: the defconfigs of rccar select it"
done
