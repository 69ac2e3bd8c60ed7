#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --in-place for every format that can be rewritten: a run that is killed at a random moment, before
# or during the commit, is finished by the same command; until then others refuse the image.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img sfdisk mkfs.ext4 e2fsck losetup python3

make_small_guest "$T/small.raw"
mkdir "$T/d"
image() { rm -rf "$T"/d/*; qemu-img convert -f raw -O "$1" ${2:+-o "subformat=$2"} "$T/small.raw" "$T/d/disk.$1"; }

# The guest is repaired, its file system is whole, and nothing else is left.
check_done()
{
    expect 0 "$H2K" plan --exit-code "$1"
    qemu-img convert -f "${1##*.}" -O raw "$1" "$T/now.raw"
    local loop; loop=$(losetup -r -f --show -o 1048576 "$T/now.raw")
    e2fsck -fn "$loop" >"$T/fsck" 2>&1 || { losetup -d "$loop"; cat "$T/fsck"; fail "$1 is damaged"; }
    losetup -d "$loop"
    [ -z "$(ls "$T"/d/*.h2k-* 2>/dev/null)" ] || fail "left: $(ls "$T"/d)"
}

# Does anybody hold a lock on an image?
is_locked()
{
    local inodes
    inodes=$(stat -c ':%i ' "$T"/d/*)
    grep -qF "$inodes" /proc/locks
}

# kill_at AT IMAGE: SIGKILL after AT ms, or ("commit AT") AT ms after the marker appeared.
kill_at()
{
    local pid
    "$H2K" offline-fix -q --in-place "$3" >"$T/out" 2>"$T/err" & pid=$!
    if [ "$1" = commit ]; then
        while kill -0 $pid 2>/dev/null && [ ! -e "$3.h2k-commit" ]; do sleep 0.002; done
    fi
    sleep "$(printf '0.%03d' "$2")"
    kill -9 $pid 2>/dev/null || :
    wait $pid 2>/dev/null || :
    # its qemu-img dies with it, but not in the same moment, and its locks go last
    for _ in $(seq 100); do
        pgrep -f "^qemu.*$T/d/" >/dev/null || is_locked || return 0
        sleep 0.05
    done
    fail "a helper survives h2k: $(pgrep -af "$T/d/")"
}

image vmdk streamOptimized
sum=$(sha256sum <"$T/d/disk.vmdk")
expect 5 "$H2K" offline-fix --in-place "$T/d/disk.vmdk"
expect_text 'cannot be rewritten in place'
[ "$sum" = "$(sha256sum <"$T/d/disk.vmdk")" ] || fail "a refused image was changed"

pending=0
for row in raw: qcow2: vdi: vhdx: vpc:dynamic vpc:fixed vmdk:monolithicSparse vmdk:monolithicFlat vmdk:twoGbMaxExtentSparse; do
    format=${row%:*}; disk=$T/d/disk.$format
    image "$format" "${row#*:}"
    expect 0 "$H2K" offline-fix --in-place "$disk"
    check_done "$disk"
    schema_ok h2k.report-1 "$T/d/disk.report.json"
    for moment in "start $((RANDOM % 400))" "commit 0" "commit $((RANDOM % 30))" "commit $((RANDOM % 80))"; do
        image "$format" "${row#*:}"
        # shellcheck disable=SC2086 # a moment is two words
        kill_at $moment "$disk"
        if [ -e "$disk.h2k-commit" ]; then
            pending=$((pending + 1))
            expect 5 "$H2K" inspect "$disk"
            expect_text 'h2k-commit|commit'
            expect 0 "$H2K" cleanup
            expect 0 "$H2K" offline-fix --in-place "$disk"
            expect_text 'interrupted commit' "$T/out"
        else
            expect 0 "$H2K" offline-fix --in-place "$disk"
        fi
        check_done "$disk"
    done
done
say "$pending commits were interrupted"
[ "$pending" -ge 5 ] || fail "the kills hardly ever met a commit"
check_clean
