#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A block server that dies while a guest is looked at or repaired: h2k says that it did, never that
# there is no operating system or that all is well; nothing is left.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-storage-daemon mkfs.ext4 sfdisk
[ -c /dev/fuse ] || skip "needs fuse"
tiny_tree "$T/tree"
tiny_disk "$T/disk.raw" "$T/tree"
qemu-img convert -O qcow2 "$T/disk.raw" "$T/disk.qcow2"

# A storage daemon that dies a while after its start.
mkdir "$T/bin"
cat >"$T/bin/qemu-storage-daemon" <<END
#!/bin/sh
(sleep "\$(cat "$T/delay")"; kill -KILL \$\$) </dev/null >/dev/null 2>&1 &
exec $(command -v qemu-storage-daemon) "\$@"
END
chmod +x "$T/bin/qemu-storage-daemon"
died=0
for command in "inspect" "plan" "offline-fix -q --force --output-dir $T/out.d"; do
    mkdir -p "$T/out.d"
    for ms in $(seq 2 3 62); do
        printf '0.%03d' "$ms" >"$T/delay"
        status=0
        # shellcheck disable=SC2086 # the command has options
        PATH=$T/bin:$PATH "$H2K" $command --backend fuse "$T/disk.qcow2" >"$T/out" 2>"$T/err" || status=$?
        case $status in
        0) ;;
        1 | 7) # 7: while it looked at the result
            grep -Eq 'no longer served|qemu-storage-daemon ended' "$T/err" ||
                fail "$command, $ms ms: $(cat "$T/err")"
            died=$((died + 1))
            ;;
        *) fail "$command, $ms ms: exit status $status: $(cat "$T/err")" ;;
        esac
    done
done
check_clean
say "$died servers died in time"
[ $died -ge 10 ] || fail "the kills hardly ever met a server at work"
