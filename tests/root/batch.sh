#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Several guests at once: every one has its document, a broken, a slow or a killed one costs only
# itself, Ctrl-C ends all of them, and nothing is left.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img sfdisk mkfs.ext4 python3 qemu-storage-daemon
[ -c /dev/fuse ] || skip "needs fuse"

make_small_guest "$T/small.raw" 24
make_vmdk "$T/small.raw" "$T/small.vmdk"
guests=()
for i in $(seq 20); do cp "$T/small.vmdk" "$T/g$i.vmdk"; guests+=("$T/g$i.vmdk"); done
head -c 70000 "$T/small.vmdk" >"$T/broken.vmdk"

expect 6 "$H2K" inspect --json -j 2 "${guests[@]}" "$T/broken.vmdk"
schema_ok h2k.inspect-1 "$T/out"
[ "$(wc -l <"$T/out")" = 21 ] || fail "$(wc -l <"$T/out") documents instead of 21"
[ "$(grep -c '"distro":"debian"' "$T/out")" = 20 ] || fail "not all guests were inspected"
grep '"error"' "$T/out" >"$T/failures" || fail "no failure document"
[ "$(wc -l <"$T/failures")" = 1 ] || fail "failures: $(cat "$T/failures")"
grep -q broken.vmdk "$T/failures" || fail "another guest than the broken one failed"
expect 0 "$H2K" inspect -j 3 "${guests[@]:0:3}"
[ "$(grep -c 'Debian GNU/Linux 12' "$T/out")" = 3 ] || fail "text of three guests: $(cat "$T/out")"

# a server that never answers: the time limit, for a single guest, too
mkdir "$T/bin" && printf '#!/bin/sh\nexec sleep 60\n' >"$T/bin/qemu-storage-daemon" && chmod +x "$T/bin/"*
slow() { PATH=$T/bin:$PATH "$H2K" inspect --backend fuse --json "$@"; }
expect 6 slow --timeout 1 "$T/g1.vmdk" "$T/g2.vmdk"
[ "$(grep -c 'not done within 1 s' "$T/out")" = 2 ] || fail "time limit: $(cat "$T/out")"
schema_ok h2k.inspect-1 "$T/out"
expect 1 slow --timeout 1 "$T/g1.vmdk"

# a worker that is killed
PATH=$T/bin:$PATH "$H2K" inspect --backend fuse --json --timeout 3 "$T/g1.vmdk" "$T/g2.vmdk" >"$T/out" 2>"$T/err" & pid=$!
for _ in $(seq 100); do [ "$(pgrep -c -P $pid)" = 2 ] && break; sleep 0.05; done
kill -9 "$(pgrep -P $pid | head -n 1)"
status=0; wait $pid || status=$?
[ $status = 6 ] || fail "exit status $status after a killed worker"
[ "$(grep -c 'ended by signal 9' "$T/out")" = 1 ] || fail "killed worker: $(cat "$T/out")"

PATH=$T/bin:$PATH "$H2K" inspect --backend fuse "${guests[@]}" >"$T/out" 2>"$T/err" & pid=$!
for _ in $(seq 100); do [ "$(pgrep -c -P $pid)" -ge 1 ] && break; sleep 0.05; done
kill -TERM $pid; status=0; wait $pid || status=$?
[ $status = 143 ] || fail "exit status $status after SIGTERM"
clean_up
