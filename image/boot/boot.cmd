# The boot script: chooses the slot, and counts its attempts before it tries. The same for every
# board, emulated or not. The state lies in the partition `env` as two copies of an environment
# block with a checksum: a cut while one is written leaves the other.

# What is read and written without a number is on the device in use: without this line the first
# one, which on a Pi 4 is the Wi-Fi's.
${devtype} dev ${devnum}
part start ${devtype} ${devnum} env env_start
setexpr env_copy ${env_start} + 0x40
if test "${board}" = "qemu-arm"; then
  # Messages cost time on a real serial line only.
  setenv console_args "console=ttyAMA0 loglevel=7"
  setenv tree ${fdtcontroladdr}
  setexpr state ${scriptaddr} + 0x100000
  setenv kernel_comp_addr_r 0x50000000
  setenv overlay_addr 0x4fd00000
  setenv tree_a 0x4fe00000
  setenv tree_b 0x4ff00000
else
  # GPIO header of the Pi 4 and of the Pi 5, the Pi 5's debug connector, and the screen; absent ones
  # are ignored.
  setenv console_args "console=tty0 console=ttyAMA10,115200 console=ttyAMA0,115200 console=ttyS1,115200 loglevel=5"
  setenv tree ${fdt_addr}
  test -n "${tree}" || setenv tree ${fdtcontroladdr}
  # U-Boot's own addresses leave 38 MB for the kernel; Debian's has 52 MB. The emulator keeps its
  # device tree at 0x08000000.
  setenv kernel_addr_r 0x00200000
  setenv ramdisk_addr_r 0x06000000
  setenv overlay_addr 0x07c00000
  setenv tree_a 0x07d00000
  setenv tree_b 0x07e00000
  setenv state 0x07f00000
  setenv kernel_comp_addr_r 0x0a000000
fi
setenv kernel_comp_size 0x04000000

setenv BOOT_ORDER
setenv BOOT_A_LEFT
setenv BOOT_B_LEFT
if ${devtype} read ${state} ${env_start} 0x40 && env import -c ${state} 0x8000 BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; then
  true
elif ${devtype} read ${state} ${env_copy} 0x40 && env import -c ${state} 0x8000 BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; then
  echo "rccar: first copy of the boot state is damaged, the second is used"
else
  echo "rccar: no boot state, starting afresh"
fi
test -n "${BOOT_ORDER}" || setenv BOOT_ORDER "A B"
test -n "${BOOT_A_LEFT}" || setenv BOOT_A_LEFT 3
test -n "${BOOT_B_LEFT}" || setenv BOOT_B_LEFT 3
# Linux reads the first copy only: it is whole again before any slot starts.
setenv save 'env export -c -s 0x8000 ${state} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; ${devtype} write ${state} ${env_start} 0x40; ${devtype} write ${state} ${env_copy} 0x40'

# The overlays that provision.toml asks for, as rccar-provision has written them down: names, and the
# shunt of the power monitor. Whatever else is in that file is not taken; one that is damaged, or
# missing, costs the overlays and not the start.
setenv overlays
setenv power_overlay
setenv power_shunt
part number ${devtype} ${devnum} fw part
if test -e ${devtype} ${devnum}:${part} overlays.env; then
  if load ${devtype} ${devnum}:${part} ${state} overlays.env 0x400 && env import -c ${state} 0x400 overlays power_overlay power_shunt; then
    true
  else
    echo "rccar: overlays.env is damaged, no overlay is applied"
  fi
fi

for slot in ${BOOT_ORDER}; do
  setenv left 0
  if test "${slot}" = "A"; then setenv left ${BOOT_A_LEFT}; fi
  if test "${slot}" = "B"; then setenv left ${BOOT_B_LEFT}; fi
  if test ${left} -gt 0; then
    setexpr left ${left} - 1
    setenv BOOT_${slot}_LEFT ${left}
    run save
    echo "rccar: slot ${slot} (attempts left: A ${BOOT_A_LEFT}, B ${BOOT_B_LEFT}; order ${BOOT_ORDER})"
    part number ${devtype} ${devnum} boot${slot} part
    # Each overlay is tried on a copy: one that does not apply leaves its tree unusable. The slot has
    # them by board, or by chip; "board" is for every board of a kind, asked for or not.
    setenv started_tree ${tree}
    setenv next_tree ${tree_a}
    setenv other_tree ${tree_b}
    setenv applied
    setenv failed
    setenv missing
    setenv tree_board
    setenv tree_chip
    fdt addr ${tree}
    fdt get value tree_board / compatible 0
    fdt get value tree_chip / compatible 1
    for overlay in board ${overlays}; do
      setenv file overlays/${tree_board}/${overlay}.dtbo
      if test -e ${devtype} ${devnum}:${part} ${file}; then true; else setenv file overlays/${tree_chip}/${overlay}.dtbo; fi
      if test -e ${devtype} ${devnum}:${part} ${file}; then
        setenv good no
        if load ${devtype} ${devnum}:${part} ${overlay_addr} ${file} 0x10000; then
          if test "${overlay}" = "${power_overlay}" && test -n "${power_shunt}"; then
            fdt addr ${overlay_addr}
            fdt set /fragment@0/__overlay__/power-monitor@41 shunt-resistor <${power_shunt}>
          fi
          if fdt move ${started_tree} ${next_tree} 0x40000 && fdt apply ${overlay_addr}; then setenv good yes; fi
        fi
        if test "${good}" = "yes"; then
          setenv applied ${applied}${overlay},
          setenv started_tree ${next_tree}
          setenv next_tree ${other_tree}
          setenv other_tree ${started_tree}
        else
          echo "rccar: overlay ${file} does not apply"
          setenv failed ${failed}${overlay},
        fi
      elif test "${overlay}" != "board"; then
        echo "rccar: this slot has no overlay ${overlay} for ${tree_board} or ${tree_chip}"
        setenv missing ${missing}${overlay},
      fi
    done
    echo "rccar: overlays ${applied}"
    # gpt: Linux, too, takes the second copy of a damaged partition table. panic, oops: a lost
    # kernel is an attempt that failed. persist: on a Pi 5, too, a line of a process that has ended
    # becomes an input, so that OE of the servo board goes up.
    setenv bootargs "${console_args} rauc.slot=${slot} ro gpt panic=5 oops=panic systemd.show_status=0 pinctrl_rp1.persist_gpio_outputs=0 rccar.overlays=${applied} rccar.overlays_failed=${failed} rccar.overlays_missing=${missing}"
    if load ${devtype} ${devnum}:${part} ${kernel_addr_r} Image.gz && load ${devtype} ${devnum}:${part} ${ramdisk_addr_r} initrd.img; then
      booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${started_tree}
    fi
    echo "rccar: slot ${slot} cannot be started"
    setenv BOOT_${slot}_LEFT 0
    run save
  fi
done

echo "rccar: no slot has attempts left, both get new ones"
setenv BOOT_A_LEFT 3
setenv BOOT_B_LEFT 3
run save
sleep 1
reset
