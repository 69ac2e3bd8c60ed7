#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# btrfs over two disks: found once, repaired, refused when a device is missing; the kernel remembers
# none of its devices afterwards, a killed run's neither. Copies of one file system, of btrfs and of
# xfs, on the host or in another run, are never mixed up. And which subvolume is the system.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img mkfs.btrfs btrfs sfdisk jq python3
grep -qw btrfs /proc/filesystems || modprobe -q btrfs || skip "the kernel has no btrfs"
may_mount
cd "$T"
mkdir mnt mnt2

loops=()
free_loops()
{
    local loop
    for loop in ${loops[@]+"${loops[@]}"}; do
        btrfs device scan --forget "$loop" 2>/dev/null || :
        losetup -d "$loop"
    done
    loops=()
}
# loop_of VAR FILE [OFFSET]
loop_of()
{
    local new
    new=$(losetup -f --show -o "${3:-0}" "$2")
    loops+=("$new")
    printf -v "$1" %s "$new"
}
# on_host DIR A B: mounted as a host has it
on_host()
{
    local first second
    loop_of first "$2" 1048576
    loop_of second "$3"
    mount -t btrfs -o "device=$first,device=$second,subvol=@" "$first" "$1"
}
off_host()
{
    umount "$1"
    free_loops
}
found() { jq -e "$1" out >/dev/null || fail "not so: $1: $(cat out)"; }
# The kernel knows no second device of the file system that b.raw is one of.
nothing_remembered()
{
    local device
    loop_of device b.raw
    ! btrfs device ready "$device" 2>/dev/null || fail "the kernel remembers a device${1:+ $1}"
    free_loops
}

# --- a guest: the first device in a partition of a.raw, the second one is b.raw; data on both
truncate -s 257M a.raw
truncate -s 256M b.raw
echo 'start=2048, type=83' | sfdisk -q --no-reread --no-tell-kernel --label dos a.raw
loop_of first a.raw 1048576
loop_of second b.raw
mkfs.btrfs -q -d raid0 -m raid1 "$first" "$second" >/dev/null
uuid=$(blkid -p -s UUID -o value "$first")
mount -t btrfs -o "device=$second" "$first" mnt
btrfs -q subvolume create mnt/@
rmdir mnt/@
btrfs -q subvolume create mnt/@ 2>/dev/null || :
tiny_tree mnt/@ "/dev/sdb"
sed -i 's,ext4 defaults 0 1,btrfs subvol=@ 0 0,' mnt/@/etc/fstab
head -c 3M /dev/urandom >mnt/@/data
off_host mnt
nothing_remembered "of the host"

expect 0 "$H2K" inspect --json -a a.raw -a b.raw
found '.systems | length == 1'
found '.systems[0] | .root == "btrfsvol:/dev/sda1/@" and .hostname == "tiny" and
    .mounts[0].device == "/dev/sda1" and .mounts[0].mounted'
check_clean
nothing_remembered
expect 0 "$H2K" offline-fix --output-dir . -O raw -a a.raw -a b.raw
check_clean
nothing_remembered
on_host mnt a-sda.raw a-sdb.raw
expect_text "^UUID=$uuid / btrfs subvol=@" mnt/etc/fstab
off_host mnt
expect 0 "$H2K" plan --exit-code --only fstab -a a-sda.raw -a a-sdb.raw --format raw

# --- a device is missing
for one in a.raw b.raw; do
    expect 5 "$H2K" inspect $one
    expect_text "1 of the 2 devices of the btrfs $uuid are given: name all disks of the guest"
    expect 5 "$H2K" offline-fix -o no.qcow2 $one
    [ ! -e no.qcow2 ] || fail "a target"
done
expect 0 "$H2K" volumes --json b.raw
found '.not_opened | length == 1 and .[0].layer == "btrfs" and .[0].status == 5'
expect 0 "$H2K" volumes --json -a a.raw -a b.raw
found '.not_opened == []'
check_clean
nothing_remembered

# --- a copy, of another time
cp --sparse=always a.raw a2.raw
cp --sparse=always b.raw b2.raw
on_host mnt a2.raw b2.raw
echo copy >mnt/etc/hostname
for i in 1 2 3 4; do
    echo $i >mnt/change
    btrfs filesystem sync mnt
done
off_host mnt
expect 5 "$H2K" inspect -a a.raw -a b.raw -a b2.raw
expect_text "claims to be the same device of the btrfs $uuid: leave the copies out"
expect 0 "$H2K" volumes -a a.raw -a b2.raw
expect_text '^read-only: /dev/sdb: its devices are not of one time' out
expect 5 "$H2K" plan -a a.raw -a b2.raw
nothing_remembered

# both at once: one waits for the other
for round in 1 2 3; do
    "$H2K" inspect --json -a a2.raw -a b2.raw >"copy.$round" 2>copy.err &
    expect 0 "$H2K" inspect --json -a a.raw -a b.raw
    wait $! || fail "round $round: $(cat copy.err)"
    found '.systems[0].hostname == "tiny"'
    jq -e '.systems[0].hostname == "copy"' "copy.$round" >/dev/null || fail "$(cat "copy.$round")"
done
check_clean
nothing_remembered

# the host has it mounted
on_host mnt a2.raw b2.raw
expect 5 "$H2K" inspect -a a.raw -a b.raw
expect_text "the btrfs $uuid on /dev/sda1 is mounted already"
expect 5 "$H2K" plan -a a.raw -a b.raw
[ "$(cat mnt/etc/hostname)" = copy ] || fail "the host's file system"
off_host mnt
expect 0 "$H2K" inspect -a a.raw -a b.raw
check_clean
nothing_remembered

# --- copied while it was in use: its log is replayed in the copy only
cp --sparse=always a.raw live-a.raw
cp --sparse=always b.raw live-b.raw
on_host mnt live-a.raw live-b.raw
echo late >mnt/etc/late
sync mnt/etc/late
cp --sparse=always live-a.raw crashed-a.raw
cp --sparse=always live-b.raw crashed-b.raw
off_host mnt
rm live-a.raw live-b.raw
sum=$(sha256sum crashed-a.raw crashed-b.raw)
expect 0 "$H2K" inspect --json -a crashed-a.raw -a crashed-b.raw
found '.systems[0] | .hostname == "tiny" and .mounts[0].journal == "dirty"'
expect 0 "$H2K" offline-fix --output-dir . --only fstab -O raw -a crashed-a.raw -a crashed-b.raw
[ "$sum" = "$(sha256sum crashed-a.raw crashed-b.raw)" ] || fail "a source has changed"
on_host mnt crashed-a-sda.raw crashed-a-sdb.raw
expect_text "^late" mnt/etc/late
off_host mnt
rm crashed-*
check_clean
nothing_remembered

# --- killed while it is mounted
for round in $(seq 20); do
    "$H2K" plan -a a.raw -a b.raw >/dev/null 2>&1 &
    while [ -e /proc/$! ] && [ ! -e "/sys/fs/btrfs/$uuid" ]; do :; done
    [ -e "/sys/fs/btrfs/$uuid" ] || { wait $!; continue; }
    kill -9 $!
    wait $! || :
    for _ in $(seq 100); do
        [ -e "/sys/fs/btrfs/$uuid" ] || break
        sleep 0.1
    done
    expect 0 "$H2K" cleanup
    ! grep -q 'btrfs device' out || break
done
expect_text 'btrfs device' out
check_clean
nothing_remembered
expect 0 "$H2K" inspect -a a.raw -a b.raw

# --- four devices: data striped over two mirrors, metadata three times
devices=() options=''
for i in 0 1 2 3; do
    truncate -s 256M "four$i.raw"
    loop_of device "four$i.raw"
    devices+=("$device")
    options+=",device=$device"
done
mkfs.btrfs -q -d raid10 -m raid1c3 "${devices[@]}" >/dev/null
mount -t btrfs -o "${options#,}" "${devices[0]}" mnt
tiny_tree mnt /dev/sdc
sed -i 's,ext4,btrfs,' mnt/etc/fstab
head -c 5M /dev/urandom >mnt/data
content=$(sha256sum <mnt/data)
off_host mnt
expect 0 "$H2K" inspect --json -a four2.raw -a four0.raw -a four3.raw -a four1.raw
found '.systems[0].hostname == "tiny"'
expect 5 "$H2K" inspect -a four2.raw -a four0.raw -a four3.raw
expect 0 "$H2K" offline-fix --output-dir . --only fstab -O raw -a four2.raw -a four0.raw -a four3.raw -a four1.raw
devices=() options=''
for i in a b c d; do
    loop_of device "four2-sd$i.raw"
    devices+=("$device")
    options+=",device=$device"
done
mount -t btrfs -o "${options#,}" "${devices[0]}" mnt
expect_text '^UUID=[-0-9a-f]* / btrfs' mnt/etc/fstab
[ "$content" = "$(sha256sum <mnt/data)" ] || fail "the content of raid10 has changed"
btrfs scrub start -B mnt >result 2>&1 || fail "$(cat result)"
grep -q "no errors found" result || fail "$(cat result)"
off_host mnt
rm four*
check_clean

# --- one device, and a copy of it on the host
truncate -s 128M one.raw
mkfs.btrfs -q one.raw >/dev/null
mount -o loop one.raw mnt
tiny_tree old LABEL=none
sed -i 's,ext4,btrfs,' old/etc/fstab
cp -a old/. mnt/ # the system before a roll-back
echo old >mnt/etc/hostname
btrfs -q subvolume create mnt/@
mkdir -p mnt/@/.snapshots/{1,2,3}
btrfs -q subvolume create mnt/@/.snapshots/1/snapshot
cp -a old/. mnt/@/.snapshots/1/snapshot
mkdir mnt/@/.snapshots/1/snapshot/same
printf '/dev/sda / btrfs defaults 0 0\n/dev/sda /same btrfs noatime 0 0\n' \
    >mnt/@/.snapshots/1/snapshot/etc/fstab
btrfs -q subvolume snapshot -r mnt/@/.snapshots/{1,2}/snapshot
btrfs -q subvolume snapshot mnt/@/.snapshots/{1,3}/snapshot
btrfs subvolume set-default mnt/@/.snapshots/1/snapshot
umount mnt
cp --sparse=always one.raw two.raw
mount -o loop two.raw mnt
echo host >mnt/etc/hostname
status=0
printf '6.7\n%s\n' "$(uname -r)" | sort -CV || status=5 # older kernels cannot tell them apart
expect $status "$H2K" inspect --json one.raw
umount mnt
[ $status = 0 ] || expect 0 "$H2K" inspect --json one.raw
found '.systems | length == 1'
found '.systems[0] | .root == "btrfsvol:/dev/sda/@/.snapshots/1/snapshot" and .hostname == "tiny"'
found '.systems[0].mounts[1] | .target == "/same" and .mounted'
check_clean

# --- xfs: the host has a copy mounted
if command -v mkfs.xfs >/dev/null && { grep -qw xfs /proc/filesystems || modprobe -q xfs; }; then
    truncate -s 320M xfs.raw
    mkfs.xfs -q xfs.raw
    mount -o loop xfs.raw mnt
    tiny_tree mnt /dev/sda
    sed -i 's,ext4,xfs,' mnt/etc/fstab
    umount mnt
    cp --sparse=always xfs.raw host.xfs
    mount -o loop host.xfs mnt
    echo host >mnt/etc/hostname
    sync mnt/etc/hostname
    cp --sparse=always host.xfs crashed.xfs
    expect 0 "$H2K" inspect --json --format raw crashed.xfs
    found '.systems[0].mounts[0] | .mounted and .journal == "dirty"'
    expect 0 "$H2K" offline-fix --format raw --only fstab -O raw -o crashed.raw crashed.xfs
    mount -o loop,nouuid crashed.raw mnt2
    expect_text '^host' mnt2/etc/hostname
    umount mnt2
    rm crashed.*
    expect 0 "$H2K" inspect --json xfs.raw
    found '.systems[0].hostname == "tiny"'
    expect 0 "$H2K" offline-fix --only fstab -o xfs.qcow2 xfs.raw
    [ "$(cat mnt/etc/hostname)" = host ] || fail "the host's xfs"
    expect_text '^/dev/sda / xfs' mnt/etc/fstab
    umount mnt
fi
check_clean
