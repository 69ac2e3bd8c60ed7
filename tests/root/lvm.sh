#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest on LVM on any kernel: linear volumes need no device mapper; what does is named, and so is
# what it needs.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
. "$H2K_SRC/tests/lib/lvm-guest.sh"
requires root lvm losetup sfdisk mkfs.ext4 jq qemu-img

# ---- /boot on a partition, the root on the second disk

tiny_tree "$T/tree" /dev/mapper/sys--one-root
mv "$T/tree/boot" "$T/boot"
mkdir "$T/tree/boot"
echo '/dev/sda1 /boot ext4 defaults 0 2' >>"$T/tree/etc/fstab"
tiny_disk "$T/disk0.raw" "$T/boot"
lvm_disk "$T/disk1.raw" sys-one 64
lvm_offline lvcreate -an -Zn -Wn -n swap -L 2M sys-one
lvm_offline lvcreate -an -Zn -Wn -n root -L 48M sys-one
lvm_offline lvcreate -an -Zn -Wn -n more -L 2M sys-one
lvm_offline lvextend -L +2M sys-one/swap
lvm_done
mkfs.ext4 -q -F -d "$T/tree" -E offset=$((3 << 20)) "$T/disk1.raw" 48M
sum=$(sha256sum "$T"/disk?.raw)

expect 0 "$H2K" volumes -a "$T/disk0.raw" -a "$T/disk1.raw"
expect_text "^.-/dev/sys-one/root .*lv .*ext4" "$T/out"
expect 0 "$H2K" inspect --json -a "$T/disk0.raw" -a "$T/disk1.raw"
jq -e '.systems[0] | .root == "/dev/sys-one/root" and .mounts[0].device == "/dev/sys-one/root" and
    (.mounts | map(select(.target == "/boot" and .device == "/dev/sda1")) | length) == 1' "$T/out" \
    >"$T/found" || fail "the guest on LVM: $(cat "$T/out")"
mkdir "$T/fixed"
expect 0 "$H2K" offline-fix --output-dir "$T/fixed" -O raw -a "$T/disk0.raw" -a "$T/disk1.raw"
expect 0 "$H2K" plan --exit-code -a "$T"/fixed/*sda.raw -a "$T"/fixed/*sdb.raw
fixed=$(echo "$T"/fixed/*sdb.raw)
debugfs -R "cat /etc/fstab" "$fixed?offset=$((3 << 20))" >"$T/fstab" 2>"$T/err"
grep -q "^/dev/mapper/sys--one-root / " "$T/fstab" || fail "a stable name was changed: $(cat "$T/fstab")"
grep -q "^UUID=.* /boot " "$T/fstab" || fail "an unstable name was left: $(cat "$T/fstab")"
[ "$sum" = "$(sha256sum "$T"/disk?.raw)" ] || fail "a source has changed"

# ---- groups that belong to another system, or to none: used all the same, and said so

for what in exported system-id; do
    disk=$T/$what.raw
    lvm_disk "$disk" sys 64
    lvm_offline lvcreate -an -Zn -Wn -n root -L 50M sys
    case $what in
    exported) lvm_offline vgexport sys ;;
    system-id) lvm_offline vgchange --systemid other-host sys ;;
    esac
    lvm_done
    tiny_tree "$T/$what" /dev/sys/root
    mkfs.ext4 -q -F -d "$T/$what" -E offset=$((1 << 20)) "$disk" 50M
    for command in volumes inspect; do
        expect 0 "$H2K" $command --json "$disk"
        schema_ok h2k.$command-1 "$T/out"
        jq -e --arg what "${what/-/ }" '.volumes | map(select(.notes)) | length == 1 and
            (.[0] | .name == "/dev/sys/root" and (.notes[0] | contains($what)))' "$T/out" >"$T/found" ||
            fail "$what: $(cat "$T/out")"
        expect 0 "$H2K" $command "$disk"
        expect_text "note: .*${what/-/ }" "$T/out"
    done
    expect 0 "$H2K" offline-fix -o "$T/$what.qcow2" "$disk"
    expect 0 "$H2K" plan --exit-code "$T/$what.qcow2"
done

# ---- a member is missing, a type needs the device mapper

truncate -s 64M "$T/a.raw" "$T/b.raw"
lvm_loop "$T/a.raw"
a=$loop
lvm_loop "$T/b.raw"
b=$loop
lvm_offline vgcreate -s 1M pair "$a" "$b"
lvm_offline lvcreate -an -Zn -Wn -n root -L 50M pair "$a"
lvm_offline lvcreate -an -Zn -Wn -n striped -i 2 -L 8M pair
lvm_offline lvcreate -an -Zn -Wn -n far -L 8M pair "$b"
lvm_done
tiny_tree "$T/whole" /dev/pair/root
mkfs.ext4 -q -F -d "$T/whole" -E offset=$((1 << 20)) "$T/a.raw" 50M
expect 0 "$H2K" volumes --json -a "$T/a.raw" -a "$T/b.raw"
jq -e '.volumes | map(select(.name == "/dev/pair/striped")) | length == 1' "$T/out" >"$T/found" ||
    fail "a striped volume is not listed: $(cat "$T/out")"
if ! dmsetup version >"$T/dm" 2>&1; then
    expect 0 "$H2K" volumes -a "$T/a.raw" -a "$T/b.raw"
    expect_text "device mapper.*dm-mod" "$T/out"
fi
expect 0 "$H2K" inspect "$T/a.raw"
expect_text "/dev/pair/far .*" "$T/out"
expect_text "physical volume.*missing" "$T/out"
# read-only, as the other half may have changed
expect 5 "$H2K" offline-fix -o "$T/not.qcow2" "$T/a.raw"
expect_text "physical volume is missing"
expect 1 "$H2K" inspect "$T/b.raw"
expect_text "missing"
check_clean
