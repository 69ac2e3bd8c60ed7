#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# BIOS, xfs on LVM, a small and almost full /boot by path, two kernels, NetworkManager.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/boot.sh"
requires lvm dmsetup

boot_as_it_is bios-lvm pvscsi
fix_in_vm "${sources[@]}"
boot 0 "$target"/*.xml --login root:guest --command "$(network_check ens192)"
check_clean
