#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# BIOS, ext4, /dev/sda1 in fstab and grub, ifupdown, the MAC in a udev rule.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/boot.sh"

may_mount
before_and_after bios-ext4 pvscsi

# Two cards under systemd-networkd, one with DHCP (the emulated network gives 10.0.2.15), each under
# its old name.
copy_image "$guest" "$T/two.raw"
loop=$(losetup -f --show -o 1048576 "$T/two.raw")
mkdir "$T/mnt"
mount "$loop" "$T/mnt"
etc=$T/mnt/etc
rm -f "$etc"/udev/rules.d/70-persistent-net.rules
printf 'auto lo\niface lo inet loopback\n' >"$etc/network/interfaces"
printf '[Match]\nName=ens192\n[Network]\nAddress=192.168.10.20/24\n' >"$etc/systemd/network/10-static.network"
printf '[Match]\nName=ens224\n[Network]\nDHCP=yes\n' >"$etc/systemd/network/20-dhcp.network"
ln -s /lib/systemd/system/systemd-networkd.service "$etc/systemd/system/multi-user.target.wants/"
umount "$T/mnt"
losetup -d "$loop"
expect 0 "$H2K" offline-fix --output-dir "$target" --nic ens192=00:50:56:00:00:01 \
    --nic ens224=00:50:56:00:00:02 "$T/two.raw"
# shellcheck disable=SC2016 # expanded in the guest
dhcp_check='for n in $(seq 60); do ip -4 -br addr show dev ens224 | grep -q "UP .*10\.0\.2\.15" && break; sleep 1; done;
ip -4 -br addr show dev ens224 | grep -q "UP .*10\.0\.2\.15"'
boot 0 "$target/two.xml" --login root:guest --command "$dhcp_check && { $(network_check ens192); }"
check_clean
