#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The main job over nbd on a stock kernel with udevd: doctor, a real guest with its ESP on the
# kernel's vfat, 4096-byte sectors, a disk beyond 2 TiB; nothing is left behind, the sources stay as
# they are, and udev grabs nothing of what lies on the disks.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img qemu-system-x86_64 sfdisk mkfs.ext4 losetup mdadm jq

# gpt_guest IMAGE SIZE SECTOR START_MIB: a tiny guest of 48 MiB at START_MIB of a GPT disk
gpt_guest()
{
    local loop
    truncate -s "$2" "$1"
    loop=$(losetup -f --show -b "$3" "$1")
    printf 'label: gpt\nstart=%d,size=%d\n' $(($4 * 1048576 / $3)) $((48 * 1048576 / $3)) |
        sfdisk -q --no-reread --no-tell-kernel "$loop"
    losetup -d "$loop"
    mkfs.ext4 -q -F -b 4096 -E "offset=$(($4 << 20))" -U "$uuid" -d "$T/tree" "$1" 48M
}
uuid=6b1ac1a0-8a5e-4c52-9d3c-6a9e1a6f0a11

if [ "${1:-}" != inside ]; then
    tiny_tree "$T/tree"
    gpt_guest "$T/sector.raw" 80M 4096 8
    gpt_guest "$T/bait.raw" 96M 512 8
    gpt_guest "$T/big.raw" 3T 512 $((5 << 19))
    qemu-img convert -f raw -O qcow2 "$T/big.raw" "$T/big.qcow2"
    rm "$T/big.raw"
    make_vmdk "$(need_guest uefi-ext4)" "$T/guest.vmdk" streamOptimized
    sum=$(cd "$T" && sha256sum sector.raw big.qcow2 guest.vmdk && stat -c '%n %y' -- *.*)
    mkdir "$T/target"
    in_vm -u -m 2048 -t 1400 -- "$0" inside "$T"
    [ "$sum" = "$(cd "$T" && sha256sum sector.raw big.qcow2 guest.vmdk && stat -c '%n %y' -- *.*)" ] ||
        fail "a source has changed"
    exit 0
fi

shared=$2

nothing_left()
{
    local left
    check_clean
    for _ in $(seq 50); do
        left=$(cat /sys/block/nbd*/pid 2>/dev/null; ls -d /sys/block/nbd*/nbd*p* 2>/dev/null
            pgrep -a qemu-nbd) || :
        [ -n "$left" ] || return 0
        sleep 0.1
    done
    fail "left behind: $left"
}

# found CODE: what inspect said, as $found in Python
found() { python3 -c "import json, sys; found = json.load(open('$T/out')); $1" || fail "inspect: $(cat "$T/out")"; }

modprobe -a nbd loop raid1
expect 0 "$H2K" doctor --json
found 'assert {b["name"]: b["available"] for b in found["backends"]}["nbd"], found["backends"]'
nothing_left
say "doctor: $SECONDS s"

# ---- udev: another program shows the bait to it, h2k does not

cp "$shared/bait.raw" "$T/bait.raw"
printf 'start=131072,size=32768,type=A19D880F-05FC-4D3B-A006-743F0F84911E\n' |
    sfdisk -q --append --no-reread --no-tell-kernel "$T/bait.raw"
udevadm control --stop-exec-queue # it would assemble what was just stopped
loop=$(losetup -f --show -o 64M --sizelimit 16M "$T/bait.raw")
mdadm --quiet --create /dev/md77 --run --force --level=1 --raid-devices=1 --metadata=1.2 "$loop"
mdadm --quiet --stop /dev/md77
losetup -d "$loop"
udevadm control --start-exec-queue
qemu-img convert -f raw -O vmdk "$T/bait.raw" "$T/bait.vmdk"
udevadm settle

grabbed()
{
    [ ! -e "/dev/disk/by-uuid/$uuid" ] || echo "$uuid"
    grep "^md.*: active" /proc/mdstat || :
}
[ -z "$(grabbed)" ] || fail "the bait is taken already: $(grabbed)"
qemu-nbd --connect=/dev/nbd7 -f raw "$T/bait.raw"
for _ in $(seq 200); do [ "$(grabbed | wc -l)" = 2 ] && break; sleep 0.1; done
[ "$(grabbed | wc -l)" = 2 ] || fail "udev does not take the bait: $(grabbed)"
udevadm settle
udevadm control --stop-exec-queue # it would assemble what was just stopped
mdadm --quiet --stop --scan
qemu-nbd --disconnect /dev/nbd7 >"$T/out"
while pgrep qemu-nbd >"$T/out" || [ -e /sys/block/nbd7/pid ]; do sleep 0.1; done
(: </dev/nbd7) # the partitions go when it is opened
udevadm control --start-exec-queue
udevadm settle
nothing_left

stdbuf -oL udevadm monitor --udev --property --subsystem-match=block >"$T/events" &
monitor=$!
on_exit kill $monitor
until grep -q UDEV "$T/events"; do sleep 0.1; done
for command in inspect plan; do
    expect 0 "$H2K" $command --backend nbd "$T/bait.vmdk"
    nothing_left
    udevadm settle
done
expect 0 "$H2K" offline-fix --backend nbd -o "$T/fixed.qcow2" "$T/bait.vmdk"
nothing_left
udevadm settle
[ -z "$(grabbed)" ] || fail "udev has grabbed: $(grabbed)"
! grep -E "^(ID_FS_TYPE|ID_FS_UUID|MD_[A-Z]*)=|DEVNAME=/dev/(md|dm)" "$T/events" || fail "udev has looked at the guest"
say "udev: $SECONDS s"

# ---- Ctrl-C

for wait in 0.3 1 3; do
    setsid "$H2K" offline-fix --backend nbd -o "$T/not.qcow2" "$T/bait.vmdk" >"$T/out" 2>&1 &
    sleep $wait
    kill -INT -- -$! || :
    status=0
    wait $! || status=$?
    case $status in
    0) rm "$T/not.qcow2" ;; # it was faster
    130) [ ! -e "$T/not.qcow2" ] || fail "an interrupted run has left a target" ;;
    *) fail "interrupted after $wait s: $status: $(cat "$T/out")" ;;
    esac
    rm -f "$T"/not.*
    nothing_left
done
say "Ctrl-C: $SECONDS s"

# ---- many at once: each has its own device

mkdir "$T/many"
truncate -s 4M "$T/many/1.raw"
mkfs.ext4 -q "$T/many/1.raw"
holds=()
for i in $(seq 32); do
    [ "$i" = 1 ] || cp "$T/many/1.raw" "$T/many/$i.raw"
    e2label "$T/many/$i.raw" "number-$i"
done
for i in $(seq 32); do
    "$HOLD" idle nbd "$T/many/$i.raw" >"$T/many/$i.out" 2>&1 &
    holds+=($!)
done
until [ "$(cat "$T"/many/*.out | grep -c ready)" = 32 ]; do
    for i in $(seq 32); do
        kill -0 "${holds[i - 1]}" 2>/dev/null || fail "run $i of 32: $(cat "$T/many/$i.out")"
    done
    sleep 0.2
done
labels=$(for pid in /sys/block/nbd*/pid; do
    device=${pid#/sys/block/}
    e2label "/dev/${device%/pid}"
done | sort -u | wc -l)
[ "$labels" = 32 ] || fail "32 runs hold $labels disks"
expect 0 "$H2K" volumes --backend nbd --json "$T/many/7.raw"
jq -e '.volumes[0].label == "number-7"' "$T/out" >"$T/found" || fail "$(cat "$T/out")"
kill -TERM "${holds[@]}"
for i in $(seq 32); do
    wait "${holds[i - 1]}" || fail "run $i of 32: $(cat "$T/many/$i.out")"
done
nothing_left
rm -r "$T/many"
say "many at once: $SECONDS s"

# ---- other disks

expect 0 "$H2K" inspect --backend nbd --json "$shared/sector.raw"
found 'assert found["systems"][0]["hostname"] == "tiny", found'
expect 0 "$H2K" inspect --backend nbd --json "$shared/big.qcow2"
found 'assert found["disks"][0]["size_bytes"] == 3 << 40 and found["systems"][0]["hostname"] == "tiny"'
for disk in sector.raw big.qcow2; do
    expect 0 "$H2K" offline-fix --backend nbd -o "$T/$disk.fixed" "$shared/$disk"
    nothing_left
    expect 0 "$H2K" plan --backend nbd --exit-code "$T/$disk.fixed"
    nothing_left
done
say "other disks: $SECONDS s"

# ---- a real guest

expect 0 "$H2K" inspect --backend nbd --json "$shared/guest.vmdk"
python3 - "$T/out" <<'PY'
import json, sys
found = json.load(open(sys.argv[1]))
assert found["disks"][0]["table"] == "gpt", found["disks"]
volumes = {v["name"]: v["type"] for v in found["volumes"]}
assert volumes["/dev/sda1"] == "vfat" and volumes["/dev/sda2"] == "ext4", volumes
system = found["systems"][0]
assert (system["distro"], system["firmware"]) == ("debian", "uefi"), system
assert {"/", "/boot/efi"} <= {m["target"] for m in system["mounts"]}, system["mounts"]
PY
nothing_left
expect 0 "$H2K" offline-fix --backend nbd -o "$shared/target/fixed.qcow2" "$shared/guest.vmdk"
nothing_left
expect 0 "$H2K" plan --backend nbd --exit-code "$shared/target/fixed.qcow2"
nothing_left
