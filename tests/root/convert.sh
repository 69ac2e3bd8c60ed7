#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# convert to every format is exact; a full disk, a killed qemu-img and a signal leave no half-written
# target, and say so.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img mkfs.ext4 losetup python3
may_mount

truncate -s 48M "$T/disk.raw"
mkdir "$T/files" && head -c 20M /dev/urandom >"$T/files/data"
mkfs.ext4 -q -F -d "$T/files" "$T/disk.raw"
make_vmdk "$T/disk.raw" "$T/disk.vmdk"
cd "$T"

for format in qcow2 raw vdi vmdk vhdx; do
    expect 0 "$H2K" convert disk.vmdk "new.$format"
    [ "$(stat -c %a "new.$format")" = 600 ] || fail "mode of new.$format"
    qemu-img compare -q -f raw -F "$format" disk.raw "new.$format" || fail "$format differs"
    ! strings -n 8 "new.$format" | grep -F 'h2k-' || fail "new.$format knows its temporary name"
    expect 5 "$H2K" convert disk.vmdk "new.$format"
done
for format in qcow2 vmdk; do
    expect 0 "$H2K" convert --compress -O $format disk.vmdk small.$format
    qemu-img compare -q -f raw -F $format disk.raw small.$format || fail "compressed $format differs"
done
expect 0 "$H2K" convert --json --force disk.vmdk new.vdi
schema_ok h2k.convert-1 out
for format in raw vdi vhdx; do
    expect 2 "$H2K" convert --compress disk.vmdk "c.$format"
    [ ! -e "c.$format" ] || fail "c.$format was made"
done

# a disk that is too small is told before; one that fills up while the copy runs, too
truncate -s 16M full.img && mkfs.ext4 -q -F full.img && mkdir full
mount -o loop full.img full && on_exit sh -c "umount $T/full 2>/dev/null"
expect 8 "$H2K" convert disk.vmdk full/new.qcow2
expect_text 'MiB free, but up to'
qemu-img convert -c -O vmdk -o subformat=streamOptimized new.raw stream.vmdk
yes h2k | head -c 40M >files/data && mkfs.ext4 -q -F -d files disk2.raw 64M 2>/dev/null
qemu-img convert -c -O vmdk -o subformat=streamOptimized disk2.raw stream.vmdk
# compressed data needs what it is unpacked; the rest of the disk may be filled by others meanwhile
expect 8 "$H2K" convert stream.vmdk full/new.raw
expect_text 'MiB free, but up to'
rm disk2.raw
# shellcheck disable=SC2016 # the scripts expand it
mkdir bin && printf '#!/bin/sh\n[ "$1" != convert ] || cat /dev/zero >%q 2>/dev/null\nexec %s "$@"\n' \
    "$T/full/filler" "$(command -v qemu-img)" >bin/qemu-img && chmod +x bin/qemu-img
head -c 4M /dev/urandom >small.img && truncate -s 8M small.img
PATH=$T/bin:$PATH expect 8 "$H2K" convert small.img full/new.raw
expect_text 'no space left'
rm full/filler
[ "$(ls -A full)" = lost+found ] || fail "left in the full folder: $(ls -A full)"
umount full

# a qemu-img that dies
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$1" = convert ] || exec %s "$@"\nkill -9 $$\n' "$(command -v qemu-img)" >bin/qemu-img
chmod +x bin/qemu-img
PATH=$T/bin:$PATH expect 1 "$H2K" convert disk.vmdk killed.qcow2
expect_text 'qemu-img was ended by signal 9'
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$1" = convert ] || exec %s "$@"\nexec sleep 30\n' "$(command -v qemu-img)" >bin/qemu-img
PATH=$T/bin:$PATH "$H2K" convert disk.vmdk killed.qcow2 2>err & pid=$!
for _ in $(seq 100); do ls .killed* >/dev/null 2>&1 && break; sleep 0.05; done
kill -TERM $pid; status=0; wait $pid || status=$?
[ $status = 143 ] || fail "SIGTERM: exit status $status"
[ -z "$(find . -name '*killed*')" ] || fail "left: $(find . -name '*killed*')"
check_clean
