#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Wrong input ends with the exit status that design says, a message that tells what to do, and
# nothing left behind; the source stays as it is.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img mkfs.ext4 sfdisk
may_mount
cd "$T"

tiny_tree tree
tiny_disk tiny.raw tree
qemu-img convert -O qcow2 tiny.raw tiny.qcow2
before=$(sha256sum tiny.raw tiny.qcow2)

# --- not a guest
echo "this is a letter, not a disk" >letter.txt
expect 1 "$H2K" inspect letter.txt
expect 1 "$H2K" inspect missing.vmdk
expect_text "missing.vmdk.*No such file"
: >empty.img
expect 1 "$H2K" inspect empty.img
mkdir folder
expect 1 "$H2K" inspect folder
truncate -s 16M blank.raw
expect 3 "$H2K" inspect blank.raw
expect_text "no operating system|no partition table"
mkdir nothing
tiny_disk nothing.raw nothing
expect 3 "$H2K" inspect nothing.raw
expect 3 "$H2K" offline-fix nothing.raw -o out.qcow2
expect 3 "$H2K" inspect --json nothing.raw
expect_text '"status": ?3' out
[ ! -e out.qcow2 ] || fail "a target was made"

# --- two systems
cp -a tree tree2
echo other >tree2/etc/hostname
tiny_disk two.raw tree tree2
expect 0 "$H2K" inspect --json two.raw
python3 -c 'import json; assert len(json.load(open("out"))["systems"]) == 2'
expect 5 "$H2K" plan two.raw
expect_text "/dev/sda1.*/dev/sda2|--root"
expect 0 "$H2K" plan --root /dev/sda2 two.raw
expect 5 "$H2K" plan --root single two.raw
expect 0 "$H2K" plan --root first two.raw

# --- usage
expect 2 "$H2K" inspect --no-such-option tiny.raw
expect 2 "$H2K" inspect
expect 2 "$H2K" plan tiny.raw two.raw
expect 2 "$H2K" plan --only no-such-fixer tiny.raw
expect 2 "$H2K" offline-fix -O raw --compress tiny.raw
expect 2 "$H2K" offline-fix -O floppy tiny.raw

# --- targets
cp tiny.qcow2 same.qcow2
expect 5 "$H2K" offline-fix --force -o same.qcow2 same.qcow2
expect_text "source"
expect 5 "$H2K" offline-fix --force --report tiny.qcow2 -o new.qcow2 tiny.qcow2
expect 5 "$H2K" convert --force tiny.qcow2 tiny.qcow2
ln same.qcow2 link.qcow2
expect 5 "$H2K" offline-fix --force -o link.qcow2 same.qcow2
touch there.qcow2
expect 5 "$H2K" offline-fix -o there.qcow2 tiny.qcow2
expect_text "--force"
[ ! -s there.qcow2 ] || fail "an existing target was overwritten"
expect 1 "$H2K" offline-fix --output-dir no/such/folder tiny.qcow2
expect_text "no/such/folder"

# --- host
expect 4 setpriv --reuid 65534 --clear-groups "$H2K" inspect tiny.raw
expect_text "root|sudo"
mkdir bin
for tool in /usr/bin/* /usr/sbin/*; do
    case $tool in */qemu-*) ;; *) ln -sf "$tool" bin/ ;; esac
done
expect 4 env PATH="$T/bin" "$H2K" plan tiny.qcow2
expect_text "install"
expect 0 "$H2K" doctor
expect 4 env PATH="$T/bin" "$H2K" doctor

# --- a journal that needs recovery: replayed in the overlay only, and said so
cp tiny.raw dirty.raw
loop=$(losetup -f --show -o 1048576 dirty.raw)
mkdir mnt
mount "$loop" mnt
on_exit sh -c "umount $T/mnt 2>/dev/null"
echo "after the crash" >mnt/etc/late
sync -f mnt/etc/late
cp dirty.raw crashed.raw
umount mnt
losetup -d "$loop"
dirty=$(sha256sum crashed.raw)
expect 0 "$H2K" inspect --json crashed.raw
expect_text '"journal": ?"dirty"' out
expect 0 "$H2K" plan crashed.raw
expect 0 "$H2K" offline-fix --only fstab -o crashed.qcow2 crashed.raw
grep -q "journal" crashed.report.json || fail "the report does not speak of the journal"
[ "$dirty" = "$(sha256sum crashed.raw)" ] || fail "the source's journal was replayed"

[ "$before" = "$(sha256sum tiny.raw tiny.qcow2)" ] || fail "a source changed"
check_clean
