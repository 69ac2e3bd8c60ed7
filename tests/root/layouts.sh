#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Partition tables and file systems: whatever the disk looks like, the system on it is found and its
# fstab is repaired; what cannot be opened is listed and does no harm.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img mkfs.ext4 mkfs.vfat mcopy sfdisk jq
may_mount
cd "$T"

tiny_tree tree /dev/sda1

# root_fs FILE DEVICE: a file system with the tree, whose fstab calls its device so
root_fs()
{
    sed -i "s,^/[^ ]*,$2," tree/etc/fstab
    truncate -s 48M "$1"
    mkfs.ext4 -q -d tree -F "$1"
}
# The table, in sfdisk's language, comes from stdin.
lay_out() # IMAGE SIZE [SECTOR SIZE]
{
    local loop status=0
    rm -f "$1"
    truncate -s "$2" "$1"
    loop=$(losetup -f --show -b "${3:-512}" "$1")
    sfdisk -q --no-reread --no-tell-kernel "$loop" >sfdisk.out 2>&1 || status=$?
    losetup -d "$loop"
    [ "$status" = 0 ] || fail "sfdisk: $(cat sfdisk.out)"
}
# put IMAGE FILE MIB
put() { dd if="$2" of="$1" bs=1M seek="$3" conv=notrunc,sparse status=none; }

volumes() { jq -r '[.volumes[] | .name[5:] + "=" + .type] | join(" ")' out; }
check() # IMAGE STATUS VOLUMES [OPTION...]
{
    local image=$1 sum got
    sum=$(sha256sum "$image")
    expect "$2" timeout 60 "$H2K" inspect --json "${@:4}" "$image"
    got=$(volumes)
    [ "$got" = "$3" ] || fail "$image: $got"
    expect "$2" timeout 60 "$H2K" plan --only fstab "${@:4}" "$image"
    [ "$2" != 0 ] || expect_text '^\+UUID=.* / ' out
    expect "$2" timeout 60 "$H2K" offline-fix --only fstab -o fixed.qcow2 "${@:4}" "$image"
    if [ "$2" = 0 ]; then
        # a disk keeps its sectors where it goes
        case $image in
        *4096*)
            jq -e '.disks[0].sector_size == 4096' fixed.report.json >/dev/null || fail "$image: sectors"
            grep -q 'logical_block_size="4096"' fixed.xml || fail "$image: $(cat fixed.xml)"
            ;;
        *) ! grep block_size fixed.xml || fail "$image: block size" ;;
        esac
        expect 0 "$H2K" plan --exit-code --only fstab fixed.qcow2 --format qcow2
    fi
    rm -f fixed*
    [ "$sum" = "$(sha256sum "$image")" ] || fail "$image changed"
    say "$image: $got"
}

# --- tables
root_fs root.ext4 /dev/sda5
printf 'label: dos\nstart=2048,size=2048,type=83\nstart=4096,type=5\nstart=6144,size=98304,type=83\nsize=2048,type=82\n' |
    lay_out logical.raw 64M
put logical.raw root.ext4 3
check logical.raw 0 "sda1= sda2= sda5=ext4 sda6="
root_fs root.ext4 /dev/sda1

printf 'label: gpt\nstart=2048,size=98304,name=root\n' | lay_out gpt.raw 64M
put gpt.raw root.ext4 1
check gpt.raw 0 "sda1=ext4"

printf 'label: gpt\nstart=256,size=12288,name=root\n' | lay_out gpt4096.raw 64M 4096
put gpt4096.raw root.ext4 1
check gpt4096.raw 0 "sda1=ext4" --format raw
qemu-img convert -O vmdk gpt4096.raw gpt4096.vmdk
check gpt4096.vmdk 0 "sda1=ext4"

printf 'label: dos\nstart=256,size=12288,type=83\n' | lay_out mbr4096.raw 64M 4096
put mbr4096.raw root.ext4 1
check mbr4096.raw 0 "sda1=ext4"

root_fs whole.raw /dev/sda
check whole.raw 0 "sda=ext4"

# --- file systems
if command -v mkfs.xfs >/dev/null && grep -qw xfs /proc/filesystems; then
    truncate -s 320M root.xfs
    mkfs.xfs -q root.xfs
    mkdir -p mnt
    mount -o loop root.xfs mnt
    cp -a tree/. mnt/
    sed -i 's,^/dev/sda / ext4,/dev/sda1 / xfs,' mnt/etc/fstab
    umount mnt
    printf 'label: gpt\nstart=2048,size=655360\n' | lay_out xfs.raw 324M
    put xfs.raw root.xfs 1
    check xfs.raw 0 "sda1=xfs"
fi
if command -v mkfs.btrfs >/dev/null && grep -qw btrfs /proc/filesystems; then
    truncate -s 128M root.btrfs
    mkfs.btrfs -q root.btrfs
    mkdir -p mnt
    mount -o loop root.btrfs mnt
    btrfs -q subvolume create mnt/@ && btrfs -q subvolume create mnt/@home
    cp -a tree/. mnt/@/
    mkdir mnt/@/home
    printf '/dev/sda1 / btrfs subvol=@ 0 0\n/dev/sda1 /home btrfs subvol=/@home 0 0\n' >mnt/@/etc/fstab
    umount mnt
    printf 'label: gpt\nstart=2048,size=262144\n' | lay_out btrfs.raw 132M
    put btrfs.raw root.btrfs 1
    check btrfs.raw 0 "sda1=btrfs"
    cp btrfs.raw btrfs2.raw
    cp btrfs.raw btrfs3.raw
    expect 0 timeout 60 "$H2K" inspect -j 3 --json btrfs.raw btrfs2.raw btrfs3.raw
    [ "$(jq -s 'map(.systems | length) | add' out)" = 3 ] || fail "copies of a btrfs"
fi

# --- ESP, with names in small letters
mkdir -p tree/boot/efi
printf '/dev/sda2 / ext4 defaults 0 1\n/dev/sda1 /boot/efi vfat umask=0077 0 1\n' >tree/etc/fstab
truncate -s 48M root2.ext4
mkfs.ext4 -q -d tree -F root2.ext4
truncate -s 16M esp
mkfs.vfat esp >/dev/null
efi_program grub loader
mmd -i esp ::/efi ::/efi/debian
mcopy -i esp grub ::/efi/debian/grubx64.efi
printf 'label: gpt\nstart=2048,size=32768,type=uefi\nstart=34816,size=98304\n' | lay_out esp.raw 68M
put esp.raw esp 1
put esp.raw root2.ext4 17
check esp.raw 0 "sda1=vfat sda2=ext4"
expect 0 "$H2K" inspect --json esp.raw
[ "$(jq -r '.systems[0].firmware' out)" = uefi ] || fail "firmware"
expect 0 "$H2K" offline-fix -o esp.qcow2 esp.raw
qemu-img convert -O raw esp.qcow2 esp-fixed.raw
mdir -b -i esp-fixed.raw@@1M ::/efi/boot >list || fail "no removable path: $(cat out err)"
expect_text '[Bb][Oo][Oo][Tt][Xx]64' list
fsck.vfat -n "$(dd if=esp-fixed.raw of=esp-fixed bs=1M skip=1 count=16 status=none; echo esp-fixed)" >fsck ||
    fail "$(cat fsck)"

# --- data of other systems
if command -v mkfs.ntfs >/dev/null; then
    truncate -s 16M data.ntfs
    mkfs.ntfs -q -F data.ntfs >/dev/null 2>&1
        root_fs root.ext4 /dev/sda1
    printf 'label: dos\nstart=2048,size=98304,type=83\nsize=32768,type=7\n' | lay_out ntfs.raw 66M
    put ntfs.raw root.ext4 1
    put ntfs.raw data.ntfs 49
    check ntfs.raw 0 "sda1=ext4 sda2=ntfs"
    printf 'label: dos\nstart=2048,size=32768,type=7\n' | lay_out only.raw 20M
    put only.raw data.ntfs 1
    check only.raw 3 "sda1=ntfs"
    check data.ntfs 3 "sda=ntfs"
fi
check_clean
