#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# h2k plan shows what offline-fix does and changes nothing; after offline-fix there is nothing left
# to plan; a guest without room is refused before anything is written.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img mkfs.ext4 sfdisk python3
cd "$T"

cat >check.py <<'EOP'
import json, sys
from jsonschema import Draft202012Validator

document = json.load(open("out"))
Draft202012Validator(json.load(open(sys.argv[1]))).validate(document)
print(*(f"{c['fixer']}:{c['action']}:{c['path']}" for c in document["changes"]))
EOP
planned() { expect 0 "$H2K" plan --json "$@"; python3 check.py "$H2K_SRC/docs/schema/h2k.plan-1.json"; }

tiny_tree tree
printf 'menuentry x {\n\tset root=/dev/sda1\n\tpassword root Sesame77\n\tlinux /v root=/dev/sda1 ro\n\tinitrd /i\n}\n' \
    >tree/boot/grub/grub.cfg
chmod 600 tree/boot/grub/grub.cfg
tiny_disk guest.raw tree
before=$(sha256sum guest.raw)

want="fstab:write:/etc/fstab bootloader:write:/boot/grub/grub.cfg"
got=$(planned guest.raw)
[ "$got" = "$want" ] || fail "planned: $got"
[ "$(planned --only fstab guest.raw)" = fstab:write:/etc/fstab ] || fail "--only"
[ "$(planned --skip fstab guest.raw)" = bootloader:write:/boot/grub/grub.cfg ] || fail "--skip"
[ -z "$(planned --skip fstab,bootloader guest.raw)" ] || fail "--skip of both"

expect 10 "$H2K" plan --exit-code guest.raw
expect_text '^-/dev/sda1 / ext4' out
expect_text '^\+UUID=[0-9a-f-]{36} / ext4 defaults 0 1' out
expect_text 'root=/dev/sda1 becomes root=UUID=' out
! grep -q '^[-+].*linux' out || fail "lines of a file that is not world-readable are shown"
expect 0 "$H2K" plan --show-secrets guest.raw
expect_text '^\+.*linux /v root=UUID=[0-9a-f-]{36} ro' out
[ "$before" = "$(sha256sum guest.raw)" ] || fail "plan wrote to the image"

expect 0 "$H2K" offline-fix -o fixed.qcow2 guest.raw
! grep -l Sesame77 fixed.* 2>/dev/null | grep -v qcow2 || fail "a secret of the guest is in the report or log"
[ -z "$(planned fixed.qcow2)" ] || fail "planned again: $(planned fixed.qcow2)"
expect 0 "$H2K" plan --exit-code fixed.qcow2

# room for less than the margin of 1 MiB
head -c 30M /dev/urandom >tree/filler
tiny_disk full.raw tree
while :; do
    free=$(dumpe2fs -h "full.raw?offset=$((1 << 20))" 2>/dev/null | awk '/^Free blocks/ { f = $3 }
        /^Reserved block count/ { r = $4 } END { print f - r }')
    [ "$free" -gt 900 ] || break
    head -c $((free * 1024 - 800 * 1024)) /dev/urandom >>tree/filler
    tiny_disk full.raw tree
done
expect 0 "$H2K" plan full.raw
expect_text 'offline-fix will change nothing: the guest.s file system at / is too full' out
expect 5 "$H2K" offline-fix -o none.qcow2 full.raw
expect_text 'at / is too full: .* are missing'
[ ! -e none.qcow2 ] || fail "a target was made"
check_clean
