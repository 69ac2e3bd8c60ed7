# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Volume groups made by lvm itself, on a kernel with or without a device mapper: volumes are only
# described, and what is to lie on a linear one is written to its place.

# lvm_loop FILE: a loop device for lvm_offline to use, as $loop
lvm_loops=()
lvm_loop()
{
    loop=$(losetup -f --show "$1")
    lvm_loops+=("$loop")
}

# lvm_done: give them up
lvm_done()
{
    losetup -d "${lvm_loops[@]}"
    lvm_loops=()
}

# lvm_offline COMMAND ARG...: lvm on these loop devices, without the kernel
lvm_offline()
{
    local command=$1 filter
    shift
    filter=$(printf '"a|^%s$|",' "${lvm_loops[@]}")
    mkdir -p "$T/lvm-offline"
    cat >"$T/lvm-offline/lvm.conf" <<-EOF
	devices { use_devicesfile=0 obtain_device_list_from_udev=0 filter=[$filter"r|.*|"] }
	activation { udev_sync=0 udev_rules=0 monitoring=0 }
	backup { backup=0 archive=0 }
	EOF
    LVM_SYSTEM_DIR=$T/lvm-offline LVM_SUPPRESS_FD_WARNINGS=1 \
        "$command" --driverloaded n -qq -y "$@" >"$T/lvm-offline/out" 2>&1 ||
        fail "$command $*: $(cat "$T/lvm-offline/out")"
}

# lvm_disk IMAGE VG MIB: a whole disk as the only member of a group with extents of 1 MiB
lvm_disk()
{
    truncate -s "$3M" "$1"
    lvm_loop "$1"
    lvm_offline vgcreate -s 1M "$2" "$loop"
}
