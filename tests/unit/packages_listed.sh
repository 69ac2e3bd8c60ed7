#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# README names each Debian package that scripts/setup installs, and no other.
. "${H2K_SRC:?}/tests/lib/functions.sh"
command -v apt-get >/dev/null || skip "scripts/setup tells Debian's names on Debian only"

"$H2K_SRC/scripts/setup" --list --all | tr -s ' \n' '\n' | sort -u >"$T/setup"
sed -n '/^| building/,/^| tests/p' "$H2K_SRC/README.md" | cut -d'|' -f3 | tr -s ' ' '\n' | grep . |
    sort -u >"$T/readme"
[ -s "$T/readme" ] || fail "README has no table of packages"
diff "$T/setup" "$T/readme" || fail "README and scripts/setup name other packages"
