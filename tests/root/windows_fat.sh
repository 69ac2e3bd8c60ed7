#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Windows XP on FAT32: found, repaired, attributes of its files kept, its boot sector and the copy of
# that put right; one that sleeps is left alone. By the kernel's driver where it is there, else
# through mtools, for which most real ones are too large: that is said.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img python3 sfdisk jq mkfs.vfat fsck.vfat mcopy mattrib mdir mtype reglookup osslsigncode xorriso
may_mount
cd "$T"
export MTOOLS_SKIP_CHECK=1

# volume IMAGE FILE: its partition, as a file
volume()
{
    local start size
    read -r start size < <(sfdisk -J "$1" | jq -r '.partitiontable.partitions[0] | "\(.start) \(.size)"')
    dd if="$1" of="$2" bs=512 skip="$start" count="$size" conv=sparse status=none
}
# number FILE OFFSET BYTES
number() { od -An -j "$2" -N "$3" -t "u$3" "$1" | tr -d ' '; }
changed() { jq -e "any(.changes[]; $1)" fixed.report.json >found || fail "no change $1: $(jq -c .changes fixed.report.json)"; }

"$H2K_SRC/tests/lib/make-virtio-win" vw >/dev/null || fail make-virtio-win
"$H2K_SRC/tests/lib/make-windows" --fat xp xp.raw || fail make-windows
sed -i 's/disk(0)rdisk(0)partition(1)/disk(0)rdisk(1)partition(1)/' xp.raw
sum=$(sha256sum xp.raw)
volume xp.raw before.fat
mattrib -i before.fat ::/boot.ini | grep -q ' SHR ' || fail "boot.ini is not hidden"

expect 0 "$H2K" inspect --json xp.raw
jq -e '.systems[0] | .root == "/dev/sda1" and .windows.boot_default == false and
    (.windows.drives | any(.letter == "C" and .device == "/dev/sda1"))' out >found || fail "$(cat out)"
expect 0 "$H2K" offline-fix --virtio-win vw -O raw -o fixed.raw xp.raw
[ "$sum" = "$(sha256sum xp.raw)" ] || fail "the source has changed"
expect 0 "$H2K" plan --exit-code --virtio-win vw fixed.raw
changed '.path == "/boot.ini" and .fixer == "win-boot"'
changed '.path == "/WINDOWS/system32/drivers/viostor.sys"'
jq -e '.target.disk_bus == "virtio"' fixed.report.json >found || fail "$(cat fixed.report.json)"

volume fixed.raw after.fat
fsck.vfat -n after.fat >out || fail "$(cat out)"
for at in 0 $((6 * 512)); do # the boot sector and its copy
    [ "$(number before.fat $((at + 26)) 2)" = 255 ] || fail "the disk was right before"
    [ "$(number after.fat $((at + 26)) 2)" = 64 ] || fail "at $at: $(number after.fat $((at + 26)) 2) heads"
    [ "$(number after.fat $((at + 28)) 4)" = 63 ] || fail "at $at: hidden sectors"
done
for file in boot.ini ntldr WINDOWS/system32/config/SYSTEM; do
    mattrib -i before.fat "::/$file" >old
    mattrib -i after.fat "::/$file" >new
    diff old new || fail "$file has other attributes"
done
mtype -i after.fat ::/boot.ini | grep -c 'rdisk(0)partition(1)\\WINDOWS' >count || fail boot.ini
[ "$(cat count)" = 2 ] || fail "boot.ini: $(cat count) lines"
mcopy -i after.fat ::/WINDOWS/system32/config/SYSTEM SYSTEM
reglookup SYSTEM 2>/dev/null >values
grep -qi "^/ControlSet001/Services/viostor/Start,DWORD,0x00000000," values || fail "viostor does not start"
mcopy -i after.fat ::/WINDOWS/system32/drivers/viostor.sys got
cmp got vw/viostor/xp/x86/viostor.sys || fail viostor.sys
# new names are found whatever their case, and once only
mdir -a -b -i after.fat ::/windows/SYSTEM32/DRIVERS/ | sort | tr '[:upper:]' '[:lower:]' | uniq -d >twice
[ ! -s twice ] || fail "two files of one name: $(cat twice)"

# --- asleep
"$H2K_SRC/tests/lib/make-windows" --fat --hibernated xp asleep.raw || fail make-windows
expect 0 "$H2K" inspect --json asleep.raw
jq -e '.systems[0].windows.hibernated' out >found || fail "$(cat out)"
expect 5 "$H2K" offline-fix --virtio-win vw -O raw -o awake.raw asleep.raw
expect_text 'hibernated.*--discard-hibernation' err
[ ! -e awake.raw ] || fail "there is a target"
expect 0 "$H2K" offline-fix --discard-hibernation --virtio-win vw -O raw -o awake.raw asleep.raw
volume awake.raw after.fat
mtype -i after.fat ::/hiberfil.sys | head -c 512 | cmp -n 512 - /dev/zero || fail "the image is still there"
expect 0 "$H2K" plan --exit-code --virtio-win vw awake.raw

# --- more than is staged
if ! grep -qw vfat /proc/filesystems; then
    truncate -s 1G large.raw
    mkfs.vfat -F 32 large.raw >out
    truncate -s 600M much
    mcopy -i large.raw much ::/pagefile.sys
    mmd -i large.raw ::/WINDOWS
    expect 4 "$H2K" inspect large.raw
    expect_text 'module vfat' err
fi
check_clean
