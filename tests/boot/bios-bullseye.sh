#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Debian 11: BIOS, ext4, a bond of ifupdown.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/boot.sh"

boot_as_it_is bios-bullseye ide
expect 0 "$H2K" offline-fix --output-dir "$target" "${sources[@]}"
boot 0 "$target"/*.xml --bus virtio-scsi --login root:guest --command "$(network_check bond0)"
check_clean
