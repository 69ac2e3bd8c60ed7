#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest whose every interesting file is a trap: links that lead out, FIFOs, devices, endless or huge
# files. Nothing of the host is read (a canary's text never comes out) or written, nothing hangs.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img mkfs.ext4 sfdisk mknod
cd "$T"

canary=CANARY-$RANDOM$RANDOM
mkdir host
for name in fstab os-release hostname grub.cfg grub device.map status interfaces initrd dir; do
    case $name in
    fstab) echo "/dev/sda1 /$canary ext4 defaults 0 1" ;;
    os-release) echo "ID=debian VERSION_ID=12 PRETTY_NAME=$canary" ;;
    *) printf 'auto ens192 # %s root=/dev/sda1\n' "$canary" ;;
    esac >"host/$name"
done
mkdir host/folder
echo "$canary" >host/folder/file
host=$(find host -type f -exec sha256sum {} + ; find host -printf '%p %y %m %T@\n')
etc=$(stat -c '%n %i %s %Y' /etc/fstab /etc/hostname /etc/os-release 2>&1 || :)

# What guests have that h2k looks at; each becomes a trap of each kind, one kind for each disk.
files=(etc/fstab etc/crypttab etc/hostname etc/os-release etc/default/grub etc/initramfs-tools/modules
    etc/network/interfaces boot/grub/grub.cfg boot/grub/device.map boot/grub/grubenv
    boot/initrd.img-6.1.0-1-amd64 boot/vmlinuz-6.1.0-1-amd64 boot/config-6.1.0-1-amd64
    usr/lib/modules/6.1.0-1-amd64/modules.dep usr/lib/modules/6.1.0-1-amd64/modules.builtin
    var/lib/dpkg/status etc/udev/rules.d/70-persistent-net.rules etc/netplan/01.yaml
    etc/systemd/network/10-ens192.network etc/NetworkManager/system-connections/a.nmconnection
    etc/sysconfig/network-scripts/ifcfg-eth0 etc/sysconfig/network/ifcfg-eth0 etc/modprobe.conf
    etc/wicked/ifconfig/a.xml etc/dhcpcd.conf etc/conf.d/net etc/rc.d/rc.inet1.conf etc/mactab
    etc/cloud/cloud.cfg etc/sysconfig/hwconf etc/dracut.conf.d/h2k.conf usr/lib/os-release
    etc/machine-id etc/X11/xorg.conf)
folders=(etc/network/interfaces.d etc/sysconfig/network-scripts etc/wicked/ifconfig etc/netplan
    etc/systemd/network etc/udev/rules.d etc/default boot usr/lib/modules etc/initramfs-tools
    var/lib/dpkg etc/systemd/system etc/dracut.conf.d)

trap_at() # KIND PATH: of what it shall be
{
    local up=../../../../../../../../../..
    mkdir -p "$(dirname "$2")"
    rm -rf "$2"
    case $1 in
    absolute) ln -s "$T/host/$(basename "$2" | sed 's/initrd.*/initrd/')" "$2" ;;
    outside) ln -s "$up$T/host/folder" "$2" ;;
    relative) ln -s "$up$T/host/fstab" "$2" ;;
    magic) ln -s "/proc/self/root$T/host/fstab" "$2" ;;
    descriptor) ln -s /proc/self/fd/0 "$2" ;;
    dangling) ln -s no/such/file "$2" ;;
    loop) ln -s "$(basename "$2")" "$2" ;;
    fifo) mkfifo "$2" ;;
    zero) mknod "$2" c 1 5 ;;
    disk) mknod "$2" b "$((0x$(stat -c %t "$loop")))" "$((0x$(stat -c %T "$loop")))" ;;
    folder) mkdir "$2" ;;
    huge) truncate -s 10G "$2" ;;
    escapes) printf 'a\033]0;title\007\302\2332J\0\377\r b\nc %*s\n' 70000 x >"$2" ;;
    garbage) head -c 50000 /dev/urandom >"$2" ;;
    esac
}

# A disk of the host that holds a canary: no device node of a guest may be opened.
canary_disk=$(mktemp /var/tmp/canary.XXXXXX)
on_exit rm -f "$canary_disk"
head -c 1M /dev/zero | tr '\0' '#' >"$canary_disk"
echo "$canary" | dd of="$canary_disk" conv=notrunc status=none
loop=$(losetup -f --show "$canary_disk")
on_exit losetup -d "$loop"
disk_sum=$(sha256sum "$canary_disk")

run() # STATUSES COMMAND...: one of these statuses, within a minute, and not a word of the host
{
    local want=$1 status=0
    shift
    timeout -k 5 60 "$H2K" "$@" >out 2>err </dev/null || status=$?
    case " $want " in
    *" $status "*) ;;
    *) cat out err >&2; fail "$kind: exit status $status: $*" ;;
    esac
    ! grep -aq "$canary" out err report* 2>/dev/null ||
        fail "$kind: $* gave text of the host away: $(grep -a "$canary" out err report*)"
    # neither C0 nor C1 (in UTF-8): a terminal would obey them
    ! LC_ALL=C grep -qP '[\x01-\x08\x0b-\x1f]|\xc2[\x80-\x9f]' out err ||
        fail "$kind: $* prints control characters: $(cat -v out err | head -c 2000)"
}

# try KIND FILE...: a system that is intact but for these.
try()
{
    rm -rf tree
    tiny_tree tree
    mkdir -p tree/lib/modules/6.1.0-1-amd64
    for file in "${@:2}"; do trap_at "$1" "tree/$file"; done
    tiny_disk guest.raw tree
    qemu-img convert -O vmdk guest.raw guest.vmdk
    before=$(sha256sum guest.vmdk)
    run "0 1 3 4" inspect guest.vmdk
    run "0 1 3 4" inspect --json guest.vmdk
    run "0 1 3 4 5" plan --show-secrets guest.vmdk
    run "0 1 3 4 5 7" offline-fix --report report -o fixed.qcow2 guest.vmdk
    if [ -e fixed.qcow2 ]; then # what is in the guest now
        qemu-img convert -O raw fixed.qcow2 fixed.raw
        ! LC_ALL=C grep -aq "$canary" fixed.raw || fail "$kind: text of the host is in the guest"
    fi
    [ "$before" = "$(sha256sum guest.vmdk)" ] || fail "$kind: the source changed"
    rm -f fixed* report*
}

count=0
for kind in absolute outside relative magic descriptor dangling loop fifo zero disk folder huge escapes \
    garbage; do
    try "$kind" "${files[@]}"
    # one that is still seen as a system
    try "$kind" "${files[@]:4}"
    case $kind in
    outside | relative | magic | loop | dangling | fifo) try "$kind" "${folders[@]}" ;;
    esac
    [ "$host" = "$(find host -type f -exec sha256sum {} + ; find host -printf '%p %y %m %T@\n')" ] ||
        fail "$kind: the host's files changed"
    [ "$disk_sum" = "$(sha256sum "$canary_disk")" ] || fail "$kind: the host's disk changed"
    count=$((count + 1))
done
[ "$etc" = "$(stat -c '%n %i %s %Y' /etc/fstab /etc/hostname /etc/os-release 2>&1 || :)" ] ||
    fail "the host's /etc changed"
check_clean
say "$count kinds of traps"
