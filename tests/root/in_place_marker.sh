#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What h2k believes of a commit marker: an interrupted commit is finished in another folder, too; a
# marker that somebody else wrote, or an overlay that is not whole, changes and removes nothing.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img mkfs.ext4 sfdisk python3
cd "$T"

tiny_tree tree
tiny_disk tiny.raw tree
mkdir d
qemu-img convert -O qcow2 tiny.raw d/g.qcow2
qemu-img convert -O qcow2 tiny.raw other.qcow2
echo precious >victim
qemu-img create -q -f qcow2 -b g.qcow2 -F qcow2 d/g.qcow2.abc.h2k-overlay
qemu-img create -q -f qcow2 d/evil 49M
before=$(sha256sum victim other.qcow2 d/g.qcow2 d/evil)

# marker SOURCE OVERLAY [REPORT_PATH [FIRST]]
marker()
{
    python3 - "$@" >d/g.qcow2.h2k-commit <<'END'
import json, sys
source, overlay, path, first = (sys.argv[1:] + ["g.report.json", ""][len(sys.argv) - 3 :])[:4]
disks = [{"source": source, "format": "qcow2", "overlay": overlay}]
if first:
    disks.insert(0, {"source": "g.qcow2", "format": "qcow2", "overlay": first})
json.dump({"schema": "h2k.commit/1", "disks": disks, "report_path": path,
           "report": {"schema": "h2k.report/1", "target": {"format": "qcow2", "firmware": "bios"}}},
          sys.stdout)
END
}

refused()
{
    expect 5 "$H2K" offline-fix --in-place d/g.qcow2
    expect_text "h2k did not write it"
    [ "$before" = "$(sha256sum victim other.qcow2 d/g.qcow2 d/evil)" ] || fail "changed by: $*"
}

marker "$T/nothing" "$T/victim"; refused "an overlay elsewhere, no such source"
marker g.qcow2 "$T/victim"; refused "an overlay elsewhere"
marker g.qcow2 evil; refused "an overlay of another name"
marker "$T/other.qcow2" "$T/other.qcow2.x.h2k-overlay" g.report.json g.qcow2.abc.h2k-overlay
refused "a source that was not named"
ln -s "$T/other.qcow2" d/link.qcow2
marker link.qcow2 link.qcow2.x.h2k-overlay g.report.json g.qcow2.abc.h2k-overlay; refused "a link"
ln -s "$T/victim" d/g.qcow2.ln.h2k-overlay
marker g.qcow2 g.qcow2.ln.h2k-overlay; refused "a linked overlay"
rm d/link.qcow2 d/g.qcow2.ln.h2k-overlay
echo '{"disks":[' >d/g.qcow2.h2k-commit; refused "half a marker"

# --- an overlay that is not whole, as after a broken copy
qemu-io -f qcow2 -c 'write -P 7 20M 4M' d/evil >/dev/null
head -c 1000000 d/evil >d/g.qcow2.cut.h2k-overlay
marker g.qcow2 g.qcow2.cut.h2k-overlay
before=$(sha256sum victim other.qcow2 d/g.qcow2 d/evil)
expect 1 "$H2K" offline-fix --in-place d/g.qcow2
expect_text "cut.h2k-overlay"
[ "$before" = "$(sha256sum victim other.qcow2 d/g.qcow2 d/evil)" ] || fail "half an overlay was committed"

# --- a whole one, moved as a folder; a report elsewhere is not for the marker to say
marker g.qcow2 g.qcow2.abc.h2k-overlay "$T/victim"
mv d moved
expect 5 "$H2K" inspect moved/g.qcow2
expect 0 "$H2K" offline-fix --in-place moved/g.qcow2
expect_text "interrupted commit" out
[ "$(cat victim)" = precious ] || fail "the report went where the marker said"
[ ! -e moved/g.qcow2.h2k-commit ] || fail "the marker is still there"
expect 0 "$H2K" inspect moved/g.qcow2

# --- a domain of the user's is not replaced, one of ours is
echo '<domain><name>mine</name></domain>' >moved/g.xml
rm -f moved/*.json
expect 5 "$H2K" offline-fix --in-place moved/g.qcow2
grep -q mine moved/g.xml || fail "the user's domain was replaced"
rm moved/g.xml
expect 0 "$H2K" offline-fix --in-place moved/g.qcow2
expect 0 "$H2K" offline-fix --in-place moved/g.qcow2

# --- targets with names that formats and libvirt cannot write
cp tiny.raw 'a "b" & <c>.raw'
for format in vmdk vhdx vdi; do
    expect 0 "$H2K" offline-fix -O "$format" --output-dir . 'a "b" & <c>.raw' --force
done
expect 0 "$H2K" inspect 'a "b" & <c>.vmdk'
expect 0 "$H2K" offline-fix -O vhdx -o v.vhdx tiny.raw
tail -n 1 out | grep -q qemu-system || fail "libvirt cannot start a vhdx"
check_clean
