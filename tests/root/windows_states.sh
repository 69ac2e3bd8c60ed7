#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A Windows that has not let go of its disk is looked at, but not changed, and the reason has a name;
# what one that sleeps keeps in memory is given up on request, before anything else is changed.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img python3 mkntfs ntfs-3g ntfsfix ntfscat sfdisk jq
may_mount
cd "$T"

"$H2K_SRC/tests/lib/make-windows" --single --hibernated 10 asleep.raw || fail make-windows
read -r start size < <(sfdisk --json asleep.raw | jq -r '.partitiontable.partitions[0] | "\(.start) \(.size)"')
# part IMAGE FILE: its partition, as a file; and back
part() { dd if="$1" of="$2" bs=512 skip="$start" count="$size" conv=sparse status=none; }
put() { dd if="$2" of="$1" bs=512 seek="$start" conv=notrunc status=none; }

# refused IMAGE TEXT [OPTION...]: by plan as by offline-fix, without a target
refused()
{
    local image=$1 text=$2
    shift 2
    expect 5 "$H2K" plan "$@" "$image"
    expect_text "$text" err
    expect 5 "$H2K" offline-fix "$@" -o refused.qcow2 "$image"
    expect_text "$text" err
    [ ! -e refused.qcow2 ] || fail "$text: there is a target"
}

# --- asleep
sum=$(sha256sum asleep.raw)
expect 0 "$H2K" inspect --json asleep.raw
jq -e '.systems[0].windows.hibernated' out >/dev/null || fail "asleep: $(cat out)"
refused asleep.raw 'hibernated.*--discard-hibernation'
expect 0 "$H2K" plan --discard-hibernation asleep.raw
expect_text '^note: guest: /dev/sda1: what Windows kept in memory for it is given up' out
expect 0 "$H2K" offline-fix --discard-hibernation -o awake.qcow2 asleep.raw
[ "$sum" = "$(sha256sum asleep.raw)" ] || fail "the source has changed"
jq -e '[.notes[] | select(test("given up"))] != []' awake.report.json >/dev/null ||
    fail "the report: $(cat awake.report.json)"
qemu-img convert -O raw awake.qcow2 awake.raw
part asleep.raw before.ntfs
part awake.raw after.ntfs
ntfscat before.ntfs hiberfil.sys >before
ntfscat after.ntfs hiberfil.sys >after
cmp -n 4096 after /dev/zero || fail "the image is still there"
cmp -i 4096 before after || fail "more than the image's first page has changed"
ntfsfix -n after.ntfs >out || fail "$(cat out)"
expect 0 "$H2K" inspect --json awake.qcow2
jq -e '.systems[0].windows.hibernated | not' out >/dev/null || fail "awake: $(cat out)"
expect 0 "$H2K" plan --exit-code awake.qcow2

# --- in place: the same, on request only
cp --sparse=always asleep.raw here.raw
expect 5 "$H2K" offline-fix --in-place here.raw
cmp here.raw asleep.raw || fail "in place: changed without being asked"
expect 0 "$H2K" offline-fix --in-place --discard-hibernation here.raw
part here.raw after.ntfs
ntfscat after.ntfs hiberfil.sys | cmp -n 4096 - /dev/zero || fail "in place"

# --- marked dirty, for chkdsk: asleep or not, that stays a reason
cp --sparse=always awake.raw dirty.raw
part dirty.raw dirty.ntfs
ntfsfix dirty.ntfs >out || fail "$(cat out)"
put dirty.raw dirty.ntfs
refused dirty.raw 'marked dirty.*chkdsk'
refused dirty.raw 'marked dirty.*chkdsk' --discard-hibernation
expect 0 "$H2K" inspect dirty.raw

# --- encrypted, and there is no key
if python3 -c 'import cryptography' 2>/dev/null; then
    truncate -s 16M content
    python3 "$H2K_SRC/tests/lib/make-bitlocker" content locked password=secret >out || fail "$(cat out)"
    cp --sparse=always awake.raw locked.raw
    put locked.raw locked
    refused locked.raw 'BitLocker|no key'
fi

# --- CompactOS: files of the system that not every driver can read are there nevertheless
"$H2K_SRC/tests/lib/make-windows" --single 10 compact.raw || fail make-windows
part compact.raw volume.ntfs
mkdir volume
# shellcheck disable=SC2016 # for the other shell
unshare --mount --propagation private sh -c 'ntfs-3g volume.ntfs volume && python3 -c "$1" && umount volume' \
    sh '
import os, struct
for name in ("storahci", "atapi", "intelide", "pciide"):
    path = f"volume/Windows/System32/drivers/{name}.sys"
    os.truncate(path, 0)
    os.setxattr(path, "system.ntfs_reparse_data", struct.pack("<IHHIIII", 0x80000017, 16, 0, 1, 2, 1, 0))
' || fail "the files were not compressed"
put compact.raw volume.ntfs
expect 0 "$H2K" inspect --json compact.raw
jq -e '.systems[0].windows.boots_from | .ahci and .ide' out >/dev/null ||
    fail "compact: $(jq -c '.systems[0].windows.boots_from' out)"

# --- beside a copy of itself: what names one names the other, too; nothing is made different
cp --sparse=always awake.raw copy.raw
note='/dev/sda and /dev/sdb have the same signature 5cbea03e: '
expect 0 "$H2K" inspect --json --format raw -a awake.raw -a copy.raw
schema_ok h2k.inspect-1 out
jq -e --arg note "$note" '[.systems[].windows | (.notes | any(startswith($note))) and .boot_default] == [true, true]' \
    out >found || fail "$(cat out)"
expect 5 "$H2K" plan --format raw -a awake.raw -a copy.raw
expect_text 'several systems' err
expect 0 "$H2K" plan --exit-code --root /dev/sdb1 --format raw -a awake.raw -a copy.raw
expect_text "note: win-boot: $note" out
check_clean
