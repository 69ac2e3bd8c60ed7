#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sixteen inspections at once, each held when it has looked at its guest and tells what it found,
# with everything still attached: what memory they and their helpers take.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img sfdisk mkfs.ext4 stdbuf
! ldd "$H2K" | grep -q libasan || skip "a sanitizer takes more memory than all the rest"
n=16 limit_mib=25

make_small_guest "$T/guest.raw"
make_vmdk "$T/guest.raw" "$T/1.vmdk"
for i in $(seq 2 $n); do cp "$T/1.vmdk" "$T/$i.vmdk"; done

# nothing more goes into this pipe
mkfifo "$T/pipe"
exec 3<>"$T/pipe"
! dd if=/dev/zero of="$T/pipe" bs=4096 oflag=nonblock 2>"$T/dd" || fail "the pipe has no end"
runs=()
for i in $(seq $n); do
    stdbuf -oL "$H2K" inspect --backend fuse "$T/$i.vmdk" >&3 2>"$T/$i.err" &
    runs+=($!)
done
on_exit sh -c "kill ${runs[*]} 2>/dev/null"

# is_held PID: in a write to its standard output
is_held()
{
    local call fd
    read -r call fd _ 2>/dev/null <"/proc/$1/syscall" || fail "a run has ended: $(cat "$T"/*.err)"
    case "$call $fd" in "1 0x1" | "64 0x1") return 0 ;; esac # x86_64, arm64
    return 1
}
for pid in "${runs[@]}"; do
    for _ in $(seq 600); do ! is_held "$pid" || break; sleep 0.1; done
    is_held "$pid" || fail "not all have looked at their guests after a minute"
done

# tree PID: it and what it has started
tree()
{
    local children child
    echo "$1"
    read -r -d '' -a children <<<"$(cat /proc/"$1"/task/*/children)" || :
    for child in ${children[@]+"${children[@]}"}; do tree "$child"; done
}
total=0
for pid in "${runs[@]}"; do
    pids=$(tree "$pid")
    for one in $pids; do cat "/proc/$one/comm"; done >"$T/names"
    grep -qE "^(qemu-storage|nbdfuse)" "$T/names" || fail "a run without a server: $(cat "$T/names")"
    for one in $pids; do
        total=$((total + $(sed -n 's/^Pss: *\([0-9]*\) kB/\1/p' "/proc/$one/smaps_rollup")))
    done
done
say "$n sessions: $((total / 1024)) MiB"
[ $total -le $((n * limit_mib * 1024)) ] || fail "more than $limit_mib MiB each"

cat <&3 >/dev/null &
reader=$!
for i in $(seq $n); do wait "${runs[i - 1]}" || fail "run $i: $(cat "$T/$i.err")"; done
kill $reader
wait $reader || :
check_clean
