#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Logical volumes of every type, made by lvm and filled; h2k reads them without lvm, with members
# missing too, and writes to overlays, which lvm finds in order. All the while the host has a volume
# group of the same name and UUIDs active, udevd with the rules of lvm and multipath, and a multipathd
# that takes what it can; they must notice nothing.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
. "$H2K_SRC/tests/lib/multipath.sh"
requires root qemu-img qemu-system-x86_64 lvm thin_check losetup sfdisk mkfs.ext4 jq
: "${VOLUME_CHECK:?}"

if [ "${1:-}" != inside ]; then
    head -c 24M /dev/urandom >"$T/data"
    truncate -s 8M "$T/path.raw"
    multipath=$(multipath_fetch)
    in_vm -u -m 2560 -t 1500 -d "$T/path.raw" -- "$0" inside "$T/data" "$multipath"
    exit 0
fi
data=$2 multipath=$3
modprobe -a nbd loop dm-mod dm-raid raid0 raid1 raid10 raid456 dm-thin-pool dm-cache dm-cache-smq \
    dm-writecache dm-snapshot dm-mirror

# loops FILE...: loop devices on them, as $loops
loops()
{
    local file
    loops=()
    for file in "$@"; do loops+=("$(losetup -f --show "$file")"); done
}

# Only while volumes are made: no udev, which makes it slow.
quick_lvm()
{
    export LVM_SYSTEM_DIR=$T/lvm
    mkdir -p "$LVM_SYSTEM_DIR"
    cat >"$LVM_SYSTEM_DIR/lvm.conf" <<-EOF
	devices { use_devicesfile=0 obtain_device_list_from_udev=0 filter=["a|^/dev/loop|","r|.*|"] }
	activation { udev_sync=0 udev_rules=0 monitoring=0 }
	backup { backup=0 archive=0 }
	EOF
    udevadm control --stop-exec-queue
}
slow_lvm()
{
    udevadm control --start-exec-queue
    unset LVM_SYSTEM_DIR
}

lv() { lvcreate -qq -y -Wn -Zn --noudevsync -n "$@" 2>>"$T/lvm.log" >&2 || fail "lvcreate $*: $(tail -n 5 "$T/lvm.log")"; }
pool() { lvcreate -qq -y --noudevsync -n "$@" 2>>"$T/lvm.log" >&2 || fail "lvcreate $*: $(tail -n 5 "$T/lvm.log")"; }
convert() { lvconvert -qq -y "$@" 2>>"$T/lvm.log" >&2 || fail "lvconvert $*: $(tail -n 5 "$T/lvm.log")"; }
synced()
{
    local try
    for try in $(seq 300); do
        lvs --noheadings -o copy_percent "${copied[@]}" 2>/dev/null | tr -d ' ' | grep -qvx 100.00 || return 0
        sleep 0.2
    done
    fail "the volumes are not in step: $(lvs -a vg), after $try looks"
}

# ---- the guest's group

quick_lvm
pvs=()
for i in 0 1 2 3 4; do
    pvs+=("$T/pv$i.raw")
    truncate -s 150M "$T/pv$i.raw"
done
loops "${pvs[@]}"
vgcreate -qq -s 1M vg "${loops[@]}" 2>"$T/lvm.log"
a=${loops[0]} b=${loops[1]}
lv lin -L 5M vg
lv two -l 4 vg "$a:90-91" "$b:90-91"
lv str -i 3 -I 64k -L 6M vg
lv r0 --type raid0 -i 2 -L 4M vg
lv r0m --type raid0_meta -i 2 -L 4M vg
lv r1 --type raid1 -m 1 -L 4M vg
lv r4 --type raid4 -i 2 -L 4M vg
lv r5 --type raid5 -i 2 -L 4M vg
lv r5-n --type raid5_n -i 2 -L 4M vg
lv r6 --type raid6 -i 3 -L 6M vg
lv r10 --type raid10 -i 2 -m 1 -L 4M vg
lv mir --type mirror -m 1 --mirrorlog core -L 4M vg
lv mird --type mirror -m 1 --mirrorlog disk -L 4M vg
lv org -L 8M vg
pool pool --type thin-pool -L 64M --poolmetadatasize 4M vg
pool thin -V 24M --thinpool pool vg
lv corg -L 12M vg "$a"
lv cfast -L 12M vg "$b"
convert --type cache --cachevol cfast vg/corg
lv porg -L 12M vg "${loops[2]}"
pool cpool --type cache-pool -L 12M vg "${loops[3]}"
convert --type cache --cachepool cpool --cachemode writeback vg/porg
lv worg -L 12M vg "${loops[2]}"
lv wfast -L 8M vg "${loops[3]}"
lvchange -qq -an vg/worg vg/wfast
convert --type writecache --cachevol wfast vg/worg
lvchange -qq -ay vg/worg
copied=(vg/r1 vg/r4 vg/r5 vg/r5-n vg/r6 vg/r10 vg/mir vg/mird)
synced
plain=(lin two str r0 r0m r1 r4 r5 r5-n r6 r10 mir mird org)
all=("${plain[@]}" thin tsnap snap corg porg worg)
fill() { dd if="$data" of="/dev/vg/$1" bs=1M skip="$2" count="$3" conv=notrunc oflag=direct status=none; }
for i in "${!plain[@]}"; do fill "${plain[i]}" "$i" 4; done
for name in corg porg worg; do fill "$name" 3 12; done
fill thin 0 10
lvcreate -qq -y -s -n tsnap vg/thin 2>>"$T/lvm.log"
fill thin 8 4
lvcreate -qq -y -s -n snap -L 8M vg/org 2>>"$T/lvm.log"
fill org 20 2
lvchange -qq -K -ay vg/tsnap
mkdir "$T/content"
for name in "${all[@]}"; do dd if="/dev/vg/$name" of="$T/content/$name" bs=1M status=none; done
sync
for i in 0 1 2 3 4; do cp "$T/pv$i.raw" "$T/live$i.raw"; done # as of a guest that runs
vgchange -qq -an vg
losetup -d "${loops[@]}"
slow_lvm
before=$(sha256sum "${pvs[@]}")
say "${#all[@]} volumes made: $SECONDS s"

# ---- the host's group: the same, with other content

for i in 0 1 2 3 4; do
    cp "$T/pv$i.raw" "$T/host$i"
    dd if=/dev/zero of="$T/host$i" bs=1M seek=1 count=8 conv=notrunc status=none
done
loops "$T"/host?
host_loops=("${loops[@]}")
for _ in $(seq 300); do [ ! -e /dev/vg/lin ] || break; sleep 0.1; done
[ -e /dev/vg/lin ] || fail "udev and lvm do not activate what they see: nothing to be safe from"
udevadm settle
[ -z "$multipath" ] || multipath_start "$multipath"
# not what udev says of devices that come and go, whatever is on them
host()
{
    dmsetup table | grep -v ^h2k- | sort
    losetup -n -l -O NAME,BACK-FILE | grep -F "$T/host"
    lsblk -n -o NAME,TYPE,SIZE,FSTYPE,UUID,MOUNTPOINTS /dev/sda "${host_loops[@]}"
    cat /proc/mdstat /proc/mounts
    find /run/lvm /etc/lvm -type f ! -name "*hints" -exec head -n 100 {} +
    find /dev/disk /dev/mapper /dev/vg /dev/sys ! -path "*/by-diskseq/*" ! -name "h2k-*" 2>/dev/null | sort
}
host_before=$(host)
say "host's group active: $SECONDS s"

# ---- reading

# reads WANT-ACTIVE WANT-INACTIVE IMAGE...: how many volumes are as they should be, and how many not
reads()
{
    local active=$1 inactive=$2
    shift 2
    "$VOLUME_CHECK" read "$T/content" "$@" >"$T/out" 2>"$T/err" ||
        fail "read $*: $(cat "$T/out" "$T/err"; dmesg | tail -n 5)"
    [ "$(grep -vc inactive "$T/out")/$(grep -c inactive "$T/out")" = "$active/$inactive" ] ||
        fail "read $*: $(cat "$T/out")"
}

reads 18 2 "${pvs[@]}"
expect_text "/dev/vg/porg inactive: 5 .*cache" "$T/out"
reads 18 2 "${pvs[4]}" "${pvs[2]}" "${pvs[0]}" "${pvs[3]}" "${pvs[1]}"
# without the second one: mirrors and parity make up for it, the rest is named
"$VOLUME_CHECK" read "$T/content" "${pvs[0]}" "${pvs[2]}" "${pvs[3]}" "${pvs[4]}" >"$T/out" 2>"$T/err" ||
    fail "read without pv1: $(cat "$T/out" "$T/err")"
for name in lin org snap thin tsnap r1 r4 r5 r5-n r6 r10; do
    expect_text "/dev/vg/$name volume group of which a physical volume is missing" "$T/out"
done
for name in two str r0 r0m; do expect_text "/dev/vg/$name inactive: 1 .*physical volume.*missing" "$T/out"; done
# without the first one
"$VOLUME_CHECK" read "$T/content" "${pvs[@]:1}" >"$T/out" 2>"$T/err" ||
    fail "read without pv0: $(cat "$T/out" "$T/err")"
for name in r1 r4 r5 r6 r10; do expect_text "/dev/vg/$name volume group" "$T/out"; done
[ "$before" = "$(sha256sum "${pvs[@]}")" ] || fail "a member has changed"
# copied while they were in use
lives=("$T"/live?.raw)
live_sums=$(sha256sum "${lives[@]}")
reads 18 2 "${lives[@]}"
[ "$live_sums" = "$(sha256sum "${lives[@]}")" ] || fail "a member that was copied in use has changed"
rm "${lives[@]}"
# a copy of a member beside it
cp "${pvs[0]}" "$T/copy.raw"
expect 0 "$H2K" volumes -a "${pvs[0]}" -a "$T/copy.raw"
expect_text "same physical volume" "$T/out"
rm "$T/copy.raw"
say "read: $SECONDS s"

# ---- killed, and the host afterwards

"$VOLUME_CHECK" hold "$T/content" "${pvs[@]}" >"$T/hold" &
holder=$!
for _ in $(seq 600); do ! grep -q ready "$T/hold" || break; sleep 0.1; done
pvs --noheadings -o pv_name >"$T/pvs" 2>"$T/err" || fail "pvs: $(cat "$T/err")"
if [ "$(tr -d ' ' <"$T/pvs" | sort)" != "$(printf '%s\n' "${host_loops[@]}" | sort)" ] || grep -i duplicate "$T/err"; then
    fail "the host's lvm sees the guest: $(cat "$T/pvs" "$T/err")"
fi
[ "$(dmsetup ls | grep -c ^h2k-)" -gt 20 ] || fail "no devices to leave behind: $(dmsetup ls)"
[ "$host_before" = "$(host)" ] || { diff <(echo "$host_before") <(host) >&2; fail "the host has changed"; }
kill -KILL $holder
wait $holder || :
udevadm settle -t 3 || : # a locked device stays in its queue
[ "$host_before" = "$(host)" ] || { diff <(echo "$host_before") <(host) >&2; fail "the host has changed"; }
expect 0 "$H2K" cleanup
! dmsetup ls | grep ^h2k- || fail "left: $(dmsetup ls)"
settle
[ "$host_before" = "$(host)" ] || { diff <(echo "$host_before") <(host) >&2; fail "the host has changed"; }
say "killed: $SECONDS s"

# ---- writing, on overlays; lvm looks at the result

mkdir "$T/overlays"
cp -r "$T/content" "$T/written"
"$VOLUME_CHECK" write "$T/written" "$T/overlays" "${pvs[@]}" >"$T/out" 2>"$T/err" ||
    fail "write: $(cat "$T/out" "$T/err"; dmesg | tail -n 5)"
[ "$(grep -c " $" "$T/out")" = "${#all[@]}" ] || fail "not all are written: $(cat "$T/out")"
[ "$before" = "$(sha256sum "${pvs[@]}")" ] || fail "a member has changed"
[ "$host_before" = "$(host)" ] || { diff <(echo "$host_before") <(host) >&2; fail "the host has changed"; }
vgchange -qq -an vg
losetup -d "${host_loops[@]}"
settle
quick_lvm
for i in 0 1 2 3 4; do qemu-img convert -f qcow2 -O raw "$T/overlays/$i.qcow2" "$T/new$i"; done
loops "$T"/new?
vgchange -qq -ay vg 2>>"$T/lvm.log" || fail "lvm does not activate what was written: $(tail "$T/lvm.log")"
lvchange -qq -K -ay vg/tsnap
for name in "${all[@]}"; do cmp "/dev/vg/$name" "$T/written/$name" || fail "$name does not hold what was written"; done
for name in "${copied[@]:0:6}"; do
    lvchange -qq --syncaction check "$name"
    for _ in $(seq 100); do
        [ "$(lvs --noheadings -o raid_sync_action "$name" | tr -d ' ')" = check ] || break
        sleep 0.1
    done
    [ "$(lvs --noheadings -o raid_mismatch_count "$name" | tr -d ' ')" = 0 ] || fail "$name: copies or parity differ"
done
vgchange -qq -an vg
losetup -d "${loops[@]}"
rm -r "$T/written" "$T/overlays" "$T"/new? "$T"/host?
say "written: $SECONDS s"

# ---- a guest: a partition and a whole disk as members, /boot on one of them, repaired

tiny_tree "$T/tree" /dev/mapper/sys-root
mv "$T/tree/boot" "$T/tree-boot"
mkdir "$T/tree/boot"
echo '/dev/sda1 /boot ext4 defaults 0 2' >>"$T/tree/etc/fstab"
truncate -s 64M "$T/root0.raw" "$T/root1.raw"
printf 'label: gpt\nstart=2048,size=16384\nstart=18432,size=98304\n' | sfdisk -q "$T/root0.raw"
part=$(losetup -f --show -o $((18432 * 512)) --sizelimit $((98304 * 512)) "$T/root0.raw")
loops "$T/root1.raw"
vgcreate -qq -s 1M sys "$part" "${loops[0]}"
lv swap -L 4M sys
lv root -i 2 -I 16k -L 72M sys
mkfs.ext4 -q -d "$T/tree" /dev/sys/root
lvcreate -qq -y -s -n root-before -L 8M sys/root 2>>"$T/lvm.log"
vgchange -qq -an sys
losetup -d "$part" "${loops[@]}"
mkfs.ext4 -q -F -E offset=1048576 -d "$T/tree-boot" "$T/root0.raw" 8M
slow_lvm
# the host has the same, in use
cp "$T/root0.raw" "$T/host-root0"
cp "$T/root1.raw" "$T/host-root1"
host_loops=("$(losetup -f --show -o $((18432 * 512)) --sizelimit $((98304 * 512)) "$T/host-root0")"
    "$(losetup -f --show "$T/host-root1")")
for _ in $(seq 300); do [ ! -e /dev/sys/root ] || break; sleep 0.1; done
settle
mkdir "$T/mnt" "$T/host-mnt"
mount /dev/sys/root "$T/host-mnt"
echo host >"$T/host-mnt/etc/hostname"
sync -f "$T/host-mnt"
host_before=$(host)
expect 0 "$H2K" inspect --json -a "$T/root0.raw" -a "$T/root1.raw"
jq -e '(.systems | length == 1) and (.systems[0] | .root == "/dev/sys/root" and .hostname == "tiny" and
    (.mounts | length == 2))' "$T/out" >"$T/found" ||
    fail "the guest on LVM: $(cat "$T/out")"
expect 0 "$H2K" inspect --json --root /dev/sys/root-before -a "$T/root0.raw" -a "$T/root1.raw"
jq -e '.systems | map(.root) == ["/dev/sys/root", "/dev/sys/root-before"]' "$T/out" >"$T/found" ||
    fail "a snapshot that is asked for: $(cat "$T/out")"
mkdir "$T/fixed"
expect 0 "$H2K" offline-fix --backend nbd --output-dir "$T/fixed" -O raw -a "$T/root0.raw" -a "$T/root1.raw"
settle
[ "$host_before" = "$(host)" ] || { diff <(echo "$host_before") <(host) >&2; fail "the host has changed"; }
[ "$(cat "$T/host-mnt/etc/hostname")" = host ] || fail "the host's file system"
umount "$T/host-mnt"
settle
vgchange -qq -an sys
losetup -d "${host_loops[@]}"
quick_lvm
part=$(losetup -f --show -o $((18432 * 512)) --sizelimit $((98304 * 512)) "$T"/fixed/*sda.raw)
loops "$T"/fixed/*sdb.raw
vgchange -qq -ay sys
e2fsck -fn /dev/sys/root >"$T/fsck" 2>&1 || fail "the repaired guest: $(cat "$T/fsck")"
mount -o ro /dev/sys/root "$T/mnt"
grep -q "^/dev/mapper/sys-root / " "$T/mnt/etc/fstab" || fail "a stable name was changed: $(cat "$T/mnt/etc/fstab")"
grep -q "^UUID=.* /boot " "$T/mnt/etc/fstab" || fail "an unstable name was left: $(cat "$T/mnt/etc/fstab")"
umount "$T/mnt"
mount -o ro /dev/sys/root-before "$T/mnt"
grep -q "^/dev/sda1 /boot " "$T/mnt/etc/fstab" || fail "the snapshot has changed: $(cat "$T/mnt/etc/fstab")"
umount "$T/mnt"
vgchange -qq -an sys
losetup -d "$part" "${loops[@]}"
slow_lvm
say "guest: $SECONDS s"
check_clean
