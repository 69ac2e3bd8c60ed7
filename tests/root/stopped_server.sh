#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A block server that is stopped holds whoever reads through it in the kernel, where no signal
# arrives: Ctrl-C and kill -9 end h2k all the same, cleanup waits for nobody, and nothing is left.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-storage-daemon mkfs.ext4 sfdisk
[ -c /dev/fuse ] || skip "needs fuse"
tiny_tree "$T/tree"
tiny_disk "$T/disk.raw" "$T/tree"
qemu-img convert -O qcow2 "$T/disk.raw" "$T/disk.qcow2"

# A storage daemon that stops for good once a loop device lies on its export, which is when the file
# system is mounted; and whoever ends it after a minute.
mkdir "$T/bin"
cat >"$T/bin/qemu-storage-daemon" <<END
#!/bin/bash
echo \$\$ >"$T/pid"
(
    id=\$(basename "$TMPDIR"/h2k-*)
    until grep -qsF "/run/h2k/\${id#h2k-}.d/" /sys/block/loop*/loop/backing_file; do
        kill -0 \$\$ || exit
    done
    kill -STOP \$\$
) </dev/null >/dev/null 2>&1 &
exec $(command -v qemu-storage-daemon) "\$@"
END
chmod +x "$T/bin/qemu-storage-daemon"
(sleep 60; kill -KILL "$(cat "$T/pid")") </dev/null >/dev/null 2>&1 &
on_exit kill $!
on_exit sh -c "kill -KILL \$(cat $T/pid) 2>/dev/null"

# held: h2k waits in the kernel; sets $pid. Fails when it was done before the stop.
held()
{
    local state
    PATH=$T/bin:$PATH "$H2K" plan --backend fuse "$T/disk.qcow2" >"$T/out" 2>"$T/err" & pid=$!
    for _ in $(seq 100); do
        state=$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$pid/status" 2>/dev/null) || return 1
        case $state in
        D) grep -q T "/proc/$(cat "$T/pid")/stat" 2>/dev/null && return 0 ;;
        Z | '') break ;;
        esac
        sleep 0.02
    done
    kill -9 "$pid" 2>/dev/null || :
    wait "$pid" 2>/dev/null || :
    return 1
}

n=0
for row in INT:130 TERM:143 KILL:137; do
    for _ in 1 2 3 4 5; do
        held || continue
        # that session lives: cleanup asks nothing of its devices
        timeout 10 "$H2K" cleanup >"$T/out" 2>&1 || fail "cleanup beside a stopped server: $(cat "$T/out")"
        kill "-${row%:*}" "$pid"
        timeout 60 tail -s 0.1 --pid="$pid" -f /dev/null || fail "${row%:*}: h2k is still there"
        status=0
        wait "$pid" 2>/dev/null || status=$?
        [ $status != 0 ] || continue # it was at its end and needed the server no more
        n=$((n + 1))
        [ $status = "${row#*:}" ] || fail "${row%:*}: exit status $status: $(cat "$T/err")"
        clean_up
        break
    done
done
say "$n of 3 were held"
[ $n -gt 0 ] || fail "h2k was faster than each stop"
