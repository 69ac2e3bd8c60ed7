# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What every boot test does with its guest; sourced after functions.sh.

# network_check TOP [NIC]: prints a command for inside the guest: all is up; the static address is
# on TOP (the NIC itself, or a bridge or a bond), and the NIC is virtio under its old name. NIC
# "any": the guest knows none of its names.
network_check()
{
    printf 'nic=%s; top=%s; ' "${2:-ens192}" "$1"
    # shellcheck disable=SC2016 # expanded in the guest
    echo 'timeout 300 systemctl is-system-running --wait;
for n in $(seq 60); do ip -4 -br addr | grep -q "UP .*192\.168\.10\.20/24" && break; sleep 1; done;
ip -br addr; systemctl --failed --no-legend --no-pager;
test $nic != any || top=$(ip -4 -br addr | sed -n "s/ .*192\.168\.10\.20.*//p") nic=$top;
test "$(basename "$(readlink /sys/class/net/$nic/device/driver)")" = virtio_net &&
{ test $nic = $top || test -e /sys/class/net/$top/lower_$nic; } &&
ip -4 -br addr show dev $top | grep -q "UP .*192\.168\.10\.20/24" &&
test -z "$(systemctl --failed --no-legend)"'
}

# boot_as_it_is NAME CONTROLLER [OPTION...]: the guest is $guest, with all its disks $sources; it boots
# on VMware's controller and does not on virtio (shown with H2K_TEST_ALL, and by one guest always).
boot_as_it_is()
{
    local name=$1 controller=$2
    shift 2
    requires root qemu-img qemu-system-x86_64
    guest=$(need_guest "$name")
    sources=(-a "$guest")
    [ ! -e "${guest%.raw}.sdb.raw" ] || sources+=(-a "${guest%.raw}.sdb.raw")
    target=$T/target
    mkdir "$target"
    [ -n "${H2K_TEST_ALL:-}" ] || [ "$name" = bios-ext4 ] || return 0
    boot 0 "$guest" "${sources[@]:2}" --bus "$controller" "$@"
    boot 7 "$guest" "${sources[@]:2}" --bus virtio "$@"
    expect_text "virtio.*root|root.*not|initramfs" "$T/out"
}

# before_and_after NAME CONTROLLER [OPTION...]: as above; and after offline-fix it boots on virtio-blk
# and virtio-scsi.
before_and_after()
{
    boot_as_it_is "$@"
    make_vmdk "$guest" "$T/$1.vmdk" streamOptimized
    expect 0 "$H2K" offline-fix --output-dir "$target" "$T/$1.vmdk"
    check_clean
    boot 0 "$target/$1.xml" --login root:guest --command "$(network_check ens192)"
    boot 0 "$target/$1.xml" --bus virtio-scsi --login root:guest --command "$(network_check ens192)"
    check_clean
}

# fix_in_vm OPTION...: offline-fix where there are a device mapper and md, of which nothing is left
fix_in_vm()
{
    # shellcheck disable=SC2016 # expanded inside
    expect 0 in_vm -m 2048 -u -- bash -euc 'modprobe -a nbd loop dm-mod dm-crypt dm-raid md_mod raid1 xfs btrfs vfat
        export TMPDIR=/var/tmp
        "$@"
        test "$(dmsetup ls; losetup -a; ls -A /run/h2k)" = "No devices found"' \
        - "$H2K" offline-fix --output-dir "$target" "$@"
    say "fixed: $SECONDS s"
}
