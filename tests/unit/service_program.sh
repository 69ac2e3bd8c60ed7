#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The service that Windows guests get: made twice it is the same, byte by byte; it needs no C
# library, and Windows from NT 5.1 on starts it.
. "${H2K_SRC:?}/tests/lib/functions.sh"

# makes CC MACHINE
makes()
{
    local cc=$1 machine=$2 dump=${1%gcc}objdump
    "$H2K_SRC/fixers/windows/service/build" "$cc" "$T/one.exe"
    (cd "$T" && "$H2K_SRC/fixers/windows/service/build" "$cc" other.exe)
    cmp "$T/one.exe" "$T/other.exe" || fail "$cc does not make the same program again"
    "$dump" -p "$T/one.exe" >"$T/headers"
    grep -q "file format $machine\$" "$T/headers" || fail "$cc makes another kind of program"
    test "$(awk '/DLL Name/ { print $NF }' "$T/headers" | sort | xargs)" = "ADVAPI32.dll KERNEL32.dll" ||
        fail "$cc: it imports from $(grep 'DLL Name' "$T/headers")"
    test "$(awk '/^M(aj|in)orSubsystemVersion/ { print $2 }' "$T/headers" | xargs)" = "5 1" ||
        fail "$cc: it is not for NT 5.1"
    test "$(stat -c %s "$T/one.exe")" -le 8192 || fail "$cc makes a large program"
    done=1
}

done=''
if command -v x86_64-w64-mingw32-gcc >/dev/null; then
    makes x86_64-w64-mingw32-gcc pei-x86-64
fi
if command -v i686-w64-mingw32-gcc >/dev/null; then
    makes i686-w64-mingw32-gcc pei-i386
fi
[ -n "$done" ] || skip "needs a mingw-w64 compiler"
