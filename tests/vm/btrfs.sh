#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The same as tests/root/btrfs.sh on a stock kernel, which is too old to tell copies of a btrfs apart,
# beside udevd, which scans what it sees.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img qemu-system-x86_64 mkfs.btrfs btrfs sfdisk jq python3

if [ "${1:-}" != inside ]; then
    in_vm -u -t 500 -- "$0" inside
    exit 0
fi
modprobe -a loop btrfs xfs
exec "$H2K_SRC/tests/root/btrfs.sh"
