#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest whose root is on an md mirror over partitions of two disks: found, and its fstab understood,
# without md and without the device mapper; read with one disk only; never written by halves.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img mkfs.ext4 sfdisk jq
may_mount
cd "$T"

# The superblocks were written by mdadm on devices of 16 MiB, with the data at 1 MiB.
super=$H2K_SRC/tests/fuzz/corpus/md_super/r1-1.2
uuid=$(dd if="$super" bs=16 skip=1 count=1 status=none | od -An -tx1 | tr -d ' \n')

# guest ROOT-DEVICE: a.raw and b.raw, whose fstab calls the root so
guest()
{
    local disk
    rm -rf tree
    tiny_tree tree "$1"
    mkdir tree/etc/mdadm
    printf 'HOMEHOST <system>\nARRAY /dev/md0 metadata=1.2\n  UUID=%s\n' "$uuid" \
        >tree/etc/mdadm/mdadm.conf
    rm -f root.ext4
    truncate -s 15M root.ext4
    mkfs.ext4 -q -U 6b1ac1a0-8a5e-4c52-9d3c-6a9e1a6f0a11 -d tree -F root.ext4
    for disk in a b; do
        rm -f $disk.raw
        truncate -s 18M $disk.raw
        printf 'label: dos\nstart=2048,size=32768,type=fd,bootable\n' |
            sfdisk -q --no-reread --no-tell-kernel $disk.raw
        dd if=root.ext4 of=$disk.raw bs=1M seek=2 conv=notrunc status=none
    done
    dd if="$super" of=a.raw bs=512 seek=2056 count=1 conv=notrunc status=none
    dd if="$super" of=b.raw bs=512 seek=2056 skip=1 count=1 conv=notrunc status=none
}

found() { jq -e "$1" out >/dev/null || fail "not so: $1: $(cat out)"; }

for source in /dev/md0 /dev/md/r1-1.2 /dev/md127 UUID=6b1ac1a0-8a5e-4c52-9d3c-6a9e1a6f0a11; do
    guest $source
    sum=$(sha256sum a.raw b.raw)
    expect 0 "$H2K" inspect --json -a a.raw -a b.raw
    found '.systems | length == 1'
    found '.systems[0].root == "/dev/md/r1-1.2" and .systems[0].hostname == "tiny"'
    found '.systems[0].mounts[0] | .target == "/" and .device == "/dev/md/r1-1.2"'
    found '[.volumes[] | select(.kind == "md")] ==
        [{name: "/dev/md/r1-1.2", kind: "md", type: "ext4", size_bytes: 15728640, label: "",
        uuid: "6b1ac1a0-8a5e-4c52-9d3c-6a9e1a6f0a11", parents: ["/dev/sda1", "/dev/sdb1"]}]'
    [ "$sum" = "$(sha256sum a.raw b.raw)" ] || fail "a disk has changed"
    check_clean
done

# the same through FUSE
qemu-img convert -f raw -O vmdk a.raw a.vmdk
qemu-img convert -f raw -O vmdk b.raw b.vmdk
expect 0 "$H2K" inspect --json --backend fuse -a b.vmdk -a a.vmdk
found '.systems[0].root == "/dev/md/r1-1.2"'
check_clean

# to write, both halves and a device mapper are needed
expect 0 "$H2K" inspect --json a.raw
found '.systems[0].root == "/dev/md/r1-1.2"'
found '.volumes[] | select(.kind == "md") | .read_only ==
    "raid1 array with 1 of 2 members missing or out of date"'
schema_ok h2k.inspect-1 out
expect 0 "$H2K" inspect a.raw
expect_text "^ *read-only: raid1 array with 1 of 2" out
expect 5 "$H2K" offline-fix -o fixed.qcow2 a.raw
expect_text "/dev/md/r1-1.2 cannot be written: raid1 array with 1 of 2 members missing"
[ ! -e fixed.qcow2 ] || fail "a target of half an array"
if [ ! -e /sys/class/misc/device-mapper ] && ! modprobe -q dm-mod; then
    expect 4 "$H2K" offline-fix --output-dir . -a a.raw -a b.raw
    expect_text "/dev/md/r1-1.2 cannot be written: the kernel has no device mapper"
    for i in 0 1 2; do
        truncate -s 16M raid5.$i
        dd if="${super%/*}/r5-1.2" of=raid5.$i bs=512 seek=8 skip=$i count=1 conv=notrunc status=none
    done
    expect 4 "$H2K" inspect --format raw -a raid5.0 -a raid5.1 -a raid5.2
    expect_text "md array /dev/md/r5-1.2 cannot be used: the kernel has no device mapper"
    expect 1 "$H2K" inspect --format raw -a raid5.0
    expect_text "2 of its 3 members are missing or out of date: name all disks"
fi
check_clean

# a write journal, and a member of another shape
python3 - a.raw <<'END'
import struct, sys
with open(sys.argv[1], "r+b") as disk:
    disk.seek(1052672)
    data = bytearray(disk.read(512))
    struct.pack_into("<I", data, 8, 512)
    struct.pack_into("<I", data, 216, 0)
    total = sum(struct.unpack("<128I", data))
    struct.pack_into("<I", data, 216, (total & 0xffffffff) + (total >> 32))
    disk.seek(1052672)
    disk.write(data)
END
expect 5 "$H2K" inspect a.raw
expect_text "no operating system was found; /dev/sda1: .* /dev/md/r1-1.2 cannot be used: .* journal"
expect_text "^ *not opened: the md array /dev/md/r1-1.2 cannot be used" out
check_clean
