#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Windows' dynamic volumes of every kind with the device mapper: h2k and ldmtool see the same content
# in them; what h2k writes is found by ldmtool again, in every copy and in the parity. The host has
# the same group active all the while, under the names that are ldmtool's, and keeps it.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img qemu-system-x86_64 ldmtool dmsetup losetup sfdisk mkfs.ext4 jq python3
: "${VOLUME_CHECK:?}"
kinds="simple spanned striped mirrored raid5"
group=11111111-2222-3333-4444-555555555555

if [ "${1:-}" != inside ]; then
    make_ldm=$H2K_SRC/tests/lib/make-ldm
    mkdir "$T"/{simple,spanned,striped,mirrored,raid5,gpt,guest}
    head -c 12M /dev/urandom >"$T/data"
    # content NAME SECTORS
    content() { head -c $(($2 * 512)) "$T/data" >"$T/$1.content"; }
    content simple 12288
    content spanned 14336
    content striped 16384
    content mirrored 8192
    content raid5 16384
    cp "$T/striped.content" "$T/gpt.content"
    "$make_ldm" "$T/simple" 16 "simple:simple:0=12288:$T/simple.content"
    "$make_ldm" "$T/spanned" 16 "spanned:spanned:1=2048,0=8192,2=4096:$T/spanned.content"
    "$make_ldm" "$T/striped" 16 "striped:striped:0=8192,1=8192:$T/striped.content"
    "$make_ldm" "$T/mirrored" 16 "mirrored:mirrored:0=8192,1=8192:$T/mirrored.content"
    "$make_ldm" "$T/raid5" 16 "raid5:raid5:0=8192,1=8192,2=8192:$T/raid5.content"
    "$make_ldm" --gpt "$T/gpt" 16 "gpt:striped:1=8192,0=8192:$T/gpt.content"
    tiny_tree "$T/tree" UUID=6b1ac1a0-8a5e-4c52-9d3c-6a9e1a6f0a11
    truncate -s 32M "$T/root.ext4"
    mkfs.ext4 -q -U 6b1ac1a0-8a5e-4c52-9d3c-6a9e1a6f0a11 -d "$T/tree" -F "$T/root.ext4"
    "$make_ldm" "$T/guest" 24 "root:raid5:0=32768,1=32768,2=32768:$T/root.ext4"
    in_vm -u -m 1536 -t 600 -- "$0" inside "$T"
    exit 0
fi
from=$2

# loops FILE...: loop devices on them, as $loops
loops()
{
    local file
    loops=()
    for file in "$@"; do loops+=("$(losetup -f --show "$file")"); done
}

# witness NAME CONTENT FILE...: ldmtool finds CONTENT in the volume; it stays active
witness()
{
    local name=$1 content=$2
    shift 2
    loops "$@"
    printf 'scan %s\ncreate volume %s %s\n' "${loops[*]}" $group "$name" |
        timeout 60 ldmtool >"$T/ldmtool" 2>&1 || fail "ldmtool: $(cat "$T/ldmtool")"
    cmp "/dev/mapper/ldm_vol_Dg0_$name" "$content" || fail "$name: ldmtool sees something else: $(cat "$T/ldmtool")"
}

forget()
{
    local dev
    udevadm settle
    dmsetup remove --retry "ldm_vol_Dg0_$1"
    for dev in $(dmsetup ls | sed -n 's/^\(ldm_part[^\t ]*\).*/\1/p'); do dmsetup remove --retry "$dev"; done
    losetup -d "${loops[@]}"
}

# reads NAME WHY FILE...: h2k has the content, and WHY it must not be written ("": it may)
reads()
{
    local name=$1 why=$2
    shift 2
    "$VOLUME_CHECK" read "${content:-$from/$name.content}" "$@" >"$T/out" 2>"$T/err" ||
        fail "$name of $*: $(cat "$T/out" "$T/err"; dmesg | tail -n 5)"
    [ "$(cat "$T/out")" = "/dev/mapper/ldm_vol_Dg0_$name $why" ] || fail "$name of $*: $(cat "$T/out")"
}

modprobe -a nbd loop dm-mod dm-raid raid1 raid456
sums=$(cd "$from" && sha256sum ./*/[0-2])

# --- the host's own group, of the same disks
cp "$from"/raid5/[0-2] "$T"
witness raid5 "$from/raid5.content" "$T"/[0-2]
udevadm settle
host() { dmsetup ls | sort; losetup -n -l -O NAME,BACK-FILE | sort; }
host_loops=("${loops[@]}")
host=$(host)

for name in $kinds gpt; do reads "$name" "" "$from/$name"/[0-2]; done
for missing in 0 1 2; do
    files=("$from"/raid5/[0-2])
    unset "files[$missing]"
    reads raid5 "RAID-5 volume of which a disk is missing or out of date" "${files[@]}"
done
for i in 0 1; do
    reads mirrored "mirrored volume with 1 of 2 copies missing or out of date" "$from/mirrored/$i"
done
udevadm settle
[ "$host" = "$(host)" ] || { host; fail "the host has changed; before: $host"; }
say "read: $SECONDS s"

# --- a guest, repaired
mkdir "$T/fixed"
expect 0 "$H2K" offline-fix --format raw --output-dir "$T/fixed" -O raw \
    -a "$from/guest/0" -a "$from/guest/1" -a "$from/guest/2"
expect 0 "$H2K" plan --exit-code --format raw \
    -a "$T/fixed/0-sda.raw" -a "$T/fixed/0-sdb.raw" -a "$T/fixed/0-sdc.raw"
expect 0 "$H2K" inspect --json --format raw \
    -a "$T/fixed/0-sda.raw" -a "$T/fixed/0-sdb.raw" -a "$T/fixed/0-sdc.raw"
jq -e '.systems[0].root == "/dev/mapper/ldm_vol_Dg0_root"' "$T/out" >"$T/found" || fail "$(cat "$T/out")"
[ "$host" = "$(host)" ] || { host; fail "the host has changed; before: $host"; }
loops=("${host_loops[@]}")
forget raid5
say "guest: $SECONDS s"

# --- ldmtool sees the same, before and after h2k has written
for name in $kinds gpt; do
    rm -f "$T"/[0-2]
    cp "$from/$name"/[0-2] "$T"
    if [ "$name" != raid5 ]; then
        witness "$name" "$from/$name.content" "$T"/[0-2]
        forget "$name"
    fi
    mkdir "$T/overlays"
    cp "$from/$name.content" "$T/written"
    "$VOLUME_CHECK" write "$T/written" "$T/overlays" "$from/$name"/[0-2] >"$T/out" 2>"$T/err" ||
        fail "write $name: $(cat "$T/out" "$T/err"; dmesg | tail -n 5)"
    ! cmp -s "$T/written" "$from/$name.content" || fail "$name: nothing was written"
    rm "$T"/[0-2]
    for overlay in "$T"/overlays/*.qcow2; do
        file=$T/$(basename "$overlay" .qcow2)
        qemu-img convert -f qcow2 -O raw "$overlay" "$file"
    done
    witness "$name" "$T/written" "$T"/[0-2]
    forget "$name"
    content=$T/written
    case "$name" in
    mirrored)
        for i in 0 1; do
            reads "$name" "mirrored volume with 1 of 2 copies missing or out of date" "$T/$i"
        done
        ;;
    raid5) # without the first disk its data comes from the parity
        reads "$name" "RAID-5 volume of which a disk is missing or out of date" "$T/1" "$T/2"
        ;;
    esac
    content=
    rm -r "$T/overlays"
done
say "written: $SECONDS s"

[ "$sums" = "$(cd "$from" && sha256sum ./*/[0-2])" ] || fail "a disk has changed"
! dmsetup ls | grep -E 'h2k|ldm' || fail "left behind: $(dmsetup ls)"
check_clean
