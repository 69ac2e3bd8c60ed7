#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Keys of a Windows as .reg files, compared with what other readers see; and such files in another
# Windows.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img python3 mkntfs ntfs-3g ntfscat mkfs.ext4 sfdisk jq reglookup iconv
may_mount
cd "$T"
make_windows() { "$H2K_SRC/tests/lib/make-windows" "$@" || fail "make-windows $*"; }

# hive_of IMAGE PARTITION PATH OUT
hive_of()
{
    local start size
    qemu-img convert -O raw "$1" disk.raw
    read -r start size < <(sfdisk -J disk.raw | jq -r ".partitiontable.partitions[$2 - 1] | \"\(.start) \(.size)\"")
    dd if=disk.raw of=volume.ntfs bs=512 skip="$start" count="$size" status=none
    ntfscat -q -f volume.ntfs "$3" >"$4" || fail "$1: no $3"
}

# values HIVE: all keys and values, by another reader
values() { reglookup "$1" 2>/dev/null | cut -d, -f1-3 | sort; }

# --- a whole hive: a file as Windows writes it; what is made of that by others is what was there
make_windows --bios --static-ip --tools vmware 7 one.raw
sum=$(sha256sum <one.raw)
hive_of one.raw 2 /Windows/System32/config/SYSTEM SYSTEM
expect 0 "$H2K" registry --export 'HKLM\SYSTEM' -o system.reg one.raw
[ ! -s out ] || fail "there is something on stdout"
[ "$(stat -c %a system.reg)" = 600 ] || fail "others may read it"
[ "$(head -c 2 system.reg | od -An -tx1)" = ' ff fe' ] || fail "there is no mark"
iconv -f UTF-16 -t UTF-8 system.reg >system.txt
! grep -qv $'\r$' system.txt || fail "lines do not end with CRLF"
tr -d '\r' <system.txt | sed 's/^\[HKEY_LOCAL_MACHINE\\SYSTEM\\\?/[/' |
    python3 "$H2K_SRC/tests/lib/hive.py" again.hive
values SYSTEM >want
values again.hive >got
[ "$(wc -l <want)" -gt 100 ] || fail "$(cat want)"
diff want got >differ || fail "$(head differ)"

# --- on stdout the same, as text is here
expect 0 "$H2K" registry --export 'HKEY_LOCAL_MACHINE\system' one.raw
tr -d '\r' <system.txt | cmp - out || fail "stdout is not as the file"
expect 5 "$H2K" registry --export 'HKLM\SYSTEM' -o one.raw one.raw
expect_text 'exists'
[ "$sum" = "$(sha256sum <one.raw)" ] || fail "the source changed"

# --- the control set in use; one key; other hives
expect 0 "$H2K" registry --export 'HKLM\SYSTEM\CurrentControlSet\Services\Disk' one.raw
expect_text '^\[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Disk\]$' out
expect_text '^"Start"=dword:00000000$' out
expect 0 "$H2K" registry --json --export 'HKLM\SYSTEM\CurrentControlSet\Services\disk' one.raw
schema_ok h2k.registry-1 out
jq -e '.key == "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\disk" and .root == "/dev/sda2" and
    .hive == "/Windows/System32/config/SYSTEM" and
    (.values[] | select(.name == "Start")) == {name: "Start", type: "REG_DWORD", number: 0, hex: "00000000"} and
    (.values[] | select(.name == "ImagePath") | .type == "REG_EXPAND_SZ" and (.text | test("disk.sys$")))' \
    out >/dev/null || fail "$(cat out)"
expect 0 "$H2K" registry --json --export 'HKLM\BCD00000000' one.raw
schema_ok h2k.registry-1 out
jq -e '.hive == "/SYSTEM:/Boot/BCD" and .values == [] and .keys == ["Description", "Objects"]' out >/dev/null ||
    fail "$(cat out)"
for key in 'HKLM\SAM' 'HKLM\SECURITY' 'HKLM\SOFTWARE' 'HKU\.DEFAULT'; do
    expect 0 "$H2K" registry --export "$key" one.raw
    expect_text '^\[HKEY_' out
done

# --- what Windows had in its log only
make_windows --dirty-hive --hostname FRESH 10 dirty.raw
sum=$(sha256sum <dirty.raw)
expect 0 "$H2K" registry --export 'HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName' dirty.raw
expect_text '^"ComputerName"="FRESH"$' out
[ "$sum" = "$(sha256sum <dirty.raw)" ] || fail "the source changed"

# --- into another guest and out again
key='HKLM\SYSTEM\CurrentControlSet\Services\VMTools'
expect 1 "$H2K" registry --export "$key" dirty.raw
expect 0 "$H2K" registry --export "$key" -o tools.reg one.raw
expect 0 "$H2K" plan --only win-inject,win-firstboot --registry tools.reg dirty.raw
expect_text '^win-inject: registry /Windows/System32/config/SYSTEM: tools.reg asks for it$' out
expect_text '^\+\[ControlSet001\\Services\\VMTools\]$' out
expect 0 "$H2K" offline-fix --only win-inject,win-firstboot --registry tools.reg -o done.qcow2 dirty.raw
jq -e '.validated' done.report.json >/dev/null || fail "not validated"
expect 0 "$H2K" registry --export "$key" -o again.reg done.qcow2
cmp tools.reg again.reg || fail "what was imported is not what was exported"
printf 'REGEDIT4\n[HKEY_CURRENT_USER\\X]\n' >other.reg
expect 2 "$H2K" plan --registry other.reg dirty.raw
expect_text 'other.reg: \[HKEY_CURRENT_USER\\X\]: only keys below'

# --- what is not there
expect 1 "$H2K" registry --json --export 'HKLM\SYSTEM\CurrentControlSet\Services\nothing\below' one.raw
schema_ok h2k.registry-1 out
expect_text 'no such key; there is HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services$'
expect 1 "$H2K" registry --export 'HKU\nobody' one.raw
expect 2 "$H2K" registry --export 'HKCU\Software' one.raw
expect_text 'a key begins with HKLM'
expect 2 "$H2K" registry one.raw
tiny_tree tree
tiny_disk linux.raw tree
expect 3 "$H2K" registry --export 'HKLM\SYSTEM' linux.raw
expect_text 'no Windows'
expect 2 "$H2K" plan --registry tools.reg linux.raw
expect_text 'works in Windows guests only'
check_clean
