#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# LUKS volumes: keys from every source open them, also where the kernel cannot decrypt; what must not
# be opened is refused by name; no secret is seen in a message, a log or the list of processes.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root cryptsetup qemu-img sfdisk jq
may_mount
cd "$T"

# luks FILE TYPE [OPTION...]: its key is "correct horse"
luks()
{
    local file=$1 type=$2
    shift 2
    rm -f "$file"
    truncate -s 24M "$file"
    printf 'correct horse' | cryptsetup luksFormat -q --type "$type" --pbkdf pbkdf2 \
        --pbkdf-force-iterations 1000 "$@" "$file" - # of an option that comes twice the last counts
}

# opened ARG...: the key is right. A kernel that cannot decrypt says so, else there is no system in it.
opened()
{
    local status=0
    "$H2K" inspect --format raw --json "$@" >out 2>err || status=$?
    jq -e '.volumes[] | select(.kind == "crypt") | .name | startswith("/dev/mapper/luks-")' out \
        >/dev/null || fail "not opened: $*: $(cat out err)"
    if [ "$status" = 4 ]; then
        jq -e '.volumes[] | select(.kind == "crypt") | .problem |
            test("key is right, but .*modprobe dm-crypt")' out >/dev/null || fail "$(cat out)"
    else
        [ "$status" = 3 ] || fail "status $status: $*: $(cat err)"
    fi
    schema_ok h2k.inspect-1 out
}

# refused STATUS TEXT ARG...
refused()
{
    local status=$1 text=$2
    shift 2
    expect "$status" "$H2K" inspect --format raw "$@"
    expect_text "$text"
}

luks one luks1
luks two luks2 --sector-size 4096
sums=$(sha256sum one two)
uuid=$(cryptsetup luksUUID two)

# where keys come from
printf 'correct horse' >pass
printf 'correct horse\n' >line
for image in one two; do
    opened --key all:key:"correct horse" $image
    opened --key /dev/sda:file:pass $image
    opened --key all:file:line --key=/dev/sda:key:"correct horse" $image
    printf 'wrong\n\ncorrect horse\n' | opened --keys-from-stdin $image
    refused 5 "LUKS.*, UUID .* cannot be opened: no key was given.* --key /dev/sda:file:" $image
    refused 5 "the key that was given for it is wrong" --key all:file:line $image
    refused 5 "no key was given" --key /dev/sdb:file:pass $image
done
opened --key "$uuid:file:pass" two
opened --key "${uuid^^}:file:pass" two
refused 5 "no key was given" --key "$uuid:file:pass" one
expect 5 "$H2K" inspect --format raw --json --key /dev/sdb:file:pass --key /dev/sda:file:line -a one -a two
[ "$(jq -c '[.volumes[] | select(.kind == "crypt") | .parents[]]' "$T/out")" = '["/dev/sdb"]' ] ||
    fail "not only the second was opened: $(cat "$T/out")"
expect 5 "$H2K" plan --format raw --key all:key:nope two
expect 5 "$H2K" offline-fix --format raw -o out.qcow2 --key all:key:nope two
[ ! -e out.qcow2 ] || fail "a target of a locked guest"

# on a partition, below another format
truncate -s 26M disk
printf 'start=2048,size=49152,type=83\n' | sfdisk -q --no-reread --no-tell-kernel disk
dd if=two of=disk bs=1M seek=1 conv=notrunc,sparse status=none
expect 5 "$H2K" inspect --format raw --key /dev/sda:file:pass disk
opened --key /dev/sda1:file:pass disk

# usage
for args in '--key all' '--key :key:x' '--key all:clevis' '--keys-from-stdin' '--header all:two'; do
    # shellcheck disable=SC2086 # words
    expect 2 "$H2K" inspect $args two </dev/null
done
expect 1 "$H2K" inspect --key all:file:none two
expect_text "open the key file none: No such file"
expect 2 "$H2K" doctor --key all:file:pass

# edit FILE PYTHON-STATEMENT: changes the JSON of both LUKS2 headers, and makes the sums right again
edit()
{
    cp --sparse=always two "$1"
    python3 - "$1" "$2" <<'END'
import hashlib, json, struct, sys
with open(sys.argv[1], "r+b") as f:
    size = struct.unpack(">Q", f.read(16)[8:])[0]
    for at in 0, size:
        f.seek(at)
        head = bytearray(f.read(size))
        j = json.loads(head[4096:].split(b"\0")[0])
        exec(sys.argv[2])
        head[4096:] = json.dumps(j).encode().ljust(size - 4096, b"\0")
        head[448:512] = bytes(64)
        head[448:480] = hashlib.sha256(head).digest()
        f.seek(at)
        f.write(head)
END
}
key=(--key all:file:pass)
edit same 'pass'
opened "${key[@]}" same
cp --sparse=always two reencrypt
cryptsetup reencrypt --init-only -q --key-file pass --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
    reencrypt
refused 5 "it is being re-encrypted" "${key[@]}" reencrypt
edit later 'j["config"]["requirements"] = {"mandatory": ["from-the-future"]}'
refused 5 "requires something that this libcryptsetup does not know" "${key[@]}" later
edit integrity 'j["segments"]["0"]["integrity"] = {"type": "hmac(sha256)",
    "journal_encryption": "none", "journal_integrity": "none"}'
refused 5 "integrity protection" "${key[@]}" integrity
edit segments 'j["segments"]["0"]["size"] = "4096"
s = dict(j["segments"]["0"], offset=str(int(j["segments"]["0"]["offset"]) + 4096), size="dynamic")
j["segments"]["1"] = s; j["digests"]["0"]["segments"] = ["0", "1"]'
refused 5 "its data lies in 2 segments" "${key[@]}" segments
edit table 'j["segments"]["0"]["encryption"] = "aes-xts-plain64,/dev/sda"'
refused 1 "cannot be opened: its header is damaged: cipher" "${key[@]}" table
edit huge 'j["segments"]["0"]["size"] = "1073741824"'
refused 1 "the image is truncated" "${key[@]}" huge
edit hungry 'j["keyslots"]["0"]["kdf"] = {"type": "argon2id", "time": 4, "memory": 4194304, "cpus": 4,
    "salt": j["keyslots"]["0"]["kdf"]["salt"]}'
refused 5 "key slot 0 was not tried: it asks for 4096 MiB" "${key[@]}" hungry
cp --sparse=always one payload
printf '\xff' | dd of=payload bs=1 seek=104 conv=notrunc status=none
refused 1 "the image is truncated" "${key[@]}" payload

# argon2: one on this host at a time, and who waits for its turn can be ended
luks argon luks2 --pbkdf argon2id --pbkdf-memory 32768 --pbkdf-force-iterations 4 --pbkdf-parallel 1
opened "${key[@]}" argon
await_turn()
{
    for _ in $(seq 300); do
        ! grep -qE -- "-> FLOCK .*:$(stat -c %i /run/h2k/.kdf-lock) " /proc/locks || return 0
        sleep 0.1
    done
    fail "it does not wait for its turn: $(cat /proc/locks out err)"
}
for end in TERM turn; do
    exec 9>/run/h2k/.kdf-lock
    flock 9
    "$H2K" inspect --format raw "${key[@]}" argon 9>&- >out 2>err &
    child=$!
    await_turn
    [ $end = turn ] || kill -$end $child
    [ $end = TERM ] || exec 9>&-
    status=0
    wait $child || status=$?
    case $end:$status in TERM:143 | turn:[34]) ;; *) fail "$end: status $status: $(cat out err)" ;; esac
    exec 9>&-
done
check_clean

# no secret anywhere
mkfifo pipe
"$H2K" inspect --format raw -vv --log-file log --key "all:key:nine lives" --key=all:key:"correct horse" \
    --key all:file:pipe --json two >out 2>err &
child=$!
for _ in $(seq 300); do
    seen=$(tr '\0' ' ' </proc/$child/cmdline)
    case $seen in *lives* | *horse*) ;; *inspect*) break ;; esac
    sleep 0.1
done
echo last >pipe
wait $child || :
expect_text "inspect .*--key" <(echo "$seen")
! grep -qE 'lives|horse' <(echo "$seen") || fail "a secret in the list of processes: $seen"
expect_text "key slot 0 is opened by key number 2" log
! grep -rlE 'nine lives|correct horse' out err log /run/h2k || fail "a secret was told"
expect 2 "$H2K" inspect --keys=all:key:horse two
! grep -q horse err out "$T/err" || fail "a secret in a usage error"
expect 2 "$H2K" inspect --key all:kye:horse two
! grep -q horse "$T/err" || fail "a secret in a usage error"

[ "$sums" = "$(sha256sum one two)" ] || fail "a volume has changed"
check_clean
