#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# On a stock kernel with udevd: every image format through nbd, every partition table and file
# system by the kernel's own drivers, and sessions over nbd killed at random moments.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img qemu-system-x86_64
: "${TEST_ATTACH:?}" "${TEST_STORAGE:?}" "${HOLD:?}"

if [ "${1:-}" != inside ]; then
    in_vm -u -t 500 -- "$0" inside
    exit 0
fi

# passes PROGRAM [ARG]: nothing failed or was skipped, but what this machine has no tool for
passes()
{
    "$@" >"$T/out" 2>&1 || { cat "$T/out"; fail "$*"; }
    ! grep "SKIPPED \]" "$T/out" || fail "$*: skipped"
    check_clean
    say "$(grep -c 'OK . ' "$T/out") tests of $(basename "$1"), $SECONDS s"
}

modprobe -a nbd loop fuse
passes "$TEST_ATTACH" nbd
passes "$TEST_STORAGE"
KILL_BACKEND=nbd KILL_SLOW=5 KILL_ROUNDS=${KILL_ROUNDS:-3} "$H2K_SRC/tests/root/kill.sh"
