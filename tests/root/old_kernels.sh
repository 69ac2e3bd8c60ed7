#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Kernels without virtio drivers, from inspection to the domain: emulated hardware, another default
# when there is one; drivers that a full /boot has no room for are refused before anything is
# written.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img mkfs.ext4 sfdisk python3 cpio depmod cc
cd "$T"

# module TREE VERSION PATH: an ELF object that depmod takes for a module
module()
{
    mkdir -p "$1/usr/lib/modules/$2/$(dirname "$3")"
    echo 'const char l[] __attribute__((section(".modinfo"), used)) = "license=GPL";' |
        cc -x c -c -o "$1/usr/lib/modules/$2/$3" -
}
# kernel TREE VERSION MODULE...: its modules, and a nash initramfs that has the first one only
kernel()
{
    local tree=$1 version=$2
    shift 2
    for m in "$@"; do module "$tree" "$version" "kernel/drivers/$m"; done
    touch "$tree/usr/lib/modules/$version/modules.builtin" "$tree/usr/lib/modules/$version/modules.order"
    depmod -b "$tree" "$version" 2>/dev/null
    rm -rf image
    mkdir -p image/lib
    cp "$tree/usr/lib/modules/$version/kernel/drivers/$1" image/lib/
    printf '#!/bin/nash\ninsmod /lib/%s\nmkblkdevs\nmkrootdev -t ext3 -o defaults,ro sda1\nmount /sysroot\n' \
        "$(basename "$1")" >image/init
    head -c 2900K /dev/urandom >image/firmware
    (cd image && find . | cpio -o -H newc --quiet | gzip -n) >"$tree/boot/initrd-$version.img"
    touch "$tree/boot/vmlinuz-$version"
    printf 'title %s\n\tkernel /boot/vmlinuz-%s ro\n\tinitrd /boot/initrd-%s.img\n' "$version" "$version" \
        "$version" >>"$tree/boot/grub/menu.lst"
}
field() { python3 -c "import json, sys; print(eval(sys.argv[1], {'d': json.load(open(sys.argv[2]))}))" "$1" "$2"; }

tiny_tree tree UUID=x
echo 'default=0' >tree/boot/grub/menu.lst
kernel tree 2.6.9-5.EL scsi/mptspi.ko ata/ata_piix.ko scsi/sd_mod.ko
tiny_disk old.raw tree
expect 0 "$H2K" offline-fix -o old.qcow2 old.raw
[ "$(field 'd["target"]["disk_bus"], d["target"]["machine"]' old.report.json)" = "('ide', 'pc')" ] ||
    fail "the report says $(field 'd["target"]' old.report.json)"
expect_text 'bus="ide"' old.xml
expect_text 'model type="e1000"' old.xml
! grep -q virtio old.xml || fail "virtio in the domain"
expect 0 "$H2K" plan --exit-code old.qcow2

# the second kernel can start from virtio: it becomes the default, and gets its drivers
kernel tree 2.6.18-398.el5 scsi/mptspi.ko virtio/virtio_pci.ko block/virtio_blk.ko
tiny_disk two.raw tree
expect 0 "$H2K" plan two.raw
expect_text '^-default=0' out
expect_text '^\+default=1' out
expect 0 "$H2K" offline-fix -o two.qcow2 two.raw
expect_text 'bus="virtio"' two.xml
expect 0 "$H2K" inspect --json two.qcow2
[ "$(field '[(k["version"], k["initrd_has_virtio"]) for k in d["systems"][0]["kernels"] if k["default"]]' out)" = \
    "[('2.6.18-398.el5', True)]" ] || fail "started: $(cat out)"

# a /boot of its own: without room for a second copy of an initramfs, then without room at all
mkdir boot
mv tree/boot/* boot/
sed -i 's, /boot/, /,' boot/grub/menu.lst
echo 'UUID=5d6c5ee1-0001-4000-8000-0123456789ab /boot ext4 defaults 0 2' >>tree/etc/fstab
# boot_disk IMAGE: the root, and the /boot as it is now
boot_disk()
{
    rm -f boot.part
    truncate -s 8M boot.part
    mkfs.ext4 -q -d boot -F -m 0 -N 64 -O ^has_journal -U 5d6c5ee1-0001-4000-8000-0123456789ab boot.part
    tiny_disk "$1" tree
    truncate -s 58M "$1"
    dd if=boot.part of="$1" bs=1M seek=49 conv=notrunc status=none
    printf 'start=2048,size=98304,type=83\nstart=100352,size=16384,type=83\n' |
        sfdisk -q --wipe-partitions never "$1" >/dev/null
}
boot_disk tight.raw
expect 0 "$H2K" offline-fix -o tight.qcow2 tight.raw
expect 0 "$H2K" plan --exit-code tight.qcow2

head -c 1100K /dev/urandom >boot/filler # leaves less than the margin of 1 MiB
boot_disk full.raw
before=$(sha256sum full.raw)
expect 0 "$H2K" plan full.raw
expect_text 'offline-fix will change nothing: the guest.s file system at /boot is too full' out
expect 5 "$H2K" offline-fix -o none.qcow2 full.raw
expect_text 'at /boot is too full: .* are missing'
[ ! -e none.qcow2 ] || fail "a target was made"
[ "$before" = "$(sha256sum full.raw)" ] || fail "the source was written to"
check_clean
