#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each step that h2k asks of the kernel fails once: mounts, namespaces, devices, processes, syncing.
# It ends, not by a crash, says why when it fails, and leaves nothing behind; the source stays as it
# is. The guest: /boot on one disk, the root on LVM on another one. FAULTS_STEP=1: every step (the
# default leaves out most of the many that read guest files).
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
. "$H2K_SRC/tests/lib/lvm-guest.sh"
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

attaching=mount,umount2,unshare,setns,ioctl,fsopen,fsconfig,fsmount,move_mount,mknod,mkdir,clone,clone3,vfork,pipe2,socketpair,flock,pidfd_open
syncing=fsync,fdatasync,syncfs,ftruncate,rename,renameat2,linkat
files=openat2

# after_fault STATUS: what must hold after a run in which a call has failed
after_fault()
{
    local what
    what="$(grep INJECTED "$T/calls" || tail -n 3 "$T/calls"): status $1"
    case $1 in
    0 | [1-8]) ;;
    *) fail "$what: $(tail -n 3 "$T/err")" ;;
    esac
    [ "$1" = 0 ] || [ -s "$T/err" ] || fail "$what, without a word"
    if [ -n "$(leftovers)" ]; then
        [ "$1" != 0 ] || check_clean
        # a release that fails leaves a record, so that it can be made up for
        expect 0 "$H2K" cleanup
        [ -z "$(leftovers)" ] || check_clean
    fi
    # what has its final name is complete: only the report may be missing after that
    if [ "$1" != 0 ] && [ -e "$T/target/disk0-sda.qcow2" ]; then
        expect 0 "$H2K" plan --exit-code -a "$T/target/disk0-sda.qcow2" -a "$T/target/disk0-sdb.qcow2"
    fi
}

# faults STEP CALLS ERROR COMMAND...: each STEP-th of these calls fails once
faults()
{
    local step=$1 calls=$2 error=$3 call n total status runs=0 at=$((RANDOM % $1))
    shift 3
    strace -qq -o "$T/calls" -e signal=none -e trace="$calls" "$@" >"$T/out" 2>"$T/err" ||
        fail "without faults: $(cat "$T/err")"
    rm -rf "$T/target"/*
    sed 's/(.*//' "$T/calls" | sort | uniq -c >"$T/counts"
    while read -r total call; do
        for ((n = 1; n <= total; n++)); do
            [ $((at++ % step)) = 0 ] || continue
            status=0
            timeout 60 strace -qq -o "$T/calls" -e signal=none -e trace="$call" \
                -e inject="$call:error=$error:when=$n" "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
            after_fault $status
            rm -rf "$T/target"/*
            runs=$((runs + 1))
        done
    done <"$T/counts"
    [ "$runs" -gt 2 ] || fail "only $runs runs: $(cat "$T/counts")"
    say "$at calls, $runs of them failed with $error: $SECONDS s"
}

faults "${FAULTS_STEP:-2}" "$attaching" EIO "$H2K" inspect "${disks[@]}"
faults "${FAULTS_STEP:-16}" "$files" EACCES "$H2K" inspect "${disks[@]}"
faults "${FAULTS_STEP:-4}" "$attaching" ENOMEM "$H2K" offline-fix -q --output-dir "$T/target" "${disks[@]}"
faults "${FAULTS_STEP:-2}" "$syncing" EIO "$H2K" offline-fix -q --output-dir "$T/target" "${disks[@]}"
[ "$sum" = "$(sha256sum "$T"/disk?.vmdk)" ] || fail "a source has changed"
check_clean
