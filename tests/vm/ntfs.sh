#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# NTFS on a kernel with the ntfs3 driver, which reads and finishes logs: the same tests as without it,
# with ntfs-3g to write and then without.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img qemu-system-x86_64 mkntfs ntfscp ntfs-3g mkfs.ext4 sfdisk jq python3

if [ "${1:-}" != inside ]; then
    status=0
    in_vm -b -t 500 -- "$0" inside || status=$?
    exit $status
fi
modprobe -a loop fuse ext4 ntfs3

no_skip() { ! grep SKIPPED "$T/out" || fail "skipped: $(cat "$T/out")"; }
expect 0 "$TEST_NTFS"
no_skip
expect 0 "$TEST_NTFS_FILES"
no_skip
expect 0 "$TEST_NTFS_NAMES"
no_skip
expect 0 "$TEST_NTFS_SERVER"
expect 0 "$H2K_SRC/tests/root/ntfs_guest.sh"
say "with ntfs-3g: $SECONDS s"

cp "$(command -v ntfs-3g)" "$T/ntfs-3g"
rm "$(command -v ntfs-3g)" # from this machine's own view only
expect 0 "$TEST_NTFS"
no_skip
NTFS_3G=$T/ntfs-3g expect 0 "$TEST_NTFS_FILES"
no_skip
expect 0 "$TEST_NTFS_NAMES"
skipped=$(grep -c 'SKIPPED \] junctions' "$T/out") || : # ntfs3 makes no junctions
[ "$(grep -c 'SKIPPED \]' "$T/out")" = "$skipped" ] || fail "skipped: $(cat "$T/out")"
expect 0 "$H2K" doctor --json
jq -e '(.drivers[] | select(.name == "ntfs3").state == "ready") and (.tools[] | select(.name == "ntfs-3g").available | not)' \
    "$T/out" >"$T/found" || fail "$(cat "$T/out")"
say "without: $SECONDS s"
