#!/usr/bin/env bash
# Makes slot, card and bundle of the root: what the reference image's steps 45 to 80 do, by the same
# image/pack and image/layout.sh. $2 is the board: rpi4, rpi5 or qemu. Buildroot sets BINARIES_DIR,
# BUILD_DIR, HOST_DIR, TARGET_DIR, BR2_CONFIG and BR2_EXTERNAL_RCCAR_PATH.
set -euo pipefail
board=$2
top=$(cd "$BR2_EXTERNAL_RCCAR_PATH/../.." && pwd)
work=$BUILD_DIR/rccar-card
out=$BINARIES_DIR
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$top/Cargo.lock")}
PATH=$HOST_DIR/bin:$HOST_DIR/sbin:$PATH
export PATH SOURCE_DATE_EPOCH
# shellcheck source=/dev/null
. "$top/image/layout.sh"

option() { sed -n "s/^BR2_PACKAGE_RCCAR_$1=\"\(.*\)\"$/\1/p" "$BR2_CONFIG"; }
fail() {
	echo "rccar: $*" >&2
	exit 1
}

# with_libraries PROGRAM: copies a program of the root into the initial RAM disk, with its loader
# and the libraries that it names.
with_libraries() {
	local queue=("$1") file name readelf
	readelf=$(compgen -G "$HOST_DIR/bin/*-readelf" | head -n 1)
	while [ ${#queue[@]} -gt 0 ]; do
		file=${queue[0]} queue=("${queue[@]:1}")
		[ ! -e "$work/initrd/$file" ] || continue
		[ -e "$TARGET_DIR/$file" ] || fail "the root has no $file, which the initial RAM disk needs"
		mkdir -p "$work/initrd/${file%/*}"
		cp -L "$TARGET_DIR/$file" "$work/initrd/$file"
		while read -r name; do
			case $name in
			/*) queue+=("usr/lib/${name##*/}") ;;
			*) queue+=("usr/lib/$name") ;;
			esac
		done < <("$readelf" -dlW "$TARGET_DIR/$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p; s/.*program interpreter: \(.*\)\]/\1/p')
	done
}

make_initrd() {
	local tree=$work/initrd
	mkdir -p "$tree"/{dev,etc,newroot,proc,run,sys,tmp,usr/bin,usr/lib,usr/sbin}
	ln -s usr/bin "$tree/bin"
	ln -s usr/lib "$tree/lib"
	ln -s usr/lib "$tree/lib64"
	with_libraries usr/bin/busybox
	with_libraries usr/sbin/dmsetup
	install -m 755 "$top/image/initrd/init" "$tree/init"
	install -m 644 "$top"/image/initrd/{lib,root,data}.sh "$top/image/initrd/data.options" "$tree/etc/"
	# The drivers that it needs are in the kernel (meta-rccar/recipes-kernel/linux/files/rccar.cfg).
	: >"$tree/etc/modules"
	: >"$tree/etc/modules-usb"
	"$top/image/pack" archive "$tree" | zstd -q -19 -T1 >"$work/initrd.zst"
}

make_slot() {
	local camera chip
	cp "$out/rootfs.squashfs" "$work/root.img"
	"$top/image/pack" tree "$work/root.img" "$(option COMPATIBLE | tr -d '\n' | sha256sum | cut -d' ' -f1)" >"$work/verity"
	mkdir -p "$work/slot"
	"$top/image/pack" initrd "$work/verity" "$work/initrd.zst" >"$work/slot/initrd.img"
	gzip -9 -n -c "$out/Image" >"$work/slot/Image.gz"
	grep -v '^#' "$top/image/boards/raspberrypi-cameras.list" | while read -r camera; do
		for chip in brcm,bcm2711 brcm,bcm2712; do
			[ ! -e "$out/rpi-firmware/overlays/$camera.dtbo" ] ||
				install -D -m 644 "$out/rpi-firmware/overlays/$camera.dtbo" "$work/slot/overlays/$chip/camera-$camera.dtbo"
		done
	done
	"$top/image/pack" fat "$work/boot.img" boot "$work/slot"
}

make_firmware() {
	make --no-print-directory -C "$top" install DESTDIR="$work/card" COMPONENTS="firmware"
	mkdir -p "$work/fw"
	cp "$work/card/boot/firmware/"* "$work/fw/"
	if [ "$board" != qemu ]; then
		cp -r "$out/rpi-firmware/"* "$out"/*.dtb "$out/u-boot.bin" "$work/fw/"
		rm -f "$work/fw/cmdline.txt"
	fi
	"$top/image/pack" fat "$work/firmware.img" fw "$work/fw"
}

# write_genimage: the partitions of image/layout.sh, in the words of genimage.
write_genimage() {
	local line name content
	declare -A content=([fw]=firmware.img [env]=env.img [bootA]=boot.img [rootA]=root.img [data]=data.img)
	printf 'image card.img {\n\thdimage {\n\t\tpartition-table-type = "gpt"\n\t\tdisk-uuid = "%s"\n\t}\n' "$GPT_ID"
	layout | grep '^start=' | while read -r line; do
		name=${line#*name=} name=${name%%,*}
		printf '\tpartition %s {\n' "$name"
		printf '\t\toffset = %s\n\t\tsize = %s\n' "$(field start)s" "$(field size)s"
		printf '\t\tpartition-type-uuid = "%s"\n\t\tpartition-uuid = "%s"\n' "$(field type)" "$(field uuid)"
		[[ $line != *LegacyBIOSBootable* ]] || printf '\t\tbootable = "true"\n'
		[ -z "${content[$name]:-}" ] || printf '\t\timage = "%s"\n' "${content[$name]}"
		printf '\t}\n'
	done
	printf '}\n'
}
field() { sed -n "s/.*\b$1=\([^,]*\),.*/\1/p" <<<"$line"; }

make_card() {
	"$top/image/pack" state "$work/env.img"
	layout >/dev/null
	# shellcheck disable=SC2154 # of image/layout.sh
	"$top/image/pack" data "$work/data.img" $((size[data] / 2048)) "$DATA_ID" "$DATA_SEED"
	write_genimage >"$work/genimage.cfg"
	mkdir -p "$work/empty"
	rm -rf "$work/genimage.tmp"
	genimage --rootpath "$work/empty" --tmppath "$work/genimage.tmp" --inputpath "$work" --outputpath "$out" --config "$work/genimage.cfg"
}

make_bundle() {
	local keys compatible version chain=()
	keys=$(option KEYS)
	compatible=$(option COMPATIBLE)
	if [ ! -f "$keys/signing.key.pem" ]; then
		echo "rccar: $keys has no signing.key.pem, so there is no bundle"
		return
	fi
	version=$(sed -n 's/^IMAGE_VERSION=//p' "$TARGET_DIR/usr/lib/os-release")
	mkdir -p "$work/bundle"
	cp "$work/root.img" "$work/boot.img" "$work/bundle/"
	"$top/image/pack" manifest "$compatible" "$version" >"$work/bundle/manifest.raucm"
	"$top/image/pack" rauc "$compatible" "$keys/keyring.pem" >"$work/rauc.conf"
	if [ -f "$keys/intermediate.cert.pem" ]; then
		chain=("--intermediate=$keys/intermediate.cert.pem")
	fi
	rm -f "$out/rccar-$version.raucb"
	rauc bundle --conf="$work/rauc.conf" "${chain[@]}" --mksquashfs-args='-b 64K -comp zstd -Xcompression-level 3' --cert="$keys/signing.cert.pem" --key="$keys/signing.key.pem" \
		--keyring="$keys/keyring.pem" "$work/bundle" "$out/rccar-$version.raucb"
}

case $board in
rpi4 | rpi5 | qemu) ;;
*) fail "BR2_ROOTFS_POST_SCRIPT_ARGS is \"$board\": it is rpi4, rpi5 or qemu" ;;
esac
rm -rf "$work"
mkdir -p "$work"
make_initrd
make_slot
make_firmware
make_card
make_bundle
