#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# BitLocker volumes: every kind of key opens them, also where the kernel cannot decrypt; what Windows
# has not finished is refused; the volume is not changed.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root python3 jq
/usr/bin/python3 -c 'import cryptography' 2>/dev/null || skip "needs python3-cryptography"
may_mount
cd "$T"

recovery=011000-022000-033000-044000-055000-066000-077000-088000
# volume NAME [NAME=VALUE...]
volume()
{
    local name=$1
    shift
    head -c 2M /dev/urandom >"$name.content"
    /usr/bin/python3 "$H2K_SRC/tests/lib/make-bitlocker" "$name.content" "$name" "$@" >holes
}

# opened ARG...: a kernel that cannot decrypt says so
opened()
{
    expect 0 "$H2K" volumes --format raw --json "$@"
    jq -e '.volumes[] | select(.kind == "crypt") | .name ==
        "/dev/mapper/bitlk-4b1e2d3c-5a69-4788-90a1-b2c3d4e5f607" and .size_bytes == 2097152 and
        ((has("inactive") | not) or (.problem | test("key is right, but .*modprobe dm-crypt")))' \
        "$T/out" >found || fail "not opened: $*: $(cat "$T/out")"
    schema_ok h2k.volumes-1 "$T/out"
}

# refused STATUS TEXT ARG...
refused()
{
    local status=$1 text=$2
    shift 2
    expect "$status" "$H2K" inspect --format raw "$@"
    expect_text "$text"
}

volume locked password=geheim recovery=$recovery startup=usb.bek
volume suspended clear=1 cipher=cbc256
volume halfway password=geheim state=5
sums=$(sha256sum locked suspended halfway)
printf geheim >pass

opened --key all:key:geheim locked
opened --key /dev/sda:file:pass locked
opened --key all:file:usb.bek locked
opened --key 4B1E2D3C-5A69-4788-90A1-B2C3D4E5F607:key:$recovery locked
printf 'wrong\n%s\n' $recovery | opened --keys-from-stdin locked
opened suspended
opened --key all:key:wrong suspended
refused 5 "BitLocker, UUID .* no key was given for it; give its password, its recovery key or its .bek" locked
refused 5 "the key that was given for it is wrong" --key all:key:Geheim locked
refused 5 "was begun and not finished .state 5.: let Windows finish it" --key all:key:geheim halfway

# damaged, and cut off
cp locked one
printf '\xff\xff\xff\xff' | dd of=one bs=1 seek=$((256 * 1024 + 64)) conv=notrunc status=none
refused 1 "header is damaged" --key all:key:geheim one
for at in 640 1024; do
    printf '\xff\xff\xff\xff' | dd of=one bs=1 seek=$((at * 1024 + 64)) conv=notrunc status=none
done
refused 1 "its metadata is damaged" --key all:key:geheim one
head -c 1M locked >short
refused 1 "its metadata is damaged|truncated|header reaches beyond" --key all:key:geheim short

[ "$sums" = "$(sha256sum locked suspended halfway)" ] || fail "a volume has changed"
check_clean
