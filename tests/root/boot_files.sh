#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Names of disks in the files of all boot loaders and of LVM, on a real file system: UUIDs in the
# target, comments and the size of GRUB's environment kept, and nothing left to plan.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img mkfs.ext4 sfdisk debugfs blkid
cd "$T"

tiny_tree tree /dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part1
mkdir -p tree/boot/{grub2,extlinux,loader/entries} tree/etc/lvm/devices
printf '# by hand\ntitle A\n\troot (hd0,0)\n\tkernel /v root=/dev/hda1\n\tinitrd /i\n' >tree/boot/grub/grub.conf
ln -s grub.conf tree/boot/grub/menu.lst
{
    printf '# GRUB Environment Block\nkernelopts=root=/dev/nvme0n1p1 ro \n'
    head -c 1024 /dev/zero | tr '\0' '#'
} | head -c 1024 >tree/boot/grub2/grubenv
printf 'title A\nlinux /v\ninitrd /i\noptions root=/dev/sda1 ro\n' >tree/boot/loader/entries/a.conf
printf 'LABEL a\n  LINUX /v\n  APPEND initrd=/i root=/dev/xvda1\n' >tree/boot/extlinux/extlinux.conf
printf 'devices {\n\tfilter = [ "a|^/dev/sda1$|", "r|.*|" ]\n}\n' >tree/etc/lvm/lvm.conf
echo 'IDTYPE=sys_wwid IDNAME=naa.6 DEVNAME=/dev/sda1 PVID=x' >tree/etc/lvm/devices/system.devices
tiny_disk guest.raw tree

expect 0 "$H2K" offline-fix -O raw -o fixed.raw guest.raw
inside="fixed.raw?offset=1048576"
uuid=$(blkid -p -O 1048576 -s UUID -o value fixed.raw)
show() { debugfs -R "cat $1" "$inside" 2>/dev/null; }
holds() { show "$1" >got; grep -qxF -- "$2" got || { cat got >&2; fail "$1 lacks: $2"; }; }

holds /etc/fstab "UUID=$uuid / ext4 defaults 0 1"
holds /boot/grub/grub.conf "	kernel /v root=UUID=$uuid"
holds /boot/grub/grub.conf "# by hand"
holds /boot/grub2/grubenv "kernelopts=root=UUID=$uuid ro "
[ "$(show /boot/grub2/grubenv | wc -c)" = 1024 ] || fail "grubenv has another size"
holds /boot/loader/entries/a.conf "options root=UUID=$uuid ro"
holds /boot/extlinux/extlinux.conf "  APPEND initrd=/i root=UUID=$uuid"
holds /etc/lvm/lvm.conf '	filter = [ "a|^/dev/[hsv]da1$|", "r|.*|" ]'
[ -z "$(show /etc/lvm/devices/system.devices)" ] || fail "system.devices is still there"
expect 0 "$H2K" plan --exit-code fixed.raw
