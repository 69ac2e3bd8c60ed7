#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Encrypted volumes made and filled by cryptsetup and the kernel, read whole by h2k, written through
# overlays and read back by cryptsetup; a guest on LUKS repaired. The volumes stay as they are, the
# host sees nothing of them, and a killed run leaves nothing that cleanup does not find.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root python3 qemu-img qemu-system-x86_64 cryptsetup mdadm dmsetup losetup sfdisk mkfs.ext4 jq
: "${VOLUME_CHECK:?}"

if [ "${1:-}" != inside ]; then
    head -c 24M /dev/urandom >"$T/data"
    for cipher in xts128 xts256 cbc128 cbc256; do
        dd if="$T/data" of="$T/bitlk-$cipher.content" bs=1M count=4 status=none
        /usr/bin/python3 "$H2K_SRC/tests/lib/make-bitlocker" "$T/bitlk-$cipher.content" \
            "$T/bitlk-$cipher" cipher=$cipher startup="$T/bitlk-$cipher.bek" >"$T/bitlk-holes" ||
            fail "make a BitLocker volume: is python3-cryptography there?"
    done
    in_vm -u -m 1536 -t 500 -- "$0" inside "$T/data"
    exit 0
fi
data=$2
kdf=(--pbkdf pbkdf2 --pbkdf-force-iterations 1000)
printf 'first key' >"$T/first"
printf 'third\nkey\n\0\n' >"$T/third"
modprobe loop
modprobe dm-crypt

# fill VOLUME CONTENT [CRYPTSETUP-OPEN-OPTION...]: known content on what it decrypts
fill()
{
    local volume=$1 content=$2
    shift 2
    cryptsetup open --key-file "$T/first" "$@" "$volume" made
    head -c "$(blockdev --getsize64 /dev/mapper/made)" "$data" >"$content"
    dd if="$content" of=/dev/mapper/made bs=1M oflag=direct status=none
    udevadm settle
    cryptsetup close made
}

# make NAME TYPE MIB [OPTION...]: an encrypted volume of that name
make()
{
    local name=$1 type=$2 mib=$3
    shift 3
    truncate -s "${mib}M" "$T/$name"
    cryptsetup luksFormat -q --type "$type" "${kdf[@]}" "$@" "$T/$name" "$T/first"
    fill "$T/$name" "$T/$name.content"
    volumes+=("$T/$name")
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

volumes=()
make one luks1 8
make essiv luks1 8 --cipher aes-cbc-essiv:sha256 --key-size 256
make two luks2 20 --luks2-keyslots-size 8M --sector-size 512
make large luks2 20 --luks2-keyslots-size 8M --sector-size 4096
kdf=(--pbkdf argon2id --pbkdf-memory 32768 --pbkdf-force-iterations 4 --pbkdf-parallel 1)
make argon luks2 20 --luks2-keyslots-size 8M
kdf=(--pbkdf pbkdf2 --pbkdf-force-iterations 1000)
for n in second third; do
    [ $n = third ] || printf '%s' "$n key" >"$T/$n"
    cryptsetup luksAddKey -q "${kdf[@]}" --key-file "$T/first" "$T/two" "$T/$n"
done
cryptsetup luksKillSlot -q "$T/two" 1 --key-file "$T/first"
uuid=$(cryptsetup luksUUID "$T/two")

# a detached header
truncate -s 4M "$T/detached"
cryptsetup luksFormat -q "${kdf[@]}" --type luks2 --header "$T/head" \
    --sector-size 512 "$T/detached" "$T/first"
fill "$T/detached" "$T/detached.content" --header "$T/head"
truncate -s 4M "$T/detached1"
cryptsetup luksFormat -q "${kdf[@]}" --type luks1 --header "$T/head1" "$T/detached1" "$T/first"
fill "$T/detached1" "$T/detached1.content" --header "$T/head1"
volumes+=("$T/detached" "$T/detached1" "$T/head" "$T/head1")

# the same UUID on two disks, with another key
make twin luks2 18 --luks2-keyslots-size 8M --sector-size 512 --uuid "$uuid"
printf other >"$T/other"
cryptsetup luksChangeKey -q "${kdf[@]}" --key-file "$T/first" "$T/twin" "$T/other"

# over arrays: a mirror, which is a piece of a disk, and stripes, which are a device
for level in 1 0; do
    for i in 0 1; do truncate -s $((10 + level * 2))M "$T/md$level-$i"; volumes+=("$T/md$level-$i"); done
    loops=("$(losetup -f --show "$T/md$level-0")" "$(losetup -f --show "$T/md$level-1")")
    mdadm --quiet --create "/dev/md/raid$level" --run --assume-clean --level=$level --metadata=1.2 \
        --raid-devices=2 "${loops[@]}" </dev/null || fail "mdadm"
    md=$(readlink -f "/dev/md/raid$level")
    cryptsetup luksFormat -q "${kdf[@]}" --type luks1 "$md" "$T/first"
    fill "$md" "$T/md$level.content"
    mdadm --quiet --stop "$md"
    losetup -d "${loops[@]}"
done
cp "${data%/*}"/bitlk-* "$T"
volumes+=("$T"/bitlk-{xts,cbc}{128,256})
say "${#volumes[@]} files made: $SECONDS s"
before=$(sums)
host_before=$(host)

# every key slot, type and place
export KEYS=all:key:"first key" HEADERS=''
for name in one essiv two large argon; do reads "$name" "$(cryptsetup luksUUID "$T/$name") $" "$T/$name"; done
reads md1 "" "$T/md1-0" "$T/md1-1"
reads md0 "" "$T/md0-1" "$T/md0-0"
KEYS="all:file:$T/third" reads two "$uuid" "$T/two"
KEYS="all:key:wrong
$uuid:key:second key
/dev/sda:key:first key" reads two "$uuid" "$T/two"
KEYS="$uuid:key:second key" refuses 5 "the key that was given for it is wrong" "$T/two"
KEYS="/dev/sdb:key:first key" refuses 5 "no key was given" "$T/two"
KEYS="all:key:other" reads twin "$uuid" "$T/twin"
HEADERS="/dev/sda:$T/head" reads detached "" "$T/detached"
HEADERS="/dev/sda:$T/head1" reads detached1 "" "$T/detached1"
HEADERS="/dev/sda:$T/third" refuses 1 "header" "$T/detached"
say "read: $SECONDS s"

# twins side by side: both are opened, under two names
expect 3 "$H2K" inspect --json --format raw --key "/dev/sda:key:first key" --key /dev/sdb:key:other \
    -a "$T/two" -a "$T/twin"
[ "$(jq -c '[.volumes[] | select(.kind == "crypt") | [.name, .parents[]]]' "$T/out")" = \
    "[[\"/dev/mapper/luks-$uuid\",\"/dev/sda\"],[\"/dev/mapper/luks-$uuid-2\",\"/dev/sdb\"]]" ] ||
    fail "twins: $(cat "$T/out")"

# BitLocker: what is written, cryptsetup reads, but for the places of its metadata
for cipher in xts128 xts256 cbc128 cbc256; do
    KEYS="all:file:$T/bitlk-$cipher.bek"
    KIND=bitlk reads bitlk-$cipher "" "$T/bitlk-$cipher"
    case $cipher in xts128 | cbc256) continue ;; esac
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

writes two
writes large
[ "$host_before" = "$(host)" ] || { host; fail "the host has changed; before: $host_before"; }
say "written: $SECONDS s"

# a guest with its root on LUKS, whose fstab knows it by its name in crypttab
root_uuid=0d1c1c0e-94a6-4d5f-9f0e-0d7a6c2a0c11
truncate -s 72M "$T/guest.raw"
printf 'label: gpt\nstart=2048,size=16384\nstart=20480,size=122880\n' |
    sfdisk -q --no-reread --no-tell-kernel "$T/guest.raw"
tiny_tree "$T/tree" /dev/mapper/sda2_crypt
echo "sda2_crypt /dev/sda2 none luks,discard" >"$T/tree/etc/crypttab"
truncate -s 60M "$T/part"
cryptsetup luksFormat -q "${kdf[@]}" --type luks2 --uuid $root_uuid --luks2-keyslots-size 3M --offset 8192 \
    "$T/part" "$T/first"
cryptsetup open --key-file "$T/first" "$T/part" made
mkfs.ext4 -q -d "$T/tree" /dev/mapper/made
udevadm settle
cryptsetup close made
dd if="$T/part" of="$T/guest.raw" bs=1M seek=10 conv=notrunc status=none
rm -r "$T/tree" "$T/part"
volumes+=("$T/guest.raw")
before=$(sums)

expect 5 "$H2K" inspect "$T/guest.raw"
expect_text "/dev/sda2: the encrypted volume \(LUKS2, UUID $root_uuid\) cannot be opened: no key"
expect 0 "$H2K" inspect --json --key "/dev/sda2:file:$T/first" "$T/guest.raw"
jq -e ".systems[0] | .root == \"/dev/mapper/luks-$root_uuid\" and
    .mounts[0].source == \"/dev/mapper/sda2_crypt\" and .mounts[0].device == .root" "$T/out" \
    >"$T/found" || fail "the guest: $(cat "$T/out")"
mkdir "$T/fixed"
expect 0 "$H2K" offline-fix --backend nbd -vv --output-dir "$T/fixed" -O raw --key "$root_uuid:key:first key" \
    "$T/guest.raw"
! grep -rqE "first key|$(head -c 9 "$T/first" | od -An -tx1 | tr -d ' ')" "$T/fixed"/*.{json,log,xml} \
    "$T/out" "$T/err" || fail "the key was told"
loop=$(losetup -f --show -o 10M --sizelimit 60M "$T/fixed/guest.raw")
cryptsetup open --readonly --key-file "$T/first" "$loop" check
e2fsck -fn /dev/mapper/check >"$T/fsck" 2>&1 || fail "the repaired guest: $(cat "$T/fsck")"
debugfs -R "cat /etc/crypttab" /dev/mapper/check 2>/dev/null | grep -q "^sda2_crypt UUID=$root_uuid" ||
    fail "crypttab was not repaired"
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
