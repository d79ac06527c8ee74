# The card: partitions in 512-byte sectors, from 4 MiB on. Flashed cards keep this layout for ever,
# so the slots have room to grow.
# shellcheck shell=bash disable=SC2034
GPT_ID=52434341-5200-4000-8000-000000000000
# Of the file system of the partition `data`.
DATA_ID=${GPT_ID%0}d
DATA_SEED=${GPT_ID%0}e
BASIC=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7
LINUX=0FC63DAF-8483-4772-8E79-3D69D8477DE4
declare -A start size
layout() {
  local at=8192 number=0 name mib type attrs
  echo "label: gpt"
  echo "label-id: $GPT_ID"
  echo "first-lba: 2048"
  while read -r name mib type attrs; do
    number=$((number + 1)) start[$name]=$at size[$name]=$((mib * 2048))
    echo "start=$at, size=${size[$name]}, type=$type, uuid=${GPT_ID%0}$number, name=$name${attrs:+, attrs=$attrs}"
    at=$((at + size[$name]))
  done <<TABLE
fw 64 $BASIC LegacyBIOSBootable
env 4 $LINUX
bootA 64 $BASIC
rootA 256 $LINUX
bootB 64 $BASIC
rootB 256 $LINUX
data 64 $LINUX
TABLE
  # The second copy of the table.
  CARD_SIZE=$(((at + 2048) * 512))
}
