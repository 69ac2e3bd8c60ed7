#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# UEFI, ext4 on LUKS2 with its key in the initramfs, /dev/sda3 in crypttab, netplan.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/boot.sh"
requires cryptsetup dmsetup

boot_as_it_is uefi-luks sata --uefi
fix_in_vm "${sources[@]}" --key all:key:guest
boot 0 "$target"/*.xml --bus virtio-scsi --login root:guest --command "$(network_check ens192)"
check_clean
