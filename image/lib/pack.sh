# Archives and file systems whose bits depend on their content only. Needs inside.sh.
# shellcheck shell=bash

# pack_initrd FOLDER: an archive of the folder for the kernel, on standard output.
pack_initrd() {
  inside -b "$1:tree" sh -c 'cd /mnt/tree && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc --reproducible -R 0:0 --renumber-inodes'
}

# make_fat IMAGE MIB LABEL ID FOLDER: a FAT file system with the folder's content, the same for the
# same content.
make_fat() {
  local image=$1 folder=$5
  reset_times "$folder"
  truncate -s "$2M" "$image"
  inside -b "${image%/*}:out" -b "$folder:in" sh -euc '
    mkfs.vfat -F "$4" --invariant -i "$3" -n "$2" "/mnt/out/$1" >/dev/null
    cd /mnt/in
    find . -mindepth 1 -type d | LC_ALL=C sort | while read -r path; do mmd -i "/mnt/out/$1" "::${path#./}"; done
    find . -type f | LC_ALL=C sort | while read -r path; do mcopy -m -i "/mnt/out/$1" "$path" "::${path#./}"; done
  ' make_fat "${image##*/}" "$3" "$4" "$([ "$2" -ge 64 ] && echo 32 || echo 16)"
}
