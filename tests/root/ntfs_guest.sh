#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# NTFS beside a Linux system: mounted for writing where Windows has let go of it, else read-only
# with the reason, and the rest is repaired all the same. A disk with nothing else is no system.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img mkfs.ext4 sfdisk jq python3 mkntfs ntfscp ntfs-3g
may_mount
cd "$T"

put() { dd if="$2" of="$1" bs=1M seek="$3" conv=notrunc,sparse status=none; }

# guest IMAGE NTFS: the root, and the NTFS at /win
guest()
{
    rm -rf tree root.ext4
    tiny_tree tree /dev/sda1
    mkdir tree/win
    echo '/dev/sda2 /win ntfs defaults 0 0' >>tree/etc/fstab
    truncate -s 48M root.ext4
    mkfs.ext4 -q -F -d tree root.ext4
    truncate -s 66M "$1"
    printf 'label: dos\nstart=2048,size=98304,type=83\nsize=32768,type=7\n' |
        sfdisk -q --no-reread --no-tell-kernel "$1"
    put "$1" root.ext4 1
    put "$1" "$2" 49
}

truncate -s 16M clean.ntfs
mkntfs -q -Q -F -L data clean.ntfs >/dev/null 2>&1
cp clean.ntfs slept.ntfs
{ printf HIBR; head -c 65532 /dev/zero; } >hiberfil
ntfscp -f -q slept.ntfs hiberfil hiberfil.sys
guest clean.raw clean.ntfs
guest slept.raw slept.ntfs
sums=$(sha256sum ./*.raw)

expect 0 "$H2K" offline-fix -o clean.qcow2 clean.raw
expect 0 "$H2K" plan --json clean.raw
jq -e '[.notes[]? | select(test("/win"))] == []' out >/dev/null || fail "$(cat out)"

expect 0 "$H2K" inspect --json slept.raw
schema_ok h2k.inspect-1 out
jq -e '.volumes[] | select(.name == "/dev/sda2") | .read_only | test("hibernated")' out >/dev/null ||
    fail "the volume: $(cat out)"
expect 0 "$H2K" offline-fix -o slept.qcow2 slept.raw
expect 0 "$H2K" plan slept.raw
expect_text '^note: guest: /etc/fstab: /dev/sda2 \(for /win\) is not written: it is mounted read-only: Windows is hibernated' out
expect 0 "$H2K" volumes slept.raw
expect_text '^read-only: /dev/sda2: Windows is hibernated' out
expect 0 "$H2K" volumes clean.raw
! grep read-only out || fail "a clean one: $(cat out)"

# nothing was lost or gained on the way
qemu-img convert -O raw slept.qcow2 after.raw
dd if=after.raw of=after.ntfs bs=1M skip=49 count=16 status=none
cmp after.ntfs slept.ntfs || fail "a hibernated volume was written to"

expect 3 "$H2K" plan slept.ntfs
expect_text 'no operating system was found' err
expect 3 "$H2K" offline-fix -o no.qcow2 clean.ntfs
expect_text 'no operating system was found' err
[ "$sums" = "$(sha256sum ./*.raw | grep -v after)" ] || fail "a source has changed"
check_clean
