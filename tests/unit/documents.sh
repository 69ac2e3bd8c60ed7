#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Failures are documents, too, valid by the command's schema, whatever bytes the name has; and each
# command with --json has a schema. What needs root or a guest is in tests/root.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires python3
python3 -c 'import jsonschema' 2>/dev/null || skip "needs python3-jsonschema"

mkdir "$T/documents"
keep() { cat "$2" >>"$T/documents/$1"; } # SCHEMA FILE
failure() # STATUS SCHEMA COMMAND...
{
    local want=$1 schema=$2
    shift 2
    expect "$want" "$H2K" "$@"
    [ "$(wc -l <"$T/out")" = 1 ] || fail "no document: $*"
    keep "$schema" "$T/out"
    grep -q "\"status\":$want" "$T/out" || fail "$*: $(cat "$T/out")"
}
for command in $("$H2K" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'); do
    [ -e "$H2K_SRC/docs/schema/h2k.${command/offline-fix/report}-1.json" ] || fail "$command has no schema"
    failure 2 "h2k.${command/offline-fix/report}-1" "$command" --json --no-such-option
done
expect 0 "$H2K" fixers --json
keep h2k.fixers-1 "$T/out"
"$H2K" doctor --json >"$T/out" 2>"$T/err" || [ $? = 4 ] || fail "doctor: $(cat "$T/err")"
keep h2k.doctor-1 "$T/out"

# a name that is not UTF-8
name=$T/$(printf 'a\377b').raw
truncate -s 1M "$name"
failure 2 h2k.convert-1 convert --json "$name" "$T/new.qcow2"
expect_text 'name is not UTF-8.*rename it'
[ ! -e "$T/new.qcow2" ] || fail "something was written"
truncate -s 1M "$T/good.raw"
failure 2 h2k.convert-1 convert --json "$T/good.raw" "$T/$(printf 'a\377b').qcow2"
expect_text 'not UTF-8.*choose another'
ln -s good.raw "$T/$(printf 'link\377')"
expect 0 "$H2K" convert --json --progress=json "$T/$(printf 'link\377')" "$T/new.qcow2"
keep h2k.convert-1 "$T/out"
keep h2k.progress-1 "$T/err"
failure 1 h2k.convert-1 convert --json --progress=json "$T/$(printf 'gone\377')" "$T/other.qcow2"
keep h2k.progress-1 "$T/err"
failure 1 h2k.boot-test-1 boot-test --json "$T/gone"

pairs=()
for schema in "$T"/documents/*; do pairs+=("$(basename "$schema")" "$schema"); done
schema_ok "${pairs[@]}"
