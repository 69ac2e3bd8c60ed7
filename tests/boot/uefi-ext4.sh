#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# UEFI, ESP and ext4, systemd-networkd; and once more without the removable-path loader, as on a
# machine that booted by an entry in its NVRAM: a new machine has no such entry.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/boot.sh"
requires mdeltree mdir

before_and_after uefi-ext4 sata --uefi

copy_image "$(need_guest uefi-ext4)" "$T/nvram.raw"
esp=$T/nvram.raw@@1M
mdeltree -i "$esp" ::/EFI/BOOT
boot 7 "$T/nvram.raw" --bus sata --uefi
expect 0 "$H2K" offline-fix --output-dir "$target" "$T/nvram.raw"
boot 0 "$target/nvram.xml" --login root:guest --command "$(network_check ens192)"
check_clean
