#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Where output goes: no file and no descriptor that a user names makes h2k write into a guest; what
# is asked to be JSON is JSON, errors of the command line too.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img mkfs.ext4 sfdisk python3
cd "$T"

tiny_tree tree
tiny_disk tiny.raw tree
qemu-img convert -O vmdk -o subformat=monolithicFlat tiny.raw flat.vmdk
qemu-img convert -O qcow2 tiny.raw tiny.qcow2
before=$(sha256sum tiny.* flat*)
unchanged() { [ "$before" = "$(sha256sum tiny.* flat*)" ] || fail "a source changed: $1"; }

# --- files
for log in tiny.qcow2 flat.vmdk flat-flat.vmdk tiny.raw; do
    expect 5 "$H2K" inspect --log-file "$log" flat.vmdk tiny.qcow2
    unchanged "log file $log"
done
for option in --console --screenshot; do
    expect 5 "$H2K" boot-test --timeout 1 "$option" tiny.qcow2 tiny.qcow2
    expect 5 "$H2K" boot-test --timeout 1 "$option" flat-flat.vmdk flat.vmdk
    expect_text "part of the guest"
    unchanged "$option"
done
expect 0 env SUDO_UID=1234 SUDO_GID=1235 "$H2K" inspect --log-file log tiny.qcow2
[ "$(stat -c '%a %u %g' log)" = "600 1234 1235" ] || fail "the log is $(stat -c '%a %u %g' log)"
expect 0 "$H2K" inspect --log-file log tiny.qcow2

# --- the work folder is the user's choice in every command that has one
mkdir work
for command in "inspect tiny.qcow2" "plan tiny.qcow2" "offline-fix -o work.qcow2 tiny.qcow2" \
    "convert tiny.qcow2 work2.qcow2"; do
    read -ra words <<<"$command"
    expect 1 "$H2K" "${words[@]}" --work-dir no/such/folder
    expect 0 "$H2K" "${words[@]}" --work-dir work
done
[ -z "$(ls work)" ] || fail "left in the work folder: $(ls work)"

# --- descriptors: one that h2k opened itself is none that was named
exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-
for fd in 3 4 5 6 7 8 9; do
    expect 2 "$H2K" offline-fix --progress=json:fd=$fd -o fd$fd.qcow2 tiny.qcow2
done
expect 0 "$H2K" offline-fix -q --progress=json:fd=7 -o seven.qcow2 tiny.qcow2 7>progress
schema_ok h2k.progress-1 progress
expect 2 "$H2K" offline-fix --json --progress=json:fd=1 -o one.qcow2 tiny.qcow2
status=0
"$H2K" offline-fix -o closed.qcow2 tiny.qcow2 <&- >&- 2>&- || status=$?
[ $status = 1 ] || fail "exit status $status without standard descriptors"
grep -q "start it with" closed.log && fail "the summary went into the log"
qemu-img compare -q seven.qcow2 closed.qcow2 >/dev/null 2>&1 || [ $? = 1 ] || fail "a damaged target"
status=0
"$H2K" inspect --json tiny.qcow2 >/dev/full 2>err || status=$?
[ $status = 1 ] || fail "exit status $status with a full stdout"
expect_text "stdout"
unchanged "descriptors"

# --- errors of the command line have the form that it asks for, wherever it does
expect 2 "$H2K" inspect --no-such-option --json --progress=json tiny.qcow2
schema_ok h2k.inspect-1 out
schema_ok h2k.progress-1 err
expect 1 "$H2K" offline-fix --json --progress=json -vv -o x.qcow2 missing.vmdk
schema_ok h2k.report-1 out
schema_ok h2k.progress-1 err
check_clean
