#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each step that h2k asks of the kernel fails once: mounts, namespaces, devices, processes, syncing.
# It ends, not by a crash, says why when it fails, and leaves nothing behind; the source stays as it
# is. The guest: /boot on one disk, the root on LVM on another one. FAULTS_STEP=1: every step (the
# default leaves out most of the many that read guest files).
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
. "$H2K_SRC/tests/lib/lvm-guest.sh"
. "$H2K_SRC/tests/lib/faults.sh"
requires root lvm losetup sfdisk mkfs.ext4 qemu-img strace

tiny_tree "$T/tree" /dev/mapper/sys-root
mv "$T/tree/boot" "$T/boot"
mkdir "$T/tree/boot"
echo '/dev/sda1 /boot ext4 defaults 0 2' >>"$T/tree/etc/fstab"
tiny_disk "$T/disk0.raw" "$T/boot"
lvm_disk "$T/disk1.raw" sys 64
lvm_offline lvcreate -an -Zn -Wn -n root -L 48M sys
lvm_done
mkfs.ext4 -q -F -d "$T/tree" -E offset=$((1 << 20)) "$T/disk1.raw" 48M
for i in 0 1; do make_vmdk "$T/disk$i.raw" "$T/disk$i.vmdk"; done
rm "$T"/disk?.raw
disks=(-a "$T/disk0.vmdk" -a "$T/disk1.vmdk")
sum=$(sha256sum "$T"/disk?.vmdk)
mkdir "$T/target"

faults "${FAULTS_STEP:-2}" "$attaching" EIO "$H2K" inspect "${disks[@]}"
faults "${FAULTS_STEP:-16}" "$files" EACCES "$H2K" inspect "${disks[@]}"
faults "${FAULTS_STEP:-4}" "$attaching" ENOMEM "$H2K" offline-fix -q --output-dir "$T/target" "${disks[@]}"
faults "${FAULTS_STEP:-2}" "$syncing" EIO "$H2K" offline-fix -q --output-dir "$T/target" "${disks[@]}"
[ "$sum" = "$(sha256sum "$T"/disk?.vmdk)" ] || fail "a source has changed"
check_clean
