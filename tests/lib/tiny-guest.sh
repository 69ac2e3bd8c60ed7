# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A disk with the smallest tree that is a Linux system; for tests of what happens around a guest.
# What must boot is made by make-guest from real packages.

# tiny_tree DIR [DEVICE]: the tree; DEVICE is what fstab calls the root.
tiny_tree()
{
    mkdir -p "$1"/{etc,usr/bin,usr/lib,boot/grub,dev,proc,sys,var/lib/dpkg}
    ln -s usr/bin "$1/bin"
    ln -s usr/lib "$1/lib"
    printf 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (tiny)"\n' >"$1/etc/os-release"
    echo tiny >"$1/etc/hostname"
    printf '# tiny\n%s / ext4 defaults 0 1\n' "${2:-/dev/sda1}" >"$1/etc/fstab"
    printf 'Package: base\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n' \
        >"$1/var/lib/dpkg/status"
    cp /bin/true "$1/usr/bin/sh"
}

# tiny_disk IMAGE TREE... : an MBR disk with one ext4 partition of 48 MiB for each tree.
tiny_disk()
{
    local image=$1 n=0 tree
    shift
    truncate -s $(($# * 48 + 1))M "$image"
    for tree in "$@"; do
        truncate -s 48M "$image.part"
        mkfs.ext4 -q -d "$tree" -F "$image.part"
        dd if="$image.part" of="$image" bs=1M seek=$((n * 48 + 1)) conv=notrunc,sparse status=none
        rm "$image.part"
        printf 'start=%d,size=%d,type=83\n' $(((n * 48 + 1) * 2048)) $((48 * 2048))
        n=$((n + 1))
    done | sfdisk -q --wipe-partitions never "$image" >/dev/null
}

# efi_program FILE TEXT: a program of UEFI for x86_64 without sections, and TEXT behind its headers.
efi_program() { printf 'MZ%58s\100\0\0\0PE\0\0\144\206\0\0%16s%s' '' '' "$2" >"$1"; }
