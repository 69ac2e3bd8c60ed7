#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# BIOS, two disks, btrfs on md RAID 1, dracut, a bridge of ifupdown.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/boot.sh"
requires mdadm dmsetup

boot_as_it_is bios-md pvscsi
fix_in_vm "${sources[@]}"
boot 0 "$target"/*.xml --login root:guest --command "$(network_check br0) && ! grep -q _ /proc/mdstat"
check_clean
