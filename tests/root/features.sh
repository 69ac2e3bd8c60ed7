#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# File systems that the running kernel is too new or too old for: what it lacks is said before
# anything is written.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root mkfs.ext4 debugfs mkfs.xfs
may_mount
cd "$T"

# --- a feature that no kernel knows yet
tiny_tree tree /dev/sda
truncate -s 48M new.raw
mkfs.ext4 -q -d tree new.raw
debugfs -w -R "feature FEATURE_I20" new.raw 2>/dev/null
sum=$(sha256sum new.raw)
for command in inspect plan; do
    expect 4 "$H2K" $command new.raw
    expect_text 'cannot mount this ext4: unknown features .bits 0x100000.'
done
expect 4 "$H2K" offline-fix -o new.qcow2 new.raw
[ ! -e new.qcow2 ] || fail "a target"
[ "$sum" = "$(sha256sum new.raw)" ] || fail "the source has changed"

# --- XFS as EL 6 and the first EL 7 made it, where the kernel is built without it
mkdir mnt
truncate -s 320M old.raw
mkfs.xfs -q -m crc=0 old.raw 2>/dev/null || { say "mkfs.xfs makes no version 4"; check_clean; exit 0; }
if mount -o loop,ro old.raw mnt 2>/dev/null; then
    umount mnt
    expect 3 "$H2K" inspect old.raw
else
    expect 4 "$H2K" inspect old.raw
    expect_text 'XFS of version 4 needs a kernel that is built with CONFIG_XFS_SUPPORT_V4'
fi
check_clean
