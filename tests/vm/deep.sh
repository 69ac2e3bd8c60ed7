#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The deepest stack: two disks with partitions, a mirror of md over both, LUKS on it, a volume group
# in that, a thin pool, xfs. Inspected and repaired; h2k or its block server killed at random moments;
# every so many calls of h2k fail once. Nothing is left, the sources stay as they are. KILLS,
# FAULTS_STEP: how many, how dense.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
. "$H2K_SRC/tests/lib/faults.sh"
requires root qemu-img qemu-system-x86_64 mdadm cryptsetup lvm thin_check mkfs.xfs sfdisk losetup jq strace

if [ "${1:-}" != inside ]; then
    in_vm -u -m 2048 -t "$((900 + ${KILLS:-8} * 20))" -- "$0" inside
    exit 0
fi
modprobe -a nbd loop md_mod raid1 dm-mod dm-raid dm-crypt dm-thin-pool xfs

# ---- the guest, made by the kernel's own tools; no udev meanwhile, which makes it slow

udevadm control --stop-exec-queue
export MDADM_NO_UDEV=1 LVM_SYSTEM_DIR=$T/lvm DM_DISABLE_UDEV=1
mkdir "$T/lvm" "$T/mnt"
cat >"$T/lvm/lvm.conf" <<EOF
devices { use_devicesfile=0 obtain_device_list_from_udev=0 filter=["a|^/dev/mapper/deep-luks$|","r|.*|"] }
activation { udev_sync=0 udev_rules=0 monitoring=0 }
backup { backup=0 archive=0 }
EOF
printf 'the key' >"$T/key"

# open_by_hand: what an administrator types; the root is at $T/mnt
open_by_hand()
{
    local disk
    parts=()
    for disk in "$T"/disk?.raw; do parts+=("$(losetup -f --show -o 1M --sizelimit 420M "$disk")"); done
    mdadm --quiet --assemble /dev/md/deep "${parts[@]}"
    cryptsetup open --key-file "$T/key" /dev/md/deep deep-luks
    vgchange -qq -ay deep
    mount "$@" /dev/deep/root "$T/mnt"
}
close_by_hand()
{
    umount "$T/mnt"
    vgchange -qq -an deep
    cryptsetup close deep-luks
    mdadm --quiet --stop /dev/md/deep
    losetup -d "${parts[@]}"
}

tiny_tree "$T/tree" /dev/mapper/deep-root
sed -i 's/ext4/xfs/' "$T/tree/etc/fstab"
parts=()
for i in 0 1; do
    truncate -s 424M "$T/disk$i.raw"
    printf 'label: gpt\nstart=2048,size=860160\n' | sfdisk -q "$T/disk$i.raw"
    parts+=("$(losetup -f --show -o 1M --sizelimit 420M "$T/disk$i.raw")")
done
mdadm --quiet --create /dev/md/deep --run --assume-clean --level=1 --metadata=1.2 --name=deep \
    --raid-devices=2 "${parts[@]}" </dev/null
cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/md/deep "$T/key"
cryptsetup open --key-file "$T/key" /dev/md/deep deep-luks
vgcreate -qq -s 1M deep /dev/mapper/deep-luks 2>"$T/lvm.log"
lvcreate -qq -y --noudevsync --type thin-pool -n pool -L 340M --poolmetadatasize 4M deep 2>>"$T/lvm.log"
lvcreate -qq -y --noudevsync -n root -V 320M --thinpool pool deep 2>>"$T/lvm.log"
mkfs.xfs -q -K /dev/deep/root
mount /dev/deep/root "$T/mnt"
cp -a "$T/tree/." "$T/mnt"
close_by_hand
start=$(date +%s%N)
open_by_hand -o ro,norecovery
cat "$T/mnt/etc/os-release" "$T/mnt/var/lib/dpkg/status" >"$T/read"
by_hand=$(($(date +%s%N) - start))
close_by_hand
unset MDADM_NO_UDEV LVM_SYSTEM_DIR DM_DISABLE_UDEV
udevadm control --start-exec-queue
udevadm settle
sum=$(sha256sum "$T"/disk?.raw)
keys=(--key "all:file:$T/key")
disks=(-a "$T/disk0.raw" -a "$T/disk1.raw")
say "made: $SECONDS s"

# ---- looked at and repaired

start=$(date +%s%N)
expect 0 "$H2K" inspect --json "${keys[@]}" "${disks[@]}"
by_us=$(($(date +%s%N) - start))
jq -e '.systems[0] | .root == "/dev/deep/root" and .hostname == "tiny" and
    .mounts[0].device == "/dev/deep/root"' "$T/out" >"$T/found" || fail "the deep guest: $(cat "$T/out")"
say "inspect takes $((by_us * 100 / by_hand)) % of opening it by hand ($((by_us / 1000000)) ms)"
expect 5 "$H2K" inspect "${disks[@]}"
expect_text "key"
mkdir "$T/target"
expect 0 "$H2K" offline-fix -q "${keys[@]}" --output-dir "$T/target" "${disks[@]}"
expect 0 "$H2K" plan --exit-code "${keys[@]}" -a "$T/target/disk0-sda.qcow2" -a "$T/target/disk0-sdb.qcow2"
rm "$T/target"/*
say "repaired: $SECONDS s"

# ---- what is left of h2k: nothing

host() { dmsetup ls; cat /proc/mdstat; losetup -n -l; grep -c . /proc/mounts; }
host_before=$(host)

# ---- killed

backends=(nbd fuse)
for round in $(seq "${KILLS:-8}"); do
    "$H2K" offline-fix -q --backend "${backends[round % 2]}" "${keys[@]}" --output-dir "$T/target" "${disks[@]}" \
        >"$T/out" 2>&1 &
    pid=$!
    sleep "$((RANDOM % 5)).$((RANDOM % 1000))"
    if [ $((round % 4)) -lt 2 ]; then
        kill -KILL $pid 2>"$T/err" || :
    elif [ $((round % 4)) = 2 ]; then
        pkill -KILL -f '^qemu-(nbd|storage-daemon) ' || :
    else # one side of the mirror
        pkill -KILL -n -f '^qemu-(nbd|storage-daemon) ' || :
    fi
    for _ in $(seq 600); do kill -0 $pid 2>"$T/err" || break; sleep 0.1; done
    ! kill -0 $pid 2>"$T/err" || fail "round $round: h2k hangs"
    wait $pid 2>"$T/err" || :
    expect 0 "$H2K" cleanup
    for _ in $(seq 50); do [ "$host_before" != "$(host)" ] || break; sleep 0.1; done
    [ "$host_before" = "$(host)" ] || { diff <(echo "$host_before") <(host) >&2; fail "kill $round leaves devices"; }
    check_clean
    rm -rf "$T/target"/* "$T/target"/.[!.]*
done
[ "$sum" = "$(sha256sum "$T"/disk?.raw)" ] || fail "a source has changed"
say "killed: $SECONDS s"

# ---- faults

faults "${FAULTS_STEP:-16}" "$attaching" EIO "$H2K" inspect "${keys[@]}" "${disks[@]}"
[ "$host_before" = "$(host)" ] || { diff <(echo "$host_before") <(host) >&2; fail "faults leave devices"; }
[ "$sum" = "$(sha256sum "$T"/disk?.raw)" ] || fail "a source has changed"
check_clean
