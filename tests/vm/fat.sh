#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Windows on FAT32 by the kernel's own driver.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img qemu-system-x86_64 mkfs.vfat mcopy

if [ "${1:-}" != inside ]; then
    in_vm -t 300 -- "$0" inside
    exit 0
fi
modprobe -a nbd loop fuse vfat nls_cp437 nls_iso8859-1 nls_utf8 nls_ascii
expect 0 "$H2K_SRC/tests/root/windows_fat.sh"
expect 0 "$H2K" doctor --json
jq -e '.drivers[] | select(.name == "vfat").state == "ready"' "$T/out" >"$T/found" || fail "$(cat "$T/out")"
