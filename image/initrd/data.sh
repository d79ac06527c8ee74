# The data partition: grown to the card, repaired, made anew if nothing else helps. Power may be cut
# between any two of these steps, and within each: the next boot finds either the old state or the
# new one, or repairs what it finds.

# Sectors that are worth growing for: 8 MiB.
WORTH=16384

# What a car would miss most. Each of these directories knows its own place, in a file inside: when
# the directory above is destroyed, a repair of the file system finds their content, but not their
# names.
LABELLED="var rccar rauc var/lib var/lib/rccar var/lib/rccar-update var/lib/rccar-modem var/lib/iwd var/lib/dropbear"
LABEL=.place

mount_data() {
  local device
  mkdir -p /newroot/data 2>/dev/null
  if ! device=$(partition data); then
    notice data-missing "The card has no data partition: nothing is kept over a restart. Flash the card anew."
    mount -t tmpfs -o nosuid,nodev,mode=755,size=64m data /newroot/data
    return
  fi
  repair_table "$device"
  check "$device"
  if ! try_mount "$device"; then
    # A version whose kernel lacks the module must not take the other slot's data with it: it has
    # failed.
    grep -qw ext4 /proc/filesystems || fail "this kernel cannot mount the data partition"
    make_anew "$device"
    if ! try_mount "$device"; then
      notice data-unusable "The card's data partition cannot be used, the card is probably worn out: nothing is kept over a restart."
      mount -t tmpfs -o nosuid,nodev,mode=755,size=64m data /newroot/data
      return
    fi
  fi
  grow_filesystem "$device"
}

try_mount() { mount -t ext4 -o noatime,nosuid,nodev,errors=remount-ro "$1" /newroot/data; }

check() {
  local code
  in_root /usr/sbin/e2fsck -p "$1" >/run/e2fsck.log 2>&1
  code=$?
  [ "$code" -ge 4 ] || return 0
  in_root /usr/sbin/e2fsck -y "$1" >>/run/e2fsck.log 2>&1
  code=$?
  if [ "$code" -lt 4 ]; then
    notice data-repaired "The data partition was damaged and has been repaired."
  else
    # Whether it can be used all the same, the mount tells: a check that ran into trouble of its own
    # (memory, a bad read) is no reason to lose what is there.
    say "the data partition could not be repaired (e2fsck: $code): $(tail -n 1 /run/e2fsck.log)"
  fi
}

make_anew() {
  # shellcheck disable=SC2046 # options
  if ! in_root /usr/sbin/mke2fs -F $(cat /etc/data.options) "$1" >/run/mke2fs.log 2>&1; then
    say "the data partition cannot be made anew: $(tail -n 1 /run/mke2fs.log)"
    return
  fi
  notice data-remade "The data partition was damaged beyond repair and has been made anew: the car has lost its identity and must be enrolled again."
}

# ---
# growing ------------------------------------------------------------------------------------------

# BusyBox of wrynose has no `truncate`, and of `od` less than Debian's: these two do without.
#
# number: bytes as one number, the least of them first.
number() {
  local sum=0 factor=1 byte
  # Three octal digits for each.
  for byte in $(od -b | sed 's/^[^ ]* *//'); do
    sum=$((sum + 0$byte * factor)) factor=$((factor * 256))
  done
  echo "$sum"
}

# empty FILE SECTORS: a file of that size with nothing in it.
empty() {
  rm -f "$1"
  dd if=/dev/zero of="$1" bs=512 seek="$2" count=0 2>/dev/null
}

sectors() { cat "/sys/class/block/${1#/dev/}/size"; }

# repair_table PARTITION: both copies of the partition table agree, and the partition reaches to the
# card's end. The second copy is written first, then the first copy in one write of 4 KiB, so that
# one of the two is whole at any instant; boot script and kernel take either.
repair_table() {
  local name disk size start number length
  name=${1#/dev/}
  disk=$(basename "$(dirname "$(readlink -f "/sys/class/block/$name")")")
  size=$(sectors "$disk")
  start=$(cat "/sys/class/block/$name/start")
  number=$(cat "/sys/class/block/$name/partition")
  length=$(((size - 34 - start) / 2048 * 2048))
  if [ $((length - $(sectors "$name"))) -lt $WORTH ]; then
    ! tables_agree "$disk" "$size" || return 0
    length=$(sectors "$name")
  fi
  say "writing the partition table for the whole card"
  new_table "$disk" "$size" "$number" "$length" || { say "the partition table stays as it is"; return 0; }
  dd if=/run/table of="/dev/$disk" bs=512 skip=$((size - 33)) seek=$((size - 33)) count=33 conv=notrunc,fsync 2>/dev/null
  dd if=/run/table of="/dev/$disk" bs=4096 count=1 conv=notrunc,fsync 2>/dev/null
  rm -f /run/table
  in_root /usr/bin/partx --update --nr "$number" "/dev/$disk" || true
}

# tables_agree DISK SECTORS: whether the entries are the same, and the first copy points to the
# second at the card's end.
tables_agree() {
  local head=/run/head tail=/run/tail
  dd if="/dev/$1" of=$head bs=512 count=34 2>/dev/null
  dd if="/dev/$1" of=$tail bs=512 skip=$(($2 - 33)) count=33 2>/dev/null
  [ "$(dd if=$head bs=512 skip=1 count=1 2>/dev/null | dd bs=1 skip=32 count=8 2>/dev/null | number)" = $(($2 - 1)) ] &&
    [ "$(dd if=$tail bs=512 skip=32 count=1 2>/dev/null | head -c 8)" = "EFI PART" ] &&
    [ "$(dd if=$head bs=512 skip=2 count=32 2>/dev/null | md5sum)" = "$(dd if=$tail bs=512 count=32 2>/dev/null | md5sum)" ]
}

# new_table DISK SECTORS NUMBER LENGTH: leaves an empty card of that size with the table wanted in
# /run/table.
new_table() {
  empty /run/table "$2"
  dd if="/dev/$1" of=/run/table bs=512 count=34 conv=notrunc 2>/dev/null
  dd if="/dev/$1" of=/run/table bs=512 skip=$(($2 - 33)) seek=$(($2 - 33)) count=33 conv=notrunc 2>/dev/null
  in_root /usr/sbin/sfdisk --dump /run/table 2>/dev/null | sed "/^last-lba/d; /^\/run\/table$3 /s/size= *[0-9]*/size=$4/" >/run/table.dump
  grep -q 'name="data"' /run/table.dump || return 1
  empty /run/table "$2"
  in_root /usr/sbin/sfdisk --quiet --wipe never --wipe-partitions never /run/table </run/table.dump
}

# grow_filesystem PARTITION: mounted, the kernel grows it by journalled steps, so a cut leaves it
# whole and smaller.
grow_filesystem() {
  local blocks
  blocks=$(dd if="$1" bs=4 skip=257 count=1 2>/dev/null | number)
  [ $(($(sectors "${1#/dev/}") - blocks * 8)) -ge $WORTH ] || return 0
  say "growing the data partition to the whole card"
  in_root /usr/sbin/resize2fs "$1" >/run/resize2fs.log 2>&1 || say "it stays as it is: $(tail -n 1 /run/resize2fs.log)"
}

# ---
# content ------------------------------------------------------------------------------------------

prepare_data() {
  local data=/newroot/data full= place
  put_back $data
  if [ "$(free_kib)" -lt 4096 ]; then
    rm -rf $data/var/log/journal $data/var/cache $data/var/tmp
    if [ "$(free_kib)" -lt 4096 ]; then
      full=yes
      notice data-full "The data partition is full: until the next start, settings and logs are kept in memory only."
    else
      notice data-freed "The data partition was full: logs and caches have been removed."
    fi
  fi
  mkdir -p $data/var $data/rccar $data/rauc 2>/dev/null
  chmod 700 $data/rccar $data/rauc 2>/dev/null
  for place in $LABELLED; do label "$data" "$place"; done
  if [ ! -d $data/var ]; then
    mount -t tmpfs -o nosuid,nodev,mode=755,size=32m var /newroot/var
  elif [ -z "$full" ] || ! overlay_var; then
    mount --bind $data/var /newroot/var
  fi
}

# label DATA PLACE
label() {
  [ ! -d "$1/$2" ] || [ "$(cat "$1/$2/$LABEL" 2>/dev/null)" = "$2" ] || echo "$2" 2>/dev/null >"$1/$2/$LABEL" || true
}

# put_back DATA: what a repair of this boot, or of an earlier one that was cut short, found without
# a name returns to its place, outer directories first, and never over what is there.
put_back() {
  local found place
  for place in $LABELLED; do
    for found in "$1"/lost+found/*; do
      [ ! -e "$1/$place" ] && [ "$(cat "$found/$LABEL" 2>/dev/null)" = "$place" ] || continue
      mkdir -p "$(dirname "$1/$place")" && mv "$found" "$1/$place" && say "the repair found /data/$place again"
    done
  done
}

# overlay_var: what is there can be read, what is written goes to memory. Services that cannot write
# at all do not even start.
overlay_var() {
  mkdir -p /run/var-overlay
  mount -t tmpfs -o nosuid,nodev,mode=755,size=32m var-overlay /run/var-overlay
  mkdir /run/var-overlay/upper /run/var-overlay/work
  mount -t overlay -o nosuid,nodev,lowerdir=/newroot/data/var,upperdir=/newroot/run/var-overlay/upper,workdir=/newroot/run/var-overlay/work var /newroot/var
}

free_kib() { stat -f -c '%a %S' /newroot/data | { read -r blocks size && echo $((blocks * size / 1024)); }; }
