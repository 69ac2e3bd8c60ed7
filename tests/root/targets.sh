#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is under way never gets a final name: killed runs leave a temporary that cleanup removes, and
# of several disks either all are published or none.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img mkfs.ext4 sfdisk jq

make_small_guest "$T/disk.raw"
truncate -s 8M "$T/data.raw"
mkdir "$T/bin" "$T/out.d"
cd "$T"

# a name that no libvirt domain can have
expect 2 "$H2K" offline-fix -o $'out.d/a\nb.qcow2' disk.raw
expect_text 'control characters'

# stand_in COMMAND: a qemu-img that does this instead of the second conversion
stand_in()
{
    # shellcheck disable=SC2016 # the script expands it
    printf '#!/bin/sh\n[ "$1" != convert ] || { echo x >>%q; [ "$(wc -l <%q)" -lt %d ] || { %s; }; }\nexec %q "$@"\n' \
        "$T/calls" "$T/calls" "$2" "$1" "$real_qemu_img" >bin/qemu-img
    chmod +x bin/qemu-img
    : >calls
}
real_qemu_img=$(command -v qemu-img)

# killed_copy COMMAND...: kill -9 while qemu-img writes
killed_copy()
{
    local pid
    stand_in 'exec sleep 60' 1
    PATH=$T/bin:$PATH "$H2K" "$@" >out 2>err & pid=$!
    for _ in $(seq 400); do ls out.d/.*.part >/dev/null 2>&1 && [ -s calls ] && break; sleep 0.05; done
    kill -9 $pid
    wait $pid 2>/dev/null || :
    ls out.d/.*.part >/dev/null || fail "$1: nothing was under way"
    clean_up
    [ -z "$(find out.d -type f ! -name '*.log')" ] || fail "$1: cleanup left $(ls -A out.d)"
    rm -f out.d/*.log
}
killed_copy convert disk.raw out.d/new.qcow2
killed_copy offline-fix disk.raw --output-dir out.d

# the second name is taken while the copy runs
stand_in 'echo theirs >out.d/disk-sdb.qcow2' 2
PATH=$T/bin:$PATH expect 5 "$H2K" offline-fix disk.raw -a data.raw --output-dir out.d
expect_text 'disk-sdb.qcow2 exists'
[ ! -e out.d/disk-sda.qcow2 ] || fail "one disk of two was published"
[ "$(cat out.d/disk-sdb.qcow2)" = theirs ] || fail "a file that was not ours was changed"
[ -z "$(find out.d -name '*.part')" ] || fail "left: $(ls -A out.d)"
# with --force old targets stay until all new ones are there
echo old >out.d/disk-sda.qcow2
stand_in 'rm -f out.d/disk-sdb.qcow2; mkdir out.d/disk-sdb.qcow2' 2
PATH=$T/bin:$PATH expect 5 "$H2K" offline-fix --force disk.raw -a data.raw --output-dir out.d
[ "$(cat out.d/disk-sda.qcow2)" = old ] || fail "the old target was lost"
rmdir out.d/disk-sdb.qcow2
expect 0 "$H2K" offline-fix --force disk.raw -a data.raw --output-dir out.d
[ "$(qemu-img info --output=json out.d/disk-sda.qcow2 | jq -r .format)" = qcow2 ] || fail "not replaced"
[ -z "$(find out.d -name '*.part')" ] || fail "left: $(ls -A out.d)"

# the time limit keeps all disks of a guest
for guest in "disk.raw -a data.raw" "-a disk.raw -a data.raw"; do
    # shellcheck disable=SC2086
    expect 0 "$H2K" inspect --json --timeout 60 $guest
    [ "$(jq '.disks | length' out)" = 2 ] || fail "inspect $guest: $(jq -c .disks out)"
done
check_clean
