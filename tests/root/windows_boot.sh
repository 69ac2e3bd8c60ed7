#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What starts a Windows guest and what an old hypervisor left in it, on real file systems: planned,
# repaired, looked at by other programs, and right the second time.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root mkntfs ntfs-3g ntfscat ntfsfix mkfs.vfat mcopy mdel mtype fsck.vfat sfdisk python3 jq hivexget
cd "$T"

# repair NAME [OPTION...]: NAME.raw becomes fixed.raw, of which nothing is left to do
repair()
{
    local name=$1
    shift
    rm -f fixed.*
    expect 0 "$H2K" plan --json "$@" --format raw "$name.raw" >plan.json
    expect 0 "$H2K" offline-fix "$@" --format raw -O raw -o fixed.raw "$name.raw"
    expect 0 "$H2K" plan --exit-code "$@" --format raw fixed.raw
}
# changed FIXER JQ-EXPRESSION: one of its changes is like that
changed()
{
    jq -e --arg fixer "$1" "[.changes[] | select(.fixer == \$fixer) | select($2)] | length > 0" \
        plan.json >found || fail "$1: no $2 in $(cat plan.json)"
}
# piece NUMBER: partition NUMBER of fixed.raw lies in piece.img
piece()
{
    local start size
    start=$(sfdisk -J fixed.raw | jq ".partitiontable.partitions[$1 - 1].start")
    size=$(sfdisk -J fixed.raw | jq ".partitiontable.partitions[$1 - 1].size")
    dd if=fixed.raw of=piece.img bs=512 skip="$start" count="$size" conv=sparse status=none
}
# bytes at OFFSET of the piece, as one number
number() { od -An -j "$1" -N "$2" -t "u$2" piece.img | tr -d ' '; }

# --- UEFI: the loader at the removable path is damaged; the BCD; filters of two hypervisors
"$H2K_SRC/tests/lib/make-windows" --uefi --tools xen,parallels 10 uefi.raw
printf 'damaged' >damaged
MTOOLS_SKIP_CHECK=1 mcopy -o -i uefi.raw@@1M damaged ::/EFI/Boot/bootx64.efi
repair uefi --only win-boot,win-tools
changed win-boot '.action == "copy" and (.path | ascii_downcase) == "/system:/efi/boot/bootx64.efi"'
changed win-boot '.action == "remove-key" and (.key | endswith("16000046"))'
changed win-boot '.action == "set-value" and (.key | ascii_downcase | endswith("250000e0"))'
changed win-tools '.action == "set-value" and (.key | endswith("xenfilt")) and .after == "dword:00000004"'
changed win-tools '.action == "remove-value" and .name == "UpperFilters" and .before == "multi:\"xenfilt\""'
for file in Boot/bootx64.efi Microsoft/Boot/bootmgfw.efi; do
    MTOOLS_SKIP_CHECK=1 mtype -i fixed.raw@@1M "::/EFI/$file" >"$(basename $file)"
done
cmp bootx64.efi bootmgfw.efi || fail "the removable path has another loader"
piece 1
fsck.vfat -n piece.img >fsck.out || fail "$(cat fsck.out)"
MTOOLS_SKIP_CHECK=1 mtype -i piece.img ::/EFI/Microsoft/Boot/BCD >BCD
loader=$(hivexget BCD 'Objects\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\Elements\23000003' Element)
hivexget BCD "Objects\\$loader\\Elements\\250000e0" Element >policy
printf '\1\0\0\0\0\0\0\0' | cmp - policy || fail "the policy is $(od -An -tx1 policy)"
! hivexget BCD "Objects\\$loader\\Elements\\16000046" Element >graphics 2>&1 || fail "graphics are off"
piece 3
ntfscat -f piece.img Windows/System32/config/SYSTEM >SYSTEM 2>ntfscat.out
for service in xenbus xenfilt xenvbd XenSvc prl_strg prl_boot; do
    start=$(hivexget SYSTEM "ControlSet001\\Services\\$service" Start)
    [ "$start" = 4 ] || fail "$service has Start $start"
done
[ "$(hivexget SYSTEM 'ControlSet001\Services\disk' Start)" = 0 ] || fail "disk does not start"

# --- XP: another disk in boot.ini; heads of another disk in the boot sector
"$H2K_SRC/tests/lib/make-windows" xp xp.raw
sed -i 's/disk(0)rdisk(0)partition(1)/disk(0)rdisk(1)partition(1)/' xp.raw
repair xp --only win-boot,win-tools
changed win-boot '.action == "patch" and .path == "/dev/sda1"'
changed win-boot '.action == "write" and (.path | ascii_downcase) == "/boot.ini"'
piece 1
[ "$(number 26 2)" = 64 ] || fail "$(number 26 2) heads"
[ "$(number 28 4)" = 63 ] || fail "$(number 28 4) hidden sectors"
ntfsfix -n piece.img >ntfsfix.out || fail "$(cat ntfsfix.out)"
ntfscat -f piece.img boot.ini >ini 2>ntfscat.out
grep -c 'rdisk(0)partition(1)\\WINDOWS' ini >count || :
[ "$(cat count)" = 2 ] || fail "$(cat ini)"
