#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# kill -9 of h2k and of its block server at random moments, reading and with a dirty file system:
# nothing hangs, and cleanup leaves nothing.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img qemu-storage-daemon mkfs.ext4 losetup setsid
hold=${HOLD:?}

truncate -s 64M "$T/disk.raw"
mkdir "$T/files"
head -c 1M /dev/urandom >"$T/files/file0"
mkfs.ext4 -q -F -d "$T/files" "$T/disk.raw"
make_vmdk "$T/disk.raw" "$T/disk.vmdk"
sum=$(sha256sum <"$T/disk.vmdk")

server_of() { pgrep -P "$1" -f '^(qemu-storage-daemon|qemu-nbd|nbdfuse) ' | head -n 1; }

# ended PID: wait for it, at most 20 s; sets $status
ended()
{
    local pid=$1
    timeout 20 tail -s 0.02 --pid="$pid" -f /dev/null || fail "process $pid hangs: $(cat "/proc/$pid/stack" 2>&1)"
    status=0
    wait "$pid" 2>/dev/null || status=$?
}

# Quick form of check_clean, which looks at every process.
nothing_left()
{
    local left id
    for _ in $(seq 50); do
        left=$(ls -A "$TMPDIR")
        for id in $(losetup -l -n -O BACK-FILE | sed -nE 's,^/run/h2k/([a-z0-9]+)\.d/.*,\1,p'); do
            [ -e "/run/h2k/$id" ] || left+=" a loop device of session $id"
        done
        [ -n "$left" ] || return 0
        sleep 0.1
    done
    fail "round $round, $mode, $victim: left behind: $left"
}

# A random moment: from the first steps of the start to a while after the mount.
wait_a_moment() { sleep "0.$(printf '%03d' $((RANDOM % 250)))"; }

rounds=${KILL_ROUNDS:-30} released=0 hit=0
for round in $(seq "$rounds"); do
    for mode in ro rw; do
        for victim in h2k server; do
            [ $mode = rw ] || [ $((round % 3)) = 0 ] || continue
            "$hold" $mode fuse "$T/disk.vmdk" >"$T/ready" 2>"$T/err" &
            pid=$!
            wait_a_moment
            if [ $victim = h2k ]; then
                kill -9 $pid
                ended $pid
            else
                until server=$(server_of $pid) && [ -n "$server" ]; do kill -0 $pid || break; done
                wait_a_moment
                ! kill -9 "$server" 2>/dev/null || hit=$((hit + 1))
                ended $pid
                [ $status = 1 ] || fail "round $round: status $status after its server was killed"
                nothing_left
            fi
            timeout 20 "$H2K" cleanup --json >"$T/out" || fail "round $round: cleanup: $?"
            grep -q '"released":\[\]' "$T/out" || released=$((released + 1))
            nothing_left
        done
    done
done
check_clean
[ "$sum" = "$(sha256sum <"$T/disk.vmdk")" ] || fail "the source has changed"
[ -z "$("$H2K" cleanup --orphans | grep -v nothing)" ] || fail "orphans"
say "$rounds rounds: $hit servers killed, $released cleanups had something to do"
