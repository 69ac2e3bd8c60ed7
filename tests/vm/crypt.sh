#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Encrypted volumes made and filled by cryptsetup and the kernel, read whole by h2k, written through
# overlays and read back by cryptsetup; a guest on LUKS repaired. The volumes stay as they are, the
# host sees nothing of them, and a killed run leaves nothing that cleanup does not find.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root python3 qemu-img qemu-system-x86_64 cryptsetup mdadm dmsetup losetup sfdisk mkfs.ext4 jq lvm
: "${VOLUME_CHECK:?}"

kdf=(--pbkdf pbkdf2 --pbkdf-force-iterations 1000)

# format NAME TYPE MIB [OPTION...]: an empty encrypted volume; here it takes a moment, inside seconds
format()
{
    local name=$1 type=$2 mib=$3
    shift 3
    truncate -s "${mib}M" "$T/made/$name"
    cryptsetup luksFormat -q --type "$type" "${kdf[@]}" "$@" "$T/made/$name" "$T/made/first"
}

uuid=49b65d41-5be7-427e-b3a0-4c8a5cd7c73e
if [ "${1:-}" != inside ]; then
    mkdir "$T/made"
    head -c 24M /dev/urandom >"$T/made/data"
    printf 'first key' >"$T/made/first"
    printf 'second key' >"$T/made/second"
    printf 'third\nkey\n\0\n' >"$T/made/third"
    printf other >"$T/made/other"
    format one luks1 8
    format essiv luks1 8 --cipher aes-cbc-essiv:sha256 --key-size 256
    format md1 luks1 4
    format md0 luks1 4
    format two luks2 20 --luks2-keyslots-size 8M --sector-size 512 --uuid $uuid
    format twin luks2 18 --luks2-keyslots-size 8M --sector-size 512 --uuid $uuid
    format large luks2 20 --luks2-keyslots-size 8M --sector-size 4096
    format part luks2 80 --luks2-keyslots-size 8M --sector-size 512
    format inner luks1 10
    format detached luks2 4 --sector-size 512 --header "$T/made/detached.header"
    format detached1 luks1 4 --header "$T/made/detached1.header"
    for n in second third; do
        cryptsetup luksAddKey -q "${kdf[@]}" --key-file "$T/made/first" "$T/made/two" "$T/made/$n"
    done
    cryptsetup luksKillSlot -q "$T/made/two" 1 --key-file "$T/made/first"
    kdf=(--pbkdf argon2id --pbkdf-memory 32768 --pbkdf-force-iterations 4 --pbkdf-parallel 1)
    format argon luks2 20 --luks2-keyslots-size 8M
    for kind in xts256 cbc128 elephant128 "xts128 sector=4096"; do
        name=bitlk-${kind% *}
        dd if="$T/made/data" of="$T/made/$name.content" bs=1M count=4 status=none
        # shellcheck disable=SC2086 # words
        /usr/bin/python3 "$H2K_SRC/tests/lib/make-bitlocker" "$T/made/$name.content" \
            "$T/made/$name" cipher=$kind startup="$T/made/$name.bek" \
            >"$T/made/bitlk-holes" || fail "make a BitLocker volume: is python3-cryptography there?"
    done
    in_vm -u -m 1536 -t 500 -- "$0" inside "$T/made"
    exit 0
fi
cp "$2"/* "$T"
modprobe -a loop dm-crypt

# fill VOLUME CONTENT [CRYPTSETUP-OPEN-OPTION...]: known content on what it decrypts
fill()
{
    local volume=$1 content=$2
    shift 2
    cryptsetup open --key-file "$T/first" "$@" "$volume" made
    head -c "$(blockdev --getsize64 /dev/mapper/made)" "$T/data" >"$content"
    dd if="$content" of=/dev/mapper/made bs=1M oflag=direct status=none
    udevadm settle
    cryptsetup close made
}

# reads CONTENT TEXT FILE...: h2k has that content; $KEYS and $HEADERS are given
reads()
{
    local content=$1 want=$2
    shift 2
    "$VOLUME_CHECK" read "$T/$content.content" "$@" >"$T/out" 2>"$T/err" ||
        fail "$content: $(cat "$T/out" "$T/err"; dmesg | tail -n 5)"
    grep -q -- "^/dev/mapper/${KIND:-luks}-$want" "$T/out" || fail "$content: $(cat "$T/out")"
}

# refuses STATUS TEXT FILE...
refuses()
{
    local want=$1 text=$2
    shift 2
    "$VOLUME_CHECK" problem "$@" >"$T/out" 2>"$T/err" || fail "$*: $(cat "$T/err")"
    grep -q "^$want .*$text" "$T/out" || fail "$*: $(cat "$T/out")"
}

# writes NAME: what h2k writes is what cryptsetup reads
writes()
{
    local name=$1
    rm -rf "$T/overlays"
    mkdir "$T/overlays"
    cp "$T/$name.content" "$T/written"
    "$VOLUME_CHECK" write "$T/written" "$T/overlays" "$T/$name" >"$T/out" 2>"$T/err" ||
        fail "write $name: $(cat "$T/out" "$T/err"; dmesg | tail -n 5)"
    ! cmp -s "$T/written" "$T/$name.content" || fail "nothing was written"
    qemu-img convert -f qcow2 -O raw "$T/overlays/0.qcow2" "$T/overlays/0"
    cryptsetup open --readonly --key-file "$T/first" "$T/overlays/0" check
    cmp /dev/mapper/check "$T/written" || fail "$name does not hold what was written"
    cryptsetup close check
}

sums() { sha256sum "${volumes[@]}"; }
host() { udevadm settle -t 10; dmsetup table; links; cat /proc/mdstat /proc/mounts; }
# the number of a loop device says nothing of what it holds
links() { find /dev/mapper /dev/disk -type l ! -path '*/by-diskseq/*' -printf '%p %l\n' | sort; }

volumes=("$T"/*.header)
for name in one essiv two twin large argon detached detached1; do
    header=()
    [ ! -e "$T/$name.header" ] || header=(--header "$T/$name.header")
    fill "$T/$name" "$T/$name.content" "${header[@]}"
    volumes+=("$T/$name")
done
cryptsetup luksChangeKey -q "${kdf[@]}" --key-file "$T/first" "$T/twin" "$T/other"

# over arrays: a mirror, which is a piece of a disk, and stripes, which are a device
for level in 1 0; do
    for i in 0 1; do truncate -s $((10 + level * 2))M "$T/md$level-$i"; volumes+=("$T/md$level-$i"); done
    loops=("$(losetup -f --show "$T/md$level-0")" "$(losetup -f --show "$T/md$level-1")")
    mdadm --quiet --create "/dev/md/raid$level" --run --assume-clean --level=$level --metadata=1.2 \
        --raid-devices=2 "${loops[@]}" </dev/null || fail "mdadm"
    md=$(readlink -f "/dev/md/raid$level")
    dd if="$T/md$level" of="$md" bs=1M conv=sparse status=none
    fill "$md" "$T/md$level.content"
    mdadm --quiet --stop "$md"
    losetup -d "${loops[@]}"
done
# BitLocker as the kernel has it
for name in elephant128 xts128; do
    cryptsetup open --type bitlk --key-file "$T/bitlk-$name.bek" "$T/bitlk-$name" made
    dd if="$T/bitlk-$name.content" of=/dev/mapper/made bs=1M oflag=direct status=none
    udevadm settle
    cryptsetup close made
done
volumes+=("$T"/bitlk-{xts256,cbc128,elephant128,xts128})
say "${#volumes[@]} files made: $SECONDS s"
before=$(sums)
host_before=$(host)

# every key slot, type and place
export KEYS=all:key:"first key" HEADERS=''
for name in one essiv two large argon; do reads "$name" "$(cryptsetup luksUUID "$T/$name") $" "$T/$name"; done
reads md1 "" "$T/md1-0" "$T/md1-1"
reads md0 "" "$T/md0-1" "$T/md0-0"
for i in 0 1; do reads md1 "[^ ]* raid1 array with 1 of 2 members missing" "$T/md1-$i"; done
refuses 1 "1 of its 2 members" "$T/md0-0"
KEYS="all:file:$T/third" reads two "$uuid" "$T/two"
KEYS="all:key:wrong
$uuid:key:second key
/dev/sda:key:first key" reads two "$uuid" "$T/two"
KEYS="$uuid:key:second key" refuses 5 "the key that was given for it is wrong" "$T/two"
KEYS="/dev/sdb:key:first key" refuses 5 "no key was given" "$T/two"
KEYS="all:key:other" reads twin "$uuid" "$T/twin"
HEADERS="/dev/sda:$T/detached.header" reads detached "" "$T/detached"
HEADERS="/dev/sda:$T/detached1.header" reads detached1 "" "$T/detached1"
HEADERS="/dev/sda:$T/third" refuses 1 "header" "$T/detached"
say "read: $SECONDS s"

# twins side by side: both are opened, under two names
expect 3 "$H2K" inspect --json --format raw --key "/dev/sda:key:first key" --key /dev/sdb:key:other \
    -a "$T/two" -a "$T/twin"
[ "$(jq -c '[.volumes[] | select(.kind == "crypt") | [.name, .parents[]]]' "$T/out")" = \
    "[[\"/dev/mapper/luks-$uuid\",\"/dev/sda\"],[\"/dev/mapper/luks-$uuid-2\",\"/dev/sdb\"]]" ] ||
    fail "twins: $(cat "$T/out")"

# BitLocker: what is written, cryptsetup reads, but for the places of its metadata
for cipher in xts128 elephant128 xts256 cbc128; do
    KEYS="all:file:$T/bitlk-$cipher.bek"
    KIND=bitlk reads bitlk-$cipher "" "$T/bitlk-$cipher"
    case $cipher in xts128 | elephant*) continue ;; esac
    rm -rf "$T/overlays"
    mkdir "$T/overlays"
    cp "$T/bitlk-$cipher.content" "$T/written"
    "$VOLUME_CHECK" write "$T/written" "$T/overlays" "$T/bitlk-$cipher" >"$T/out" 2>"$T/err" ||
        fail "write bitlk-$cipher: $(cat "$T/out" "$T/err"; dmesg | tail -n 5)"
    while read -r at len; do
        dd if=/dev/zero of="$T/written" bs=512 seek=$((at / 512)) count=$((len / 512)) conv=notrunc status=none
    done <"$T/bitlk-holes"
    qemu-img convert -f qcow2 -O raw "$T/overlays/0.qcow2" "$T/overlays/0"
    cmp -n 512 "$T/overlays/0" "$T/bitlk-$cipher" || fail "the boot sector of BitLocker has changed"
    ! cmp -s "$T/overlays/0" "$T/bitlk-$cipher" || fail "nothing was written"
    cryptsetup open --type bitlk --readonly --key-file "$T/bitlk-$cipher.bek" "$T/overlays/0" check
    cmp /dev/mapper/check "$T/written" || fail "bitlk-$cipher does not hold what was written"
    cryptsetup close check
done
KEYS=all:key:"first key"
say "BitLocker: $SECONDS s"

writes large
[ "$host_before" = "$(host)" ] || { host; fail "the host has changed; before: $host_before"; }
say "written: $SECONDS s"

# a guest as Debian installs it, root and /home as logical volumes on LUKS, with LUKS on that of /home;
# fstab and crypttab have their own names for all
truncate -s 92M "$T/guest.raw"
printf 'label: gpt\nstart=2048,size=16384\nstart=20480,size=163840\n' |
    sfdisk -q --no-reread --no-tell-kernel "$T/guest.raw"
root_uuid=$(cryptsetup luksUUID "$T/part") home_uuid=$(cryptsetup luksUUID "$T/inner")
tiny_tree "$T/tree" /dev/mapper/h2kguest-root
mkdir "$T/tree/home"
echo "/dev/mapper/home_crypt /home ext4 defaults 0 2" >>"$T/tree/etc/fstab"
printf '%s\n' "sda2_crypt /dev/sda2 none luks,discard" "home_crypt /dev/mapper/h2kguest-home none" \
    >"$T/tree/etc/crypttab"
cryptsetup open --key-file "$T/first" "$T/part" made
pvcreate -q -y /dev/mapper/made >"$T/lvm" 2>&1
vgcreate -q -y h2kguest /dev/mapper/made >>"$T/lvm" 2>&1
for lv in "home 16M" "root 48M"; do
    lvcreate -q -y -Wn -n "${lv% *}" -L "${lv#* }" h2kguest >>"$T/lvm" 2>&1 || fail "lvcreate: $(cat "$T/lvm")"
done
mkfs.ext4 -q -d "$T/tree" /dev/h2kguest/root
dd if="$T/inner" of=/dev/h2kguest/home bs=1M conv=sparse status=none
printf 'first key' | cryptsetup open --key-file - /dev/h2kguest/home inside
mkdir "$T/home"
echo inside >"$T/home/file"
mkfs.ext4 -q -d "$T/home" /dev/mapper/inside
udevadm settle
cryptsetup close inside
vgchange -q -an h2kguest >>"$T/lvm" 2>&1
udevadm settle
cryptsetup close made
dd if="$T/part" of="$T/guest.raw" bs=1M seek=10 conv=notrunc,sparse status=none
rm -r "${T:?}/tree" "${T:?}/home" "${T:?}/part"
volumes+=("$T/guest.raw")
before=$(sums)

expect 5 "$H2K" inspect "$T/guest.raw"
expect_text "/dev/sda2: the encrypted volume \(LUKS2, UUID $root_uuid\) cannot be opened: no key"
expect 0 "$H2K" inspect --json --key "/dev/sda2:file:$T/first" \
    --key "/dev/h2kguest/home:key:first key" "$T/guest.raw"
jq -e ".systems[0] | .root == \"/dev/h2kguest/root\" and
    .mounts[0].source == \"/dev/mapper/h2kguest-root\" and .mounts[0].device == .root and
    .mounts[1].device == \"/dev/mapper/luks-$home_uuid\"" "$T/out" \
    >"$T/found" || fail "the guest: $(cat "$T/out")"
mkdir "$T/fixed"
expect 0 "$H2K" offline-fix --backend nbd -vv --output-dir "$T/fixed" -O raw --key "all:key:first key" \
    "$T/guest.raw"
! grep -rq "first key" "$T/fixed"/*.{json,log,xml} "$T/out" "$T/err" || fail "the key was told"
loop=$(losetup -f --show -o 10M --sizelimit 80M "$T/fixed/guest.raw")
cryptsetup open --key-file "$T/first" "$loop" check
vgchange -q -ay h2kguest >>"$T/lvm" 2>&1
e2fsck -fn /dev/h2kguest/root >"$T/fsck" 2>&1 || fail "the repaired guest: $(cat "$T/fsck")"
debugfs -R "cat /etc/crypttab" /dev/h2kguest/root 2>/dev/null | grep -q "^sda2_crypt UUID=$root_uuid" ||
    fail "crypttab was not repaired"
udevadm settle
vgchange -q -an h2kguest >>"$T/lvm" 2>&1
udevadm settle
cryptsetup close check
losetup -d "$loop"
say "guest: $SECONDS s"

# killed with the device in use
export KEYS=all:key:"first key"
"$VOLUME_CHECK" hold "$T/md0.content" "$T/md0-0" "$T/md0-1" >"$T/hold" &
holder=$!
for _ in $(seq 600); do ! grep -q ready "$T/hold" || break; sleep 0.1; done
[ "$(dmsetup ls | grep -c h2k)" -ge 2 ] || fail "no devices to leave behind: $(dmsetup ls)"
[ -z "$(links)" ] || fail "links to a guest's volumes: $(links)"
kill -KILL $holder
wait $holder || :
expect 0 "$H2K" cleanup
! dmsetup ls | grep h2k || fail "cleanup has left: $(dmsetup ls)"
say "killed: $SECONDS s"

[ "$before" = "$(sums)" ] || fail "a volume has changed"
[ "$host_before" = "$(host)" ] || { host; fail "the host has changed; before: $host_before"; }
check_clean
