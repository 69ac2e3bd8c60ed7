#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Ways to ask for help, and to be wrong.
. "${H2K_SRC:?}/tests/lib/functions.sh"

expect 2 "$H2K"
[ ! -s "$T/out" ] || fail "the usage is no result"
expect_text '^Usage: h2k '
expect_text '^  offline-fix '
for ask in --help -h help; do
    expect 0 "$H2K" $ask
    expect_text '^  offline-fix ' "$T/out"
done
for ask in "inspect --help" "inspect -h" "help inspect" "--help inspect"; do
    # shellcheck disable=SC2086
    expect 0 "$H2K" $ask
    expect_text '^Usage: h2k inspect ' "$T/out"
    [ ! -s "$T/err" ] || fail "$ask: $(cat "$T/err")"
done
expect 2 "$H2K" help nothing
expect_text 'no command nothing'
for wrong in inspect nothing "doctor --bogus" "inspect -j" "doctor surplus" "--json"; do
    # shellcheck disable=SC2086
    expect 2 "$H2K" $wrong
    [ "$(wc -l <"$T/err")" = 1 ] || fail "$wrong: $(cat "$T/err")"
done

# completion, as a shell has it that knows nothing else
complete()
{
    PATH=$(dirname "$H2K"):$PATH bash -c ". '$H2K_SRC/completions/h2k.bash'
        COMP_WORDS=(h2k \"\$@\") COMP_CWORD=\$#; _h2k; echo \${COMPREPLY[@]}" - "$@"
}
[ "$(complete of)" = offline-fix ] || fail "of: $(complete of)"
[ "$(complete plan --sh)" = --show-secrets ] || fail "plan --sh: $(complete plan --sh)"
[ "$(complete plan --only boot)" = bootloader ] || fail "--only boot: $(complete plan --only boot)"
