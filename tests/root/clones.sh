#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Clones of one guest, all with the same UUIDs: the host has one mounted, and several h2k work on
# others at the same time. Each has to do with its own image only, and the host's mount stays.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root losetup mkfs.ext4 mkfs.xfs mkfs.btrfs jq qemu-img

tiny_tree "$T/tree" /dev/sda

# clone FS N: image $T/FS-N.raw, whose hostname is FS-N
clone()
{
    local file=$T/$1-$2.raw
    if [ "$2" = 0 ]; then
        truncate -s "$3M" "$file"
        "mkfs.$1" -q "$file" >"$T/mkfs" 2>&1 || fail "mkfs.$1: $(cat "$T/mkfs")"
        mount -o loop "$file" "$T/mnt"
        cp -a "$T/tree/." "$T/mnt"
    else
        cp --sparse=always "$T/$1-0.raw" "$file"
        mount -o "loop${4:+,$4}" "$file" "$T/mnt"
    fi
    echo "$1-$2" >"$T/mnt/etc/hostname"
    sed -i "s/ext4/$1/" "$T/mnt/etc/fstab"
    umount "$T/mnt"
}

# The host's mount and its loop device. Others come and go with the tests beside this one.
host_state()
{
    findmnt -rn "$T/host"
    losetup -n -l -O NAME,BACK-FILE "$(findmnt -rno SOURCE "$T/host")"
}

may_mount
mkdir "$T/mnt" "$T/host"
cases=(ext4:48: xfs:320:nouuid)
# older kernels cannot mount two; h2k refuses then (root.btrfs)
[ "$(printf '%s\n' 6.7 "$(uname -r)" | sort -V | head -n 1)" != 6.7 ] || cases+=(btrfs:128:)
for fs in "${cases[@]}"; do
    IFS=: read -r name size option <<<"$fs"
    for i in 0 1 2; do clone "$name" "$i" "$size" "$option"; done
    mount -o loop "$T/$name-0.raw" "$T/host"
    echo "the host writes" >"$T/host/host"
    before=$(host_state)

    for i in 1 2; do
        expect 0 "$H2K" inspect --json "$T/$name-$i.raw"
        [ "$(jq -r '.systems[0].hostname' "$T/out")" = "$name-$i" ] || fail "$name: another clone was read: $(cat "$T/out")"
    done
    "$H2K" offline-fix -q -O raw -o "$T/$name-1.fixed" "$T/$name-1.raw" 2>"$T/one" &
    one=$!
    "$H2K" offline-fix -q -O raw -o "$T/$name-2.fixed" "$T/$name-2.raw" 2>"$T/two" &
    two=$!
    wait $one || fail "$name: the first of two at once: $(cat "$T/one")"
    wait $two || fail "$name: the second of two at once: $(cat "$T/two")"
    for i in 1 2; do
        expect 0 "$H2K" inspect --json "$T/$name-$i.fixed"
        [ "$(jq -r '.systems[0].hostname' "$T/out")" = "$name-$i" ] || fail "$name: clones are mixed: $(cat "$T/out")"
        expect 0 "$H2K" plan --exit-code "$T/$name-$i.fixed"
    done
    [ "$before" = "$(host_state)" ] || fail "$name: the host had [$before], now [$(host_state)]"
    [ "$(cat "$T/host/host" "$T/host/etc/hostname")" = "the host writes
$name-0" ] || fail "$name: the host's file system has changed"
    echo "still" >"$T/host/host"
    umount "$T/host"
    rm "$T/$name"-*
    say "$name: $SECONDS s"
done
check_clean
