#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The nbd backend on a kernel that has it: partitions, an ESP read and written by the kernel's vfat,
# the whole main job, and nothing left behind.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img qemu-system-x86_64

if [ "${1:-}" != inside ]; then
    make_vmdk "$(need_guest uefi-ext4)" "$T/guest.vmdk" streamOptimized
    in_vm -m 2048 -t 1400 -- "$0" inside "$T"
    exit 0
fi

shared=$2
no_nbd_in_use()
{
    local block
    for block in /sys/block/nbd*; do
        [ ! -e "$block/pid" ] || fail "$block is connected"
    done
    ! pgrep -a qemu-nbd || fail "qemu-nbd is running"
}

modprobe -a nbd vfat nls_cp437 nls_ascii nls_iso8859-1 ext4
expect 0 "$H2K" inspect --backend nbd --json "$shared/guest.vmdk"
python3 - "$T/out" <<'END'
import json, sys
found = json.load(open(sys.argv[1]))
assert found["disks"][0]["table"] == "gpt", found["disks"]
volumes = {v["name"]: v["type"] for v in found["volumes"]}
assert volumes["/dev/sda1"] == "vfat" and volumes["/dev/sda2"] == "ext4", volumes
system = found["systems"][0]
assert (system["distro"], system["firmware"]) == ("debian", "uefi"), system
assert {"/", "/boot/efi"} <= {m["target"] for m in system["mounts"]}, system["mounts"]
END
check_clean
no_nbd_in_use

expect 0 "$H2K" offline-fix --backend nbd -o "$shared/fixed.qcow2" "$shared/guest.vmdk"
check_clean
no_nbd_in_use
expect 0 "$H2K" plan --backend nbd --exit-code "$shared/fixed.qcow2"
check_clean
no_nbd_in_use
