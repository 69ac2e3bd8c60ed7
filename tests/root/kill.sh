#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# kill -9 of h2k and of its block servers, and SIGTERM, at random moments, reading and with a dirty
# file system: nothing hangs, and nothing is left (after cleanup, where h2k itself was killed).
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img qemu-nbd mkfs.ext4 losetup setsid shuf
hold=${HOLD:?}
backend=${KILL_BACKEND:-fuse} slow=${KILL_SLOW:-1} # a slow machine has longer moments
[ "$backend" != fuse ] || [ -c /dev/fuse ] || skip "needs fuse"

truncate -s 64M "$T/disk.raw"
mkdir "$T/files" "$T/bin"
head -c 1M /dev/urandom >"$T/files/file0"
mkfs.ext4 -q -F -d "$T/files" "$T/disk.raw"
make_vmdk "$T/disk.raw" "$T/disk.vmdk"
sum=$(sha256sum <"$T/disk.vmdk")

# Odd rounds know no storage daemon, so that qemu-nbd and nbdfuse serve.
for tool in qemu-img qemu-nbd nbdfuse; do ln -s "$(command -v $tool || echo /)" "$T/bin/$tool"; done
ways=("$PATH")
! command -v nbdfuse >"$T/which" || ways+=("$T/bin")

servers_of() { pgrep -P "$1" -f '^(qemu-storage-daemon|qemu-nbd|nbdfuse) '; }

# ended PID: wait for it, at most 20 s; sets $status
ended()
{
    timeout $((20 * slow)) tail -s 0.02 --pid="$1" -f /dev/null ||
        fail "$what: process $1 hangs: $(cat "/proc/$1/stack" 2>&1)"
    status=0
    wait "$1" 2>/dev/null || status=$?
}

# Quick form of check_clean, which looks at every process.
nothing_left()
{
    local left id
    for _ in $(seq 150); do
        left=$(ls -A "$TMPDIR")
        for id in $(losetup -l -n -O BACK-FILE | sed -nE 's,^/run/h2k/([a-z0-9]+)\.d/.*,\1,p'); do
            [ -e "/run/h2k/$id" ] || left+=" a loop device of session $id"
        done
        [ "$backend" = fuse ] || left+=$(cat /sys/block/nbd*/pid 2>/dev/null || :)
        [ -n "$left" ] || return 0
        sleep 0.1
    done
    fail "$what: left behind: $left"
}

cleanup()
{
    timeout $((20 * slow)) "$H2K" cleanup --json >"$T/out" || fail "$what: cleanup: $?"
    grep -q '"released":\[\]' "$T/out" || released=$((released + 1))
    nothing_left
}

# A random moment: from the first steps of the start to a while after the mount.
wait_a_moment()
{
    local ms=$((RANDOM % (slow * ${1:-200})))
    sleep "$((ms / 1000)).$(printf '%03d' $((ms % 1000)))"
}

start()
{
    : >"$T/ready" # what the last one said
    setsid env PATH="${ways[$((round % ${#ways[@]}))]}" "$hold" "$1" "$backend" "$T/disk.vmdk" \
        >"$T/ready" 2>"$T/err" &
    pid=$!
    disown
}

kill_h2k()
{
    wait_a_moment
    kill -9 "$pid"
    ended "$pid"
    cleanup
}

kill_server()
{
    local server
    until server=$(servers_of "$pid" | shuf -n 1) && [ -n "$server" ]; do
        kill -0 "$pid" || fail "$what: it ended by itself: $(cat "$T/err")"
    done
    wait_a_moment
    kill -9 "$server" 2>/dev/null || return 0
    ended "$pid"
    nothing_left
    [ -s "$T/err" ] || fail "$what: no message"
}

end_h2k()
{
    # before it is h2k, it is a shell that may lose the signal
    until [ "$(readlink "/proc/$pid/exe")" = "$(readlink -f "$hold")" ]; do kill -0 "$pid"; done
    wait_a_moment 100
    kill -TERM "$pid"
    ended "$pid"
    nothing_left
}

# Ctrl-C reaches the whole process group, but not the servers: what is dirty can be written back.
interrupt_group()
{
    until grep -q ready "$T/ready"; do kill -0 "$pid" || fail "$what: $(cat "$T/err")"; done
    wait_a_moment 100
    kill -INT -- "-$pid"
    ended "$pid"
    nothing_left
    { [ "$status" = 0 ] && [ ! -s "$T/err" ]; } || fail "$what: status $status: $(cat "$T/err")"
}

# What the two namespaces are there to prevent: the dying server unmounts the file system that it
# serves. Cleanup aborts its FUSE connection.
deadlock()
{
    local id
    : >"$T/ready"
    "$hold" outer fuse "$T/disk.vmdk" >"$T/ready" 2>"$T/err" &
    pid=$!
    disown
    until grep -q ready "$T/ready"; do kill -0 "$pid" || fail "$what: $(cat "$T/err")"; done
    id=$(basename "$TMPDIR"/h2k-*)
    wait_a_moment
    kill -9 "$pid"
    for _ in $(seq 20); do
        timeout $((20 * slow)) "$H2K" cleanup >"$T/out" || fail "$what: $(cat "$T/out")"
        [ -e "/run/h2k/${id#h2k-}" ] || break
        sleep 0.1
    done
    ended "$pid"
    nothing_left
}

released=0
for round in $(seq "${KILL_ROUNDS:-30}"); do
    for act in kill_h2k kill_server end_h2k interrupt_group; do
        mode=rw
        [ $((round % 5)) -lt 4 ] || mode=ro
        what="round $round, $act, $mode"
        start $mode
        $act
    done
done
for round in 1 2 3; do
    [ "$backend" = fuse ] || break
    what="deadlock $round"
    deadlock
done
check_clean
[ "$sum" = "$(sha256sum <"$T/disk.vmdk")" ] || fail "the source has changed"
say "${KILL_ROUNDS:-30} rounds, ${#ways[@]} ways; $released cleanups had something to do"
