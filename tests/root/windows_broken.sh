#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A Windows that lacks what it starts with, or cannot read it: that is no success. Where all can be
# done but starting it, a note says so.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img python3 mkntfs ntfs-3g sfdisk jq
may_mount
unset VIRTIO_WIN
cd "$T"
"$H2K_SRC/tests/lib/make-windows" --single 10 good.raw || fail make-windows
"$H2K_SRC/tests/lib/make-virtio-win" --os w10 vw >/dev/null || fail make-virtio-win
read -r start size < <(sfdisk --json good.raw | jq -r '.partitiontable.partitions[0] | "\(.start) \(.size)"')
mkdir volume

# spoil COMMAND: a copy with that done on drive C: as one.raw
spoil()
{
    cp --sparse=always good.raw one.raw
    dd if=good.raw of=volume.ntfs bs=512 skip="$start" count="$size" conv=sparse status=none
    # shellcheck disable=SC2016 # for the other shell
    unshare --mount --propagation private bash -ec 'ntfs-3g volume.ntfs volume; cd volume; eval "$1"; cd ..
        umount volume' bash "$1" || fail "$1"
    dd if=volume.ntfs of=one.raw bs=512 seek="$start" conv=notrunc status=none
}

config=Windows/System32/config
# text of the error | what was done
while IFS='|' read -r text command; do
    spoil "$command"
    expect 0 "$H2K" inspect --json one.raw
    for way in plan "offline-fix -o refused.qcow2"; do
        # shellcheck disable=SC2086 # options are words
        expect 1 "$H2K" $way --virtio-win vw one.raw
        expect_text "$text" err
    done
    [ ! -e refused.qcow2 ] || fail "$command: there is a target"
done <<TABLE
read the hive /$config/SYSTEM: the cell|dd if=/dev/zero of=$config/SYSTEM bs=4096 seek=1 count=1 conv=notrunc status=none
read the hive /$config/SYSTEM: it has 20000 bytes|truncate -s 20000 $config/SYSTEM
read the hive /$config/SYSTEM: it does not begin|dd if=/dev/zero of=$config/SYSTEM bs=4 count=1 conv=notrunc status=none
/$config/SYSTEM has no control set|cp $config/DEFAULT $config/SYSTEM
read the hive /$config/SOFTWARE: it has 4096 bytes|truncate -s 4096 $config/SOFTWARE
TABLE

while IFS='|' read -r text command; do
    spoil "$command"
    expect 0 "$H2K" offline-fix --virtio-win vw --force -o done.qcow2 one.raw
    jq -e --arg text "$text" 'any(.notes[]; test($text))' done.report.json >/dev/null ||
        fail "$command: $(jq -c .notes done.report.json)"
done <<'TABLE'
no boot configuration of Windows .BCD. is on the disks|rm -r Boot
/Boot/BCD cannot be read: Windows does not start|truncate -s 0 Boot/BCD
/Boot/BCD cannot be read: Windows does not start|dd if=/dev/zero of=Boot/BCD bs=4096 seek=1 count=1 conv=notrunc status=none
TABLE
expect 0 "$H2K" offline-fix --virtio-win vw --force -o done.qcow2 good.raw
jq -e 'any(.notes[]; test("BCD")) | not' done.report.json >/dev/null || fail "$(jq -c .notes done.report.json)"
check_clean
