# Running tools of the builder root. Needs steps.sh.
# shellcheck shell=bash

# inside [-b PATH:NAME]… COMMAND…: runs a command in the builder root, without network, with each
# PATH at /mnt/NAME. Nothing of the builder root can change; mounts and processes end with the
# command.
inside() {
  local binds=()
  while [ "$1" = -b ]; do
    binds+=("$2")
    shift 2
  done
  local network=(--net)
  unshare --mount "${network[@]}" --pid --fork --kill-child image/lib/chroot "${BUILDER:-${result[builder]}/root}" "${#binds[@]}" "${binds[@]}" \
    /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C.UTF-8 TZ=UTC \
    SOURCE_DATE_EPOCH="$EPOCH" E2FSPROGS_FAKE_TIME="$EPOCH" "$@"
}

# local_archive SET FOLDER: an archive of exactly the locked packages of a set, for apt.
local_archive() {
  local set=$1 folder=$2 name version arch size sha place
  mkdir -p "$folder"
  locked "$set" | while read -r name version arch size sha place; do
    ln "$(deb_path "$sha")" "$folder/$sha.deb"
    dpkg-deb -f "$folder/$sha.deb"
    printf 'Filename: ./%s.deb\nSize: %s\nSHA256: %s\n\n' "$sha" "$size" "$sha"
  done >"$folder/Packages"
  printf 'Suite: stable\nCodename: trixie\nSHA256:\n %s %s Packages\n' \
    "$(sha256sum <"$folder/Packages" | cut -d' ' -f1)" "$(stat -c %s "$folder/Packages")" >"$folder/Release"
}

# reset_times FOLDER: no file of an image is younger than the lock.
reset_times() { find "$1" -newermt "@$EPOCH" -exec touch -h -d "@$EPOCH" {} +; }
