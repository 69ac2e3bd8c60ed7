#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every image of make-broken-images is refused with its exit status and says why, in text and in
# JSON; no byte of it changes and nothing stays behind.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img qemu-nbd sfdisk sha256sum

"$H2K_SRC/tests/lib/make-broken-images" "$T/images"
cd "$T/images"
hashes() { find . -type f -print0 | sort -z | xargs -0 sha256sum; }
hashes >"$T/before"

n=0
while IFS=$'\t' read -r status image words why; do
    expect "$status" "$H2K" inspect "$image" </dev/null
    grep -qF -- "$words" "$T/err" || { cat "$T/err" >&2; fail "$why: the message lacks: $words"; }
    expect "$status" "$H2K" inspect --json "$image" </dev/null
    grep -q "\"status\": *$status" "$T/out" || { cat "$T/out" >&2; fail "$why: no status in JSON"; }
    n=$((n + 1))
done <table
[ "$n" -ge 30 ] || fail "only $n images"

# in use: 8, and fine again when it is free
qemu-img create -q -f qcow2 used.qcow2 8M
qemu-nbd -f qcow2 -k "$T/socket" --fork --pid-file="$T/pid" used.qcow2
server=$(cat "$T/pid")
on_exit kill "$server"
expect 8 "$H2K" inspect used.qcow2
expect_text 'in use'
kill "$server"
for _ in $(seq 50); do
    [ -e "$T/pid" ] || break
    sleep 0.1
done
expect 3 "$H2K" inspect used.qcow2
rm used.qcow2

hashes >"$T/after"
diff "$T/before" "$T/after" >&2 || fail "an image was changed"
check_clean
say "$n images refused"
