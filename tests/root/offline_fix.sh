#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# offline-fix of a small guest: source untouched, target whole, a second plan is empty, report valid;
# and what must be refused before anything starts.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img sfdisk mkfs.ext4 e2fsck losetup python3

make_small_guest "$T/small.raw"
make_vmdk "$T/small.raw" "$T/small.vmdk"
before=$(sha256sum <"$T/small.vmdk"; stat -c '%y %s' "$T/small.vmdk")
mkdir "$T/o" && cd "$T/o"

SUDO_UID=1234 SUDO_GID=1235 expect 0 "$H2K" offline-fix --nic ens192=00:50:56:aa:bb:cc ../small.vmdk
expect_text "^image +$T/o/small.qcow2$" "$T/out"
expect_text "not boot-tested" "$T/out"
[ "$before" = "$(sha256sum <"$T/small.vmdk"; stat -c '%y %s' "$T/small.vmdk")" ] || fail "source changed"
[ "$(find . -mindepth 1 -maxdepth 1 -printf '%P\n' | sort | xargs)" = "small.log small.qcow2 small.report.json small.xml" ] ||
    fail "unexpected files: $(ls -A)"
for file in small.*; do
    [ "$(stat -c '%a %u %g' "$file")" = "600 1234 1235" ] || fail "$file: $(stat -c '%a %u %g' "$file")"
done
schema_ok h2k.report-1 small.report.json
python3 - <<'END' || fail "the report does not say what happened"
import json
report = json.load(open("small.report.json"))
assert report["validated"] is True and report["boot_tested"] is False
assert [c for c in report["changes"] if c["path"] == "/etc/fstab"]
assert {"mac": "00:50:56:aa:bb:cc", "name": "ens192", "model": "virtio"} in report["target"]["nics"]
assert {"copy", "validate", "apply"} <= {t["stage"] for t in report["timings"]}
END
expect 0 "$H2K" plan --exit-code --json small.qcow2
schema_ok h2k.plan-1 "$T/out"
expect 10 "$H2K" plan --exit-code ../small.vmdk
expect_text '^\+UUID=' "$T/out"

# the file system inside is whole
qemu-img convert -f qcow2 -O raw small.qcow2 "$T/fixed.raw"
loop=$(losetup -r -f --show -o 1048576 "$T/fixed.raw")
expect 0 e2fsck -fn "$loop"
losetup -d "$loop"

# refused before anything starts, with nothing made
sum=$(cat small.* | sha256sum)
expect 5 "$H2K" offline-fix ../small.vmdk
expect_text 'small.qcow2 exists.*--force'
expect 5 "$H2K" offline-fix --force -o ../small.vmdk ../small.vmdk
expect_text 'part of the source'
ln ../small.vmdk ../link.vmdk
expect 5 "$H2K" offline-fix --force -o ../link.vmdk ../small.vmdk
expect 5 "$H2K" offline-fix --force --report ../small.vmdk --output-dir "$T" ../small.vmdk
expect 1 "$H2K" offline-fix --output-dir "$T/nowhere" ../small.vmdk
expect_text 'nowhere does not exist'
expect 2 "$H2K" offline-fix -O raw --compress -o new.raw ../small.vmdk
expect_text '^h2k: .*raw has no compression'
expect 2 "$H2K" offline-fix --in-place -o new.qcow2 ../small.vmdk
expect 2 "$H2K" offline-fix -a ../small.vmdk -a ../small.raw -o new.qcow2
[ "$sum" = "$(cat small.* | sha256sum)" ] || fail "a refused run changed something"

# --force replaces; a source in the current folder under the default name gets -kvm
expect 0 "$H2K" offline-fix -q --force ../small.vmdk
cp ../small.raw here.raw
expect 0 "$H2K" offline-fix -q -O raw here.raw
[ -e here-kvm.raw ] || fail "here-kvm.raw was not made: $(ls)"
expect 0 "$H2K" offline-fix --json --progress=json --force -O vdi ../small.vmdk
schema_ok h2k.report-1 "$T/out"
grep '^{"schema":"h2k.progress/1","stage":"copy"' "$T/err" >"$T/lines" || fail "no progress lines"
schema_ok h2k.progress-1 "$T/err"
expect 1 "$H2K" offline-fix --json /etc/passwd
schema_ok h2k.report-1 "$T/out"
check_clean
