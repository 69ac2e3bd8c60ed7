#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The loader at the ESP's removable path, on a FAT that is really written: each kind of loader comes
# there with what it reads, byte for byte; what is there stays, unless it is broken.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root mkfs.ext4 mkfs.vfat fsck.vfat mcopy mdir mmd mtype sfdisk jq
cd "$T"

tiny_tree tree /dev/sda2
mkdir -p tree/boot/efi
printf '/dev/sda2 / ext4 defaults 0 1\n/dev/sda1 /boot/efi vfat umask=0077 0 1\n' >tree/etc/fstab
truncate -s 32M root
mkfs.ext4 -q -d tree -U 12345678-1234-1234-1234-123456789abc -F root

# A new ESP; each NAME in the folder esp/ is put on it.
esp=guest.raw@@1M
make_guest()
{
    rm -rf guest.raw esp.img
    truncate -s 16M esp.img
    mkfs.vfat esp.img >mkfs.out
    mcopy -s -i esp.img esp/EFI ::/
    truncate -s 50M guest.raw
    printf 'label: gpt\nstart=2048,size=32768,type=uefi\nstart=34816,size=65536\n' |
        sfdisk -q --wipe-partitions never guest.raw >sfdisk.out
    dd if=esp.img of=guest.raw bs=1M seek=1 conv=notrunc,sparse status=none
    dd if=root of=guest.raw bs=1M seek=17 conv=notrunc,sparse status=none
}
# repair: the ESP of the repaired guest lies in fixed.raw, and in order
repair()
{
    make_guest
    rm -f fixed.*
    expect 0 "$H2K" offline-fix -O raw -o fixed.raw guest.raw
    esp=fixed.raw@@1M
    dd if=fixed.raw of=esp.img bs=1M skip=1 count=16 status=none
    fsck.vfat -n esp.img >fsck.out || fail "$(cat fsck.out)"
    expect 0 "$H2K" plan --exit-code --only bootloader --format raw fixed.raw
}
same() # PATH FILE
{
    mtype -i "$esp" "::/$1" >there || fail "no $1: $(mdir -b -/ -i "$esp" ::/EFI)"
    cmp there "$2" || fail "$1 is not $2"
}
# there are so many files in EFI/BOOT
count() { [ "$(mdir -b -i "$esp" ::/EFI/BOOT | wc -l)" = "$1" ] || fail "$(mdir -i "$esp" ::/EFI/BOOT)"; }

# --- shim and GRUB; the stub stays what it was
mkdir -p esp/EFI/debian
for name in shim grub mm fb; do efi_program "esp/EFI/debian/${name}x64.efi" "$name"; done
printf "search.fs_uuid %s root hd0,gpt2\nset prefix=(\$root)'/boot/grub'\nconfigfile \$prefix/grub.cfg\n" \
    12345678-1234-1234-1234-123456789abc >esp/EFI/debian/grub.cfg
cp esp/EFI/debian/grub.cfg stub
repair
same EFI/BOOT/BOOTX64.EFI esp/EFI/debian/shimx64.efi
same EFI/BOOT/grubx64.efi esp/EFI/debian/grubx64.efi
same EFI/BOOT/mmx64.efi esp/EFI/debian/mmx64.efi
same EFI/BOOT/grub.cfg stub
same EFI/debian/grub.cfg stub
count 4
jq -e '.target.firmware == "uefi"' fixed.report.json >jq.out || fail "$(cat fixed.report.json)"
say "shim and GRUB"

# --- what is there stays
mkdir -p esp/EFI/BOOT
efi_program esp/EFI/BOOT/BOOTX64.EFI other
repair
same EFI/BOOT/BOOTX64.EFI esp/EFI/BOOT/BOOTX64.EFI
count 1
say "another one stays"

# --- unless it is broken
: >esp/EFI/BOOT/BOOTX64.EFI
rm -r esp/EFI/debian
mkdir -p esp/EFI/systemd
efi_program esp/EFI/systemd/systemd-bootx64.efi systemd-boot
repair
same EFI/BOOT/BOOTX64.EFI esp/EFI/systemd/systemd-bootx64.efi
count 1
jq -r '.changes[] | .reason' fixed.report.json >reasons
expect_text 'what was there is empty' reasons
say "systemd-boot in the place of an empty file"

# --- GRUB 0.97, which looks for a file with its own name
rm -r esp/EFI/BOOT esp/EFI/systemd
mkdir -p esp/EFI/redhat
efi_program esp/EFI/redhat/grub.efi grub
printf 'default 0\ntitle a\n\troot (hd0,1)\n\tkernel /boot/vmlinuz root=/dev/sda2 ro\n\tinitrd /boot/initrd\n' \
    >esp/EFI/redhat/grub.conf
repair
same EFI/BOOT/BOOTX64.EFI esp/EFI/redhat/grub.efi
mtype -i "$esp" ::/EFI/BOOT/BOOTX64.conf >conf
expect_text 'root=UUID=12345678-1234-1234-1234-123456789abc ro' conf
same EFI/redhat/grub.conf conf
say "GRUB 0.97"
check_clean
