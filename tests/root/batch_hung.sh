#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest whose block server stops answering is given up after its time; nothing hangs or is left.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-storage-daemon mkfs.ext4 sfdisk
[ -c /dev/fuse ] || skip "needs fuse"
tiny_tree "$T/tree"
tiny_disk "$T/disk.raw" "$T/tree"
qemu-img convert -O qcow2 "$T/disk.raw" "$T/disk.qcow2"

# A storage daemon that stops for good soon after its start, and whoever ends it after a minute.
mkdir "$T/bin"
cat >"$T/bin/qemu-storage-daemon" <<END
#!/bin/sh
echo \$\$ >"$T/pid"
(sleep 0.0\$(cat "$T/delay"); kill -STOP \$\$) </dev/null >/dev/null 2>&1 &
exec $(command -v qemu-storage-daemon) "\$@"
END
chmod +x "$T/bin/qemu-storage-daemon"
(sleep 60; kill -KILL "$(cat "$T/pid")") </dev/null >/dev/null 2>&1 &
on_exit kill $!
held=0
for delay in 03 05 07 09 11 13; do
    echo $delay >"$T/delay"
    SECONDS=0
    status=0
    PATH=$T/bin:$PATH "$H2K" inspect --json --backend fuse --timeout 1 "$T/disk.qcow2" \
        >"$T/out" 2>"$T/err" || status=$?
    [ $SECONDS -lt 30 ] || fail "the time limit took $SECONDS s"
    [ $status = 0 ] || held=$((held + 1))
done
say "$held of 6 were held"
[ $held -gt 0 ] || skip "every inspection was faster than the stop"
clean_up
