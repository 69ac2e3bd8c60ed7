#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --initramfs=rebuild of a guest for another processor: its programs (Debian's busybox for arm64, and
# a tool that is a script for it) run in the jail by qemu-user, and may do as little as others.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img jq mkfs.ext4 sfdisk mmdebstrap cpio qemu-aarch64-static
[ "$(uname -m)" != aarch64 ] || skip "this host is no other processor's"
cache=${H2K_TEST_CACHE:-/var/cache/h2k-tests}
busybox=$cache/busybox-arm64-bookworm
version=6.1.0-1-arm64
cd "$T"

if [ ! -e "$busybox" ]; then
    mkdir -p "$cache"
    mmdebstrap --quiet --variant=extract --skip=check/qemu --arch=arm64 --include=busybox-static \
        bookworm busybox.tar "${H2K_TEST_MIRROR:-http://deb.debian.org/debian}" 2>log ||
        fail "busybox: $(tail -n 5 log)"
    tar -xOf busybox.tar ./bin/busybox >"$busybox.$$"
    chmod 755 "$busybox.$$"
    mv "$busybox.$$" "$busybox"
fi

# the kernel may have no emulator for such programs yet: this test's own, while it runs
if ! "$busybox" true 2>/dev/null; then
    formats=/proc/sys/fs/binfmt_misc
    if [ ! -e $formats/register ]; then
        mount -t binfmt_misc binfmt_misc $formats 2>log || skip "no binfmt_misc here: $(cat log)"
        on_exit umount $formats
    fi
    on_exit eval "echo -1 >$formats/h2k-test-$$"
    magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
    mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    echo ":h2k-test-$$:M::$magic:$mask:$(command -v qemu-aarch64-static):PF" >$formats/register ||
        skip "no emulator can be registered"
    "$busybox" true || fail "arm64's busybox does not run"
fi

tiny_tree tree
sed -i 's/amd64/arm64/' tree/var/lib/dpkg/status
install -m 755 "$busybox" tree/usr/bin/busybox
for name in sh cat cpio find gzip mount mknod uname; do ln -sf busybox "tree/usr/bin/$name"; done
mkdir -p tree/usr/sbin tree/mnt tree/tmp tree/etc/initramfs-tools
echo MODULES=list >tree/etc/initramfs-tools/initramfs.conf
cat >tree/usr/sbin/mkinitramfs <<'END'
#!/bin/sh
set -e
[ "$1" = -o ] && [ "$(uname -m)" = aarch64 ]
! mount -t tmpfs none /mnt
mknod /tmp/disk b 7 0
! cat /tmp/disk
cat /etc/initramfs-tools/modules
uname -m >/tmp/made-on
cd /
find usr/lib/modules usr/lib/systemd tmp/made-on | cpio -o -H newc | gzip >"$2"
END
chmod 755 tree/usr/sbin/mkinitramfs
modules=tree/usr/lib/modules/$version
for name in drivers/block/virtio_blk drivers/scsi/virtio_scsi drivers/virtio/virtio_pci scsi/sd_mod; do
    mkdir -p "$modules/kernel/$(dirname $name)"
    echo "$name" >"$modules/kernel/$name.ko"
    echo "kernel/$name.ko:" >>"$modules/modules.dep"
done
echo kernel/fs/ext4/ext4.ko >"$modules/modules.builtin"
mkdir -p tree/usr/lib/systemd
touch tree/usr/lib/systemd/systemd-udevd "tree/boot/vmlinuz-$version"
(cd tree && find usr/lib/systemd | cpio -o -H newc --quiet | gzip) >"tree/boot/initrd.img-$version"
tiny_disk arm.raw tree
sum=$(sha256sum <arm.raw)

mkdir fixed
expect 0 "$H2K" offline-fix --json --initramfs=rebuild -O raw --output-dir fixed arm.raw
jq -e '.validated and ([.changes[] | select(.action == "run")] | length == 1)' out >/dev/null ||
    fail "the report: $(cat out)"
[ "$sum" = "$(sha256sum <arm.raw)" ] || fail "the source changed"
expect 0 "$H2K" inspect --json fixed/arm.raw
jq -e '.systems[0] | .arch == "aarch64" and .kernels[0].initrd_has_virtio' out >/dev/null ||
    fail "inspection says: $(jq -c '.systems[0] | [.arch, .kernels]' out)"
mkdir root
may_mount
mount -o loop,ro,noload,offset=1048576 fixed/arm.raw root
gzip -dc "root/boot/initrd.img-$version" | cpio -i --quiet --to-stdout tmp/made-on >made-on
umount root
[ "$(cat made-on)" = aarch64 ] || fail "it was made on $(cat made-on)"
expect 0 "$H2K" plan --exit-code --initramfs=rebuild fixed/arm.raw
check_clean
