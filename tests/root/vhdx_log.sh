#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A VHDX whose writer was killed between its log and what the log is for: the log is replayed on a
# copy, every command sees what it says, and the file stays as it is.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img qemu-io sfdisk mkfs.ext4 python3 jq

make_small_guest "$T/small.raw"
qemu-img convert -f raw -O vhdx -o block_size=1M "$T/small.raw" "$T/clean.vhdx"
mkdir "$T/d" "$T/o"
disk=$T/d/disk.vhdx

# A block behind the file system is written: first its data, then the log, then what the log says about the block. As if the
# writer had been killed before the last step, the tables are the old ones again and the headers name
# the log ([MS-VHDX] 2.2.2, 2.3.1).
cp "$T/clean.vhdx" "$disk"
qemu-io -f vhdx -c 'write -P 0x5a 63M 1M' "$disk" >"$T/out"
python3 - "$T/clean.vhdx" "$disk" <<'END'
import struct, sys

def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8): crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff

clean = open(sys.argv[1], "rb").read()
disk = bytearray(open(sys.argv[2], "rb").read())
disk[2 << 20:3 << 20] = clean[2 << 20:3 << 20]
assert disk[1 << 20:(1 << 20) + 4] == b"loge"
for at in 65536, 131072:
    disk[at + 48:at + 64] = disk[(1 << 20) + 32:(1 << 20) + 48]
    disk[at + 4:at + 8] = bytes(4)
    disk[at + 4:at + 8] = struct.pack("<I", crc32c(disk[at:at + 4096]))
open(sys.argv[2], "wb").write(disk)
END
cp "$disk" "$T/replayed.vhdx"
qemu-img check -f vhdx -r all "$T/replayed.vhdx" >"$T/out" 2>&1 || fail "$(cat "$T/out")"
qemu-img convert -f vhdx -O raw "$T/replayed.vhdx" "$T/want.raw"
! cmp -s "$T/small.raw" "$T/want.raw" || fail "the log says nothing about the content"
expect 1 qemu-img convert -f vhdx -O raw "$disk" "$T/not.raw"
expect_text 'log that needs to be replayed'
sum=$(sha256sum <"$disk"; stat -c '%y %s' "$disk")

expect 0 "$H2K" convert -O raw "$disk" "$T/o/now.raw"
cmp "$T/want.raw" "$T/o/now.raw" || fail "the log was not replayed"
expect 0 "$H2K" inspect --json "$disk"
jq -e '.systems[0].hostname == "small" and any(.disks[].notes[]; test("not closed cleanly"))' \
    "$T/out" >"$T/found" || fail "inspect: $(cat "$T/out")"
qemu-img create -q -u -f qcow2 -b disk.vhdx -F vhdx "$T/d/child.qcow2" 64M
expect 5 "$H2K" volumes "$T/d/child.qcow2"
expect_text 'backing file .*pending log'
rm "$T/d/child.qcow2"
expect 0 "$H2K" offline-fix -O raw -o "$T/o/fixed.raw" "$disk"
cmp <(tail -c 1M "$T/want.raw") <(tail -c 1M "$T/o/fixed.raw") ||
    fail "what the log holds is not in the result"
expect 0 "$H2K" plan --exit-code "$T/o/fixed.raw"

# writing to the file itself is another matter
expect 5 "$H2K" offline-fix --in-place "$disk"
expect_text 'pending log'
expect 5 "$H2K" boot-test "$disk"
expect_text 'pending log'

# a log that names more than there is
cp "$disk" "$T/d/bad.vhdx"
truncate -s 3M "$T/d/bad.vhdx"
expect 1 "$H2K" inspect "$T/d/bad.vhdx"
[ "$sum" = "$(sha256sum <"$disk"; stat -c '%y %s' "$disk")" ] || fail "the source has changed"
check_clean
