#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --in-place on a disk that fills up during the commit, and interrupted by signals: the guest is as
# it was, or the same command finishes the commit; never anything between.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img sfdisk mkfs.ext4 e2fsck losetup
may_mount

make_small_guest "$T/small.raw" 96 1
# repaired, whole, nothing left beside it
check_done()
{
    local loop
    expect 0 "$H2K" plan --exit-code "$1"
    qemu-img convert -O raw "$1" "$T/now.raw"
    loop=$(losetup -r -f --show -o 1048576 "$T/now.raw")
    e2fsck -fn "$loop" >"$T/fsck" 2>&1 || { losetup -d "$loop"; cat "$T/fsck"; fail "$1 is damaged"; }
    losetup -d "$loop"
    [ -z "$(ls "$(dirname "$1")"/*.h2k-* 2>/dev/null)" ] || fail "left: $(ls "$(dirname "$1")")"
}

# --- no space: the file grows while the overlay is committed into it
truncate -s 520M "$T/full.img"
mkfs.ext4 -q -F "$T/full.img"
mkdir "$T/full" "$T/bin"
mount -o loop "$T/full.img" "$T/full"
make_vmdk "$T/small.raw" "$T/full/disk.vmdk"
# shellcheck disable=SC2016 # the script expands it
printf '#!/bin/sh\n[ "$1" != commit ] || cat /dev/zero >%q 2>/dev/null\nexec %s "$@"\n' \
    "$T/full/filler" "$(command -v qemu-img)" >"$T/bin/qemu-img"
chmod +x "$T/bin/qemu-img"
PATH=$T/bin:$PATH expect 8 "$H2K" offline-fix -q --in-place "$T/full/disk.vmdk"
expect_text 'no space left|[Nn]o space'
[ -e "$T/full/disk.vmdk.h2k-commit" ] || fail "no marker: $(ls "$T/full")"
expect 5 "$H2K" inspect "$T/full/disk.vmdk"
rm "$T/full/filler"
expect 0 "$H2K" offline-fix -q --in-place "$T/full/disk.vmdk"
check_done "$T/full/disk.vmdk"
umount "$T/full"

# --- signals, from the first steps to the validation and the commit
mkdir "$T/d"
ended=0 pending=0
for round in $(seq 12); do
    signal=INT status=0
    [ $((round % 2)) = 0 ] || signal=TERM
    rm -rf "$T"/d/*
    qemu-img convert -f raw -O qcow2 "$T/small.raw" "$T/d/disk.qcow2"
    sum=$(sha256sum <"$T/d/disk.qcow2")
    # a shell's background job ignores SIGINT
    env --default-signal=INT "$H2K" offline-fix -q --in-place "$T/d/disk.qcow2" >"$T/out" 2>"$T/err" &
    pid=$!
    if [ $((round % 3)) = 0 ]; then
        while kill -0 $pid 2>/dev/null && [ ! -e "$T/d/disk.qcow2.h2k-commit" ]; do sleep 0.002; done
    else
        sleep "0.$(printf '%03d' $((RANDOM % 250)))"
    fi
    kill -$signal $pid 2>/dev/null || :
    wait $pid || status=$?
    check_clean
    if [ -e "$T/d/disk.qcow2.h2k-commit" ]; then
        pending=$((pending + 1))
        expect 5 "$H2K" plan "$T/d/disk.qcow2"
    elif [ $status != 0 ]; then
        case $status in 130 | 143) ;; *) fail "$signal: exit status $status: $(cat "$T/err")" ;; esac
        ended=$((ended + 1))
        # changed without a marker: it came after the commit
        [ "$sum" = "$(sha256sum <"$T/d/disk.qcow2")" ] || check_done "$T/d/disk.qcow2"
        [ -z "$(ls "$T"/d/*.h2k-* 2>/dev/null)" ] || fail "$signal: left: $(ls "$T/d")"
    fi
    expect 0 "$H2K" offline-fix -q --in-place "$T/d/disk.qcow2"
    check_done "$T/d/disk.qcow2"
done
say "$ended ended before the commit, $pending in it"
[ $((ended + pending)) -ge 3 ] || fail "the signals hardly ever met a run"
check_clean
