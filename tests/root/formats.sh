#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every format and sub-format that qemu writes: h2k inspect finds the same in all, a copy whose data
# or tables are cut off is refused, sources keep bytes and mtime, and nothing is left.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img mkfs.ext4 sfdisk jq
cd "$T"

# A second file system ends where the disk ends and is full of data, so that the end of each image
# matters; where a format splits disks at 2 GiB, it lies beyond that.
tiny_tree tree /dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part1
printf '/dev/sda2 /data ext4 defaults 0 2\n' >>tree/etc/fstab
mkdir tree/data data raw
tiny_disk part1 tree
head -c 32M /dev/urandom >data/random
truncate -s 48M part2
mkfs.ext4 -q -d data -F part2
disk() # FILE MIB: where the second file system begins
{
    truncate -s $(($2 + 48))M "$1"
    dd if=part1 of="$1" bs=1M conv=notrunc,sparse status=none
    dd if=part2 of="$1" bs=1M seek="$2" conv=notrunc,sparse status=none
    printf 'label-id:0x12345678\n2048,98304,83\n%d,98304,83\n' $(($2 * 2048)) |
        sfdisk -q --wipe never --wipe-partitions never "$1" >sfdisk.out
}
disk raw/disk.raw 50
disk large.raw 2100

make() # FOLDER FORMAT[,OPTIONS] FILE [RAW]
{
    mkdir "$1"
    qemu-img convert -f raw -O "${2%%,*}" -o "${2#*,}" "${4:-raw/disk.raw}" "$1/$3"
}
for kind in monolithicSparse monolithicFlat streamOptimized; do
    make "vmdk-$kind" "vmdk,subformat=$kind" disk.vmdk
done
for kind in twoGbMaxExtentSparse twoGbMaxExtentFlat; do
    make "vmdk-$kind" "vmdk,subformat=$kind" disk.vmdk large.raw
done
make vmdk-lsilogic vmdk,adapter_type=lsilogic,hwversion=7 disk.vmdk
make qcow2 qcow2,compat=1.1 disk.qcow2
make qcow2-v2 qcow2,compat=0.10,cluster_size=4k disk.qcow2
make qcow2-l2 qcow2,extended_l2=on,cluster_size=2M disk.qcow2
mkdir qcow2-compressed
qemu-img convert -c -f raw -O qcow2 -o compression_type=zstd raw/disk.raw qcow2-compressed/disk.qcow2
make vhd-dynamic vpc,subformat=dynamic disk.vhd
make vhd-fixed vpc,subformat=fixed disk.vhd
make vhdx-dynamic vhdx,subformat=dynamic disk.vhdx
make vhdx-fixed vhdx,subformat=fixed disk.vhdx
make vdi vdi,static=off disk.vdi
make vdi-static vdi,static=on disk.vdi

state() { sha256sum "$1"/*; stat -c '%n %s %Y %y' "$1"/*; }

# What is found, without what is the image's own: its name and sizes.
found() { jq -S '.systems, [.volumes[] | select(.kind != "disk")]' out; }

# The file that holds the end of the disk.
last_file() { find "$1" -type f -size +100k | sort | tail -n 1; }

count=0
for folder in raw vmdk-* qcow2* vhd* vdi*; do
    image=$(find "$folder" -name 'disk.*' | head -n 1)
    before=$(state "$folder")
    for backend in auto fuse $([ "$folder" != raw ] || echo loop); do
        expect 0 timeout 60 "$H2K" inspect --json --backend "$backend" "$image"
        found >"$folder.found"
        cmp -s raw.found "$folder.found" ||
            fail "$folder, $backend: $(diff raw.found "$folder.found")"
    done
    expect 0 timeout 60 "$H2K" plan "$image"
    expect_text '^\+UUID=[0-9a-f-]{36} / ext4' out
    [ "$before" = "$(state "$folder")" ] || fail "$folder: the source changed"

    # halved, and only the last sectors missing
    cp -r --sparse=always "$folder" "cut-$folder"
    last=$(last_file "cut-$folder")
    image=$(find "cut-$folder" -name 'disk.*' | head -n 1)
    size=$(stat -c %s "$last")
    for cut in $((size - 4194304)) $((size / 2 / 512 * 512)) $((size / 2 + 17)); do
        truncate -s "$cut" "$last"
        for command in inspect plan; do
            expect 1 timeout 60 "$H2K" "$command" "$image"
            expect_text 'truncated|footer|not a multiple of 512'
        done
    done
    rm -r "cut-$folder"
    count=$((count + 1))
done
targets=$(jq -rs '.[0][0].mounts | map(.target) | join(" ")' raw.found)
[ "$targets" = "/ /data" ] || fail "mounted: $targets"
check_clean
say "$count kinds of images"
