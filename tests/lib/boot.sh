# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What every boot test does with its guest; sourced after functions.sh.

# Inside the guest: all is up, and the static address is on the virtio NIC under its old name.
# shellcheck disable=SC2016 # expanded in the guest
network_check='ip -br addr; systemctl --failed --no-legend --no-pager;
test "$(basename "$(readlink /sys/class/net/ens192/device/driver)")" = virtio_net &&
ip -4 -br addr show dev ens192 | grep -q "UP .*192\.168\.10\.20/24" &&
test -z "$(systemctl --failed --no-legend)"'

# before_and_after NAME CONTROLLER [OPTION...]: it boots as it is on VMware's controller; it does not
# on virtio (one guest per run, all with H2K_TEST_ALL); it does after offline-fix on virtio-blk and
# virtio-scsi. The image is left in $guest, the folder of the target in $target.
before_and_after()
{
    local name=$1 controller=$2
    shift 2
    requires root qemu-img qemu-system-x86_64
    guest=$(need_guest "$name")
    boot 0 "$guest" --bus "$controller" "$@"
    if [ -n "${H2K_TEST_ALL:-}" ] || [ "$name" = bios-ext4 ]; then
        boot 7 "$guest" --bus virtio "$@"
        expect_text "virtio.*root|root.*not|initramfs" "$T/out"
    fi

    make_vmdk "$guest" "$T/$name.vmdk" streamOptimized
    target=$T/target
    mkdir "$target"
    expect 0 "$H2K" offline-fix --output-dir "$target" "$T/$name.vmdk"
    check_clean
    boot 0 "$target/$name.xml" --login root:guest --command "$network_check"
    boot 0 "$target/$name.xml" --bus virtio-scsi --login root:guest --command "$network_check"
    check_clean
}
