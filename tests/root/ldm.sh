#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Windows' dynamic disks, with MBR and GPT: the volumes are found in the database and not where their
# partition begins; simple ones and mirrors are read without a device mapper, and written; of the
# others it is told what is on them. What is missing, copied, out of date or damaged is said.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img mkfs.ext4 sfdisk jq python3
make_ldm=$H2K_SRC/tests/lib/make-ldm
may_mount
cd "$T"

found() { jq -e "$1" out >/dev/null || fail "not so: $1: $(cat out)"; }

tiny_tree tree UUID=6b1ac1a0-8a5e-4c52-9d3c-6a9e1a6f0a11
truncate -s 16M root.ext4
mkfs.ext4 -q -U 6b1ac1a0-8a5e-4c52-9d3c-6a9e1a6f0a11 -d tree -F root.ext4
for name in spanned striped raid5 mirror; do
    truncate -s 8M $name.ext4
    mkfs.ext4 -q -F -L $name $name.ext4
done

# make [OPTION...]: 0, 1 and 2 with a root and one volume of each kind
make()
{
    "$make_ldm" "$@" . 48 other:simple:0=2048:spanned.ext4 root:simple:0=32768:root.ext4 \
        spanned:spanned:1=8192,0=8192:spanned.ext4 striped:striped:0=8192,1=8192:striped.ext4 \
        raid5:raid5:0=8192,1=8192,2=8192:raid5.ext4 mirror:mirrored:1=16384,2=16384:mirror.ext4
    sums=$(sha256sum 0 1 2)
}
prefix=/dev/mapper/ldm_vol_Dg0_

for table in dos gpt; do
    options=()
    [ $table = dos ] || options=(--gpt)
    make "${options[@]}"
    if command -v ldmtool >/dev/null; then # another reader's view of the same disks
        printf 'scan 0 1 2\nshow volume 11111111-2222-3333-4444-555555555555 raid5\n' |
            ldmtool >witness 2>/dev/null || fail "ldmtool: $(cat witness)"
        expect_text '"type" : "RAID5"' witness
        expect_text '"size" : 16384' witness
    fi
    expect 0 "$H2K" inspect --json --format raw -a 0 -a 1 -a 2
    schema_ok h2k.inspect-1 out
    found '.systems | length == 1'
    found ".systems[0].root == \"${prefix}root\" and .systems[0].hostname == \"tiny\""
    found "[.volumes[] | select(.kind == \"ldm\") | .name] ==
        [\"other\", \"root\", \"spanned\", \"striped\", \"raid5\", \"mirror\" | \"$prefix\" + .]"
    found '[.volumes[] | select(.kind == "ldm" and .size_bytes == 8388608) | .label] ==
        ["spanned", "striped", "raid5", "mirror"]'
    # the first volume begins where the partition does, which is not it
    found '[.volumes[] | select(.kind == "partition") | .type] | unique == ["ldm_member"]'
    data=2
    [ $table = gpt ] || data=1
    found "[.volumes[] | select(.name == \"${prefix}mirror\") | .parents[]] ==
        [\"/dev/sdb$data\", \"/dev/sdc$data\"]"
    expect 0 "$H2K" volumes --format raw -a 0 -a 1 -a 2
    expect_text "${prefix}striped +ldm +ext4 " out
    [ "$sums" = "$(sha256sum 0 1 2)" ] || fail "a disk has changed"
    check_clean
done

# a repair writes to a simple volume, and leaves the rest of the disk as it is
make
mapper=yes
[ -e /sys/class/misc/device-mapper ] || modprobe -q dm-mod || mapper=
if [ -z "$mapper" ]; then
    expect 0 "$H2K" volumes --json --format raw -a 0 -a 1 -a 2
    schema_ok h2k.volumes-1 out
    found '[.volumes[] | select(.inactive) | .problem | test("no device mapper")] == [true, true, true]'
    expect 0 "$H2K" volumes --json --format raw -a 1 -a 2
    found ".volumes[] | select(.name == \"${prefix}mirror\") | .label == \"mirror\""
fi
mkdir fixed
expect 0 "$H2K" offline-fix --format raw --output-dir fixed -O raw -a 0 -a 1 -a 2
for at in 0 $((47 * 2048)); do # PRIVHEAD; the database
    cmp -n $((2048 * 512)) -i $((at * 512)) 0 fixed/0-sda.raw || fail "the disk from sector $at on"
done
cmp fixed/0-sdb.raw 1 || fail "a disk that nothing was to be written to"
expect 0 "$H2K" plan --exit-code --format raw -a fixed/0-sda.raw -a fixed/0-sdb.raw -a fixed/0-sdc.raw

# --- one disk only
expect 0 "$H2K" volumes --json --format raw 1
found "[.volumes[] | select(.kind == \"ldm\" and .inactive and (.problem | test(\"missing or out of date\"))) | .name] ==
    [\"other\", \"root\", \"spanned\", \"striped\", \"raid5\" | \"$prefix\" + .]"
found ".volumes[] | select(.name == \"${prefix}mirror\") | .read_only == \"mirrored volume with 1 of 2 copies missing or out of date\""
expect 1 "$H2K" inspect --format raw 1
expect_text 'Disk1 of the group Dg0 is missing or out of date: name all disks'

# --- a copy of a disk, a disk that was away when the group was changed, an interrupted change
cp 0 copy
expect 5 "$H2K" inspect --format raw -a 0 -a copy
expect_text 'the dynamic disks Dg0 cannot be used: two disks are the same dynamic disk'
cp 0 old
make --sequence 9
expect 0 "$H2K" volumes --json --format raw -a old -a 1 -a 2
found ".volumes[] | select(.name == \"${prefix}root\") | .problem | test(\"Disk1 of the group Dg0 is missing or out of date\")"
make --status 2
expect 5 "$H2K" inspect --format raw -a 0 -a 1 -a 2
expect_text 'a change of its LDM database was interrupted'

# --- damage: the first PRIVHEAD has copies; a database without its table of contents has none
make
dd if=/dev/zero of=0 bs=512 seek=6 count=1 conv=notrunc status=none
expect 0 "$H2K" inspect --json --format raw -a 0 -a 1 -a 2
found ".systems[0].root == \"${prefix}root\""
dd if=/dev/zero of=0 bs=512 seek=$((48 * 2048 - 2048)) count=2048 conv=notrunc status=none
expect 3 "$H2K" inspect --format raw 0 # no dynamic disk: what lies at the start of the partition
make
dd if=/dev/zero of=0 bs=512 seek=$((48 * 2048 - 2047)) count=2 conv=notrunc status=none
dd if=/dev/zero of=0 bs=512 seek=$((48 * 2048 - 3)) count=2 conv=notrunc status=none
expect 1 "$H2K" inspect --format raw 0
expect_text 'its LDM database is damaged \(its table of contents\)'

# --- Windows beside them knows a volume by its GUID
if command -v ntfs-3g mkntfs >/dev/null; then
    make
    id=$(python3 -c 'import uuid; print((b"DMIO:ID:" +
        uuid.uuid5(uuid.UUID("11111111-2222-3333-4444-555555555555"), "mirror").bytes).hex())')
    "$H2K_SRC/tests/lib/make-windows" --drive-d "$id" 10 windows.raw || fail make-windows
    expect 0 "$H2K" inspect --json --format raw -a windows.raw -a 0 -a 1 -a 2
    found ".systems[] | select(.type == \"windows\") | .windows.drives ==
        [{letter: \"C\", device: \"/dev/sda2\"}, {letter: \"D\", device: \"${prefix}mirror\"}]"
fi
check_clean
