#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# `cmake --install` puts program, man pages and completions where a distribution has them.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root cmake
build=$(dirname "$(dirname "$H2K")")
[ -e "$build/cmake_install.cmake" ] || skip "$H2K is not in a build folder"

DESTDIR=$T/root expect 0 cmake --install "$build" --prefix /usr
cd "$T/root/usr"
[ "$(sbin/h2k --version)" = "$("$H2K" --version)" ] || fail "another program was installed"
[ "$(stat -c %a sbin/h2k)" = 755 ] || fail "mode of the program"
cmp share/man/man5/h2k-config.5 "$H2K_SRC/man/h2k-config.5"
cmp share/man/man8/h2k.8 "$H2K_SRC/man/h2k.8"
cmp share/zsh/site-functions/_h2k "$H2K_SRC/completions/_h2k"
# the name by which bash-completion finds it
got=$(PATH=$PWD/sbin:$PATH bash -c '. share/bash-completion/completions/h2k
    COMP_WORDS=(h2k of) COMP_CWORD=1; _h2k; echo "${COMPREPLY[@]}"')
[ "$got" = offline-fix ] || fail "the completion offers: $got"
extra=$(find "$T/root" -type f | wc -l)
[ "$extra" = 5 ] || fail "installed: $(find "$T/root" -type f)"
