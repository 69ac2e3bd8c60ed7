#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# boot-test of what has no boot loader: a quick verdict, valid JSON, a picture; several NICs and
# sectors of 4096 bytes from an XML; nothing is changed or left.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img qemu-system-x86_64 python3
cd "$T"
truncate -s 16M blank.raw
sum=$(sha256sum <blank.raw)

expect 7 "$H2K" boot-test --accel tcg --json --screenshot screen.png --nic eth0=52:54:00:12:34:56 blank.raw
expect_text 'the firmware found nothing to boot' out
schema_ok h2k.boot-test-1 out
python3 - <<'END' || fail "the picture is empty"
import struct, zlib
data = open("screen.png", "rb").read()
assert data[:8] == b"\x89PNG\r\n\x1a\n"
width, height = struct.unpack(">II", data[16:24])
assert 640 <= width <= 1920 and 350 <= height <= 1200, (width, height)
packed, at = b"", 8
while at < len(data):
    size, kind = struct.unpack(">I4s", data[at:at + 8])
    if kind == b"IDAT":
        packed += data[at + 8:at + 8 + size]
    at += 12 + size
pixels = zlib.decompress(packed)
assert sum(b != 0 for b in pixels) > 500, "black"
END

cat >two.xml <<END
<domain type='kvm'><name>two</name><os><type arch='x86_64'>hvm</type></os><devices>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='$T/blank.raw'/>
<blockio logical_block_size='4096' physical_block_size='4096'/><target dev='vda' bus='virtio'/></disk>
<interface type='network'><mac address='52:54:00:00:00:01'/></interface>
<interface type='network'><mac address='52:54:00:00:00:02'/></interface>
</devices></domain>
END
# the qemu that is started, as it is called
mkdir bin
printf '#!/bin/sh\nprintf "%%s\\n" "$@" >%s/args\nexec %s "$@"\n' "$T" "$(command -v qemu-system-x86_64)" \
    >bin/qemu-system-x86_64
chmod +x bin/qemu-system-x86_64
PATH=$T/bin:$PATH expect 7 "$H2K" boot-test --accel tcg two.xml
expect_text 'mac=52:54:00:00:00:01' args
expect_text 'mac=52:54:00:00:00:02' args
expect_text '^virtio-blk-pci.*logical_block_size=4096' args
[ "$sum" = "$(sha256sum <blank.raw)" ] || fail "the disk was changed"
expect 0 "$H2K" cleanup --json
schema_ok h2k.cleanup-1 out
check_clean
