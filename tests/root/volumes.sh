#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The tree of volumes, as text and as JSON, of disks of every shape: nothing is mounted, nothing is
# written, and what cannot be opened here is listed with the reason.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img mkfs.ext4 mkfs.vfat mkfs.minix sfdisk jq python3
cd "$T"
documents=()
uuid=6b1ac1a0-8a5e-4c52-9d3c-6a9e1a6f0a11
label=$(printf 'a\033[31mb')

# lay_out IMAGE SIZE [SECTOR SIZE]: the table, in sfdisk's language, comes from stdin
lay_out()
{
    local loop status=0
    truncate -s "$2" "$1"
    loop=$(losetup -f --show -b "${3:-512}" "$1")
    sfdisk -q --no-reread --no-tell-kernel "$loop" >sfdisk.out 2>&1 || status=$?
    losetup -d "$loop"
    [ "$status" = 0 ] || fail "sfdisk: $(cat sfdisk.out)"
}
# put IMAGE FILE MIB
put() { dd if="$2" of="$1" bs=1M seek="$3" conv=notrunc,sparse status=none; }

# volumes STATUS [OPTION...]: text in $T/text, JSON in $T/json; the images stay as they are
volumes()
{
    local want=$1 sums file images=()
    shift
    for file in "$@"; do [ ! -f "$file" ] || images+=("$file"); done
    sums=$(sha256sum "${images[@]}")
    expect "$want" "$H2K" volumes -vv "$@"
    ! grep "is mounted at" err || fail "a mount"
    mv out text
    expect "$want" "$H2K" volumes --json "$@"
    mv out json
    cp json "document.${#documents[@]}"
    documents+=(h2k.volumes-1 "document.${#documents[@]}")
    [ "$sums" = "$(sha256sum "${images[@]}")" ] || fail "an image has changed: $*"
    check_clean
}
found() { jq -e "$1" json >/dev/null || fail "not so: $1: $(cat json)"; }
tree() # the lines of the text: name, kind, type
{
    local got
    # shellcheck disable=SC2016
    got=$(sed -nE 's,^([ |`-]*/dev/[^ ]+) +([a-z]+) +([^ ]+).*,\1 \2 \3,p' text | paste -sd,)
    [ "$got" = "$1" ] || fail "$got instead of $1: $(cat text)"
}

truncate -s 32M root
mkfs.ext4 -q -F -U "$uuid" -L "$label" root
truncate -s 16M esp
mkfs.vfat -n ESP -i cafe0001 esp >/dev/null
truncate -s 4M minix
mkfs.minix minix >/dev/null

# --- GPT, a file system that is only a superblock, one that h2k does not mount
printf '%s\n' 'label: gpt' 'label-id: 11111111-2222-3333-4444-555555555555' \
    'start=2048,size=32768,type=uefi,name=efi' \
    'start=34816,size=65536,uuid=aaaaaaaa-0000-0000-0000-000000000002' 'size=8192' | lay_out gpt.raw 64M
put gpt.raw esp 1
dd if=root of=gpt.raw bs=1024 skip=1 seek=$((17 * 1024 + 1)) count=1 conv=notrunc status=none
put gpt.raw minix 49
volumes 0 gpt.raw
tree '/dev/sda disk gpt,|-/dev/sda1 partition vfat,|-/dev/sda2 partition ext4,`-/dev/sda3 partition minix'
expect_text "UUID=$uuid  LABEL=a\?\[31mb$" text
expect_text 'UUID=CAFE-0001  LABEL=ESP  PARTLABEL=efi$' text
found '.volumes[0] | .kind == "disk" and .table == "gpt" and .parents == [] and
    .table_uuid == "11111111-2222-3333-4444-555555555555"'
found '.volumes[2] | .name == "/dev/sda2" and .type == "ext4" and .use == "filesystem" and
    .part_uuid == "aaaaaaaa-0000-0000-0000-000000000002" and .size_bytes == 33554432 and
    .parents == ["/dev/sda"] and (has("needs") | not)'
expect_text '^not to be mounted here: /dev/sda3: h2k does not mount .*"minix"' text
found '.volumes[3].needs == "h2k does not mount file systems of type \"minix\": that takes a driver for minix, and trust in it"'
found '.not_opened == [] and .disks[0].table == "gpt"'
expect 1 "$H2K" inspect gpt.raw # the kernel's driver would not take it

cp gpt.raw short.raw
dd if=/dev/zero of=gpt.raw bs=512 seek=1 count=1 conv=notrunc status=none
volumes 0 gpt.raw
expect_text '^ *note +gpt: the first copy of the partition table is damaged' text
found '.disks[0].notes | length == 1'
found '.volumes | length == 4'

# --- MBR with logical partitions, 4096-byte sectors, a whole disk
printf '%s\n' 'label: dos' 'start=2048,size=2048,type=83' 'start=4096,type=5' \
    'start=6144,size=65536,type=83' 'size=2048,type=82' | lay_out mbr.raw 64M
put mbr.raw root 3
volumes 0 mbr.raw
tree '/dev/sda disk dos,|-/dev/sda1 partition -,|-/dev/sda2 partition -,|-/dev/sda5 partition ext4,`-/dev/sda6 partition -'
printf 'label: gpt\nstart=256,size=8192\n' | lay_out large.raw 64M 4096
put large.raw root 1
volumes 0 --format raw large.raw
found '.disks[0].sector_size == 4096 and .volumes[1].type == "ext4"'
cp root whole.raw
volumes 0 whole.raw
tree '/dev/sda disk ext4'

cp minix minix.raw
expect 3 "$H2K" inspect --format raw minix.raw
expect_text 'no operating system was found; h2k does not mount what is on /dev/sda \(minix\)'

# --- two disks, of which one is no raw image
qemu-img convert -O vmdk whole.raw whole.vmdk
volumes 0 -a whole.vmdk -a mbr.raw
tree '/dev/sda disk ext4,/dev/sdb disk dos,|-/dev/sdb1 partition -,|-/dev/sdb2 partition -,|-/dev/sdb5 partition ext4,`-/dev/sdb6 partition -'
found '[.disks[].format] == ["vmdk", "raw"]'

# --- arrays: superblocks that mdadm wrote on devices of 16 MiB
super=$H2K_SRC/tests/fuzz/corpus/md_super
for i in 0 1 2; do
    truncate -s 16M "mirror$i.raw" "raid5$i.raw"
    truncate -s 12M small
    mkfs.ext4 -q -F -U "$uuid" small
    put "mirror$i.raw" small 1
    dd if="$super/r1-1.2" of="mirror$i.raw" bs=512 seek=8 skip="$i" count=1 conv=notrunc status=none
    dd if="$super/r5-1.2" of="raid5$i.raw" bs=512 seek=8 skip="$i" count=1 conv=notrunc status=none
done
volumes 0 --format raw -a mirror0.raw -a mirror1.raw
# shellcheck disable=SC2016
tree '/dev/sda disk linux_raid_member,`-/dev/md/r1-1.2 md ext4,/dev/sdb disk linux_raid_member,`-/dev/md/r1-1.2 md (above)'
expect_text 'md +ext4 .*on=/dev/sda,/dev/sdb$' text
found '.volumes[2].parents == ["/dev/sda", "/dev/sdb"] and .not_opened == []'

volumes 0 --format raw -a raid50.raw -a raid51.raw -a raid52.raw
if [ -e /sys/class/misc/device-mapper ]; then
    found '.volumes[3] | .name == "/dev/md/r5-1.2" and .size_bytes == 29360128 and (has("inactive") | not)'
else
    found '.volumes[3] | .name == "/dev/md/r5-1.2" and .size_bytes == 29360128 and .inactive and
        (.problem | test("modprobe dm-mod"))'
    found '.not_opened | length == 1 and .[0].layer == "md" and .[0].volumes == ["/dev/md/r5-1.2"]
        and .[0].status == 4'
    expect_text '^not opened: md: /dev/md/r5-1.2: the kernel has no device mapper' text
fi
volumes 0 --format raw raid50.raw
found '.volumes[1].inactive and (.volumes[1].problem | test("2 of its 3 members are missing"))'
found '.not_opened[0].status == 1'

# --- what lies on an array is told where no device can be made of it, too
printf '%s\n' 'label: gpt' 'start=2048,size=8192,name=near' 'size=32768,name=far' | lay_out content 28M
truncate -s 4M near
mkfs.ext4 -q -F -L near near
truncate -s 16M far
mkfs.ext4 -q -F -L far far
put content near 1
put content far 5
scatter() # NAME: members NAME.0.raw ... with the content
{
    python3 - "$super/$1" content "$1" <<'END'
import struct, sys
supers, content, name = open(sys.argv[1], "rb").read(), open(sys.argv[2], "rb").read(), sys.argv[3]
n, chunk = len(supers) // 512, 512 << 10
starts = [struct.unpack_from("<Q", supers, i * 512 + 128)[0] * 512 for i in range(n)]
sizes = [struct.unpack_from("<Q", supers, i * 512 + 136)[0] * 512 for i in range(n)]
disks = [bytearray(start + size) for start, size in zip(starts, sizes)]
for i in range(n):
    disks[i][4096:4608] = supers[i * 512:i * 512 + 512]
for c in range(len(content) // chunk):
    if name == "lin-1.2":
        at, disk = c * chunk, 0
        while at >= sizes[disk]:
            at, disk = at - sizes[disk], disk + 1
        places = [(disk, at)]
    elif name == "r10-n2":
        places = [(2 * c % 4, c // 2 * chunk), (2 * c % 4 + 1, c // 2 * chunk)]
    else: # raid5, left-symmetric
        row = c // 2
        places = [((2 - row % 3 + 1 + c % 2) % 3, row * chunk)]
    for disk, at in places:
        disks[disk][starts[disk] + at:starts[disk] + at + chunk] = content[c * chunk:(c + 1) * chunk]
for i in range(n):
    open(f"{name}.{i}.raw", "wb").write(disks[i])
END
}
for name in lin-1.2 r10-n2 r5-1.2; do
    scatter $name
    disks=()
    for i in "$name".?.raw; do disks+=(-a "$i"); done
    volumes 0 --format raw "${disks[@]}"
    found "[.volumes[] | select(.parents == [\"/dev/md/$name\"]) | [.name, .type, .label]] ==
        [[\"/dev/md/${name}p1\", \"ext4\", \"near\"], [\"/dev/md/${name}p2\", \"ext4\", \"far\"]]"
    [ -e /sys/class/misc/device-mapper ] || found '.not_opened | length == 1 and .[0].layer == "md"
        and (.[0].volumes | length) == 3 and .[0].status == 4'
done

# --- a layer that needs a key
printf 'LUKS\272\276\0\1' | dd of=mbr.raw bs=1M seek=3 conv=notrunc status=none
dd if=/dev/zero of=mbr.raw bs=1k seek=3073 count=4 conv=notrunc status=none
volumes 0 mbr.raw
found '.not_opened == [{layer: "luks", volumes: ["/dev/sda5"], status: 4} + (.not_opened[0] | {status, problem})]'

# --- what cannot be read: the disks are told all the same
truncate -s 40M short.raw
volumes 1 short.raw
expect_text 'the image is truncated'
found '.error.status == 1 and .error.stage == "volumes" and (.disks | length) == 1 and .volumes == []'
expect 1 "$H2K" volumes gone.raw
expect 2 "$H2K" volumes gpt.raw mbr.raw
expect 2 "$H2K" volumes --root first gpt.raw
expect 5 "$H2K" volumes "$(qemu-img create -q -f qcow2 -F raw -b /etc/hostname out.qcow2 1M; echo out.qcow2)"
schema_ok "${documents[@]}"
say "$((${#documents[@]} / 2)) guests"
