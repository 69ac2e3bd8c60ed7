#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Roots that are not simply a file system's top: deployments of ostree, /usr on a partition of its
# own, subvolumes among snapshots and containers. What is found is one system each, with all of it.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img mkfs.ext4 mkfs.btrfs btrfs sfdisk jq
grep -qw btrfs /proc/filesystems || modprobe -q btrfs || skip "the kernel has no btrfs"
may_mount
cd "$T"
guests=$H2K_SRC/tests/data/guests
found() { jq -e "$1" out >/dev/null || fail "not so: $1: $(cat out)"; }

# gpt_disk IMAGE TYPE LABEL TREE [TYPE LABEL TREE]... : ext4 partitions of 32 MiB
gpt_disk()
{
    local image=$1 n=0
    shift
    truncate -s $(($# * 32 / 3 + 2))M "$image"
    while [ $# -gt 0 ]; do
        mkfs.ext4 -q -F -L "$2" -d "$3" -E offset=$(((n * 32 + 1) << 20)) "$image" 31M
        printf 'start=%d,size=%d,type=%s\n' $(((n * 32 + 1) * 2048)) $((32 * 2048)) "$1"
        n=$((n + 1))
        shift 3
    done | sfdisk -q --label gpt --wipe-partitions never --no-reread --no-tell-kernel "$image"
}
linux=0fc63daf-8483-4772-8e79-3d69d8477de4

# --- ostree: the entry with the highest number decides, not what was deployed last
deploy=ostree/deploy/fedora-coreos/deploy
for name in old new; do
    mkdir -p "root/$deploy/$name.0"
    cp -a "$guests/fcos39-deployment/root/." "root/$deploy/$name.0"
    rm -r "root/$deploy/$name.0/boot"
    mkdir -p "root/$deploy/$name.0/"{boot,sysroot,var}
    ln -s sysroot/ostree "root/$deploy/$name.0/ostree"
    echo "$name" >"root/$deploy/$name.0/etc/hostname"
    echo '/dev/sda1 /boot ext4 defaults 0 2' >"root/$deploy/$name.0/etc/fstab"
    : >"root/$deploy/$name.0.origin"
    mkdir -p "root/ostree/boot.1.1/fedora-coreos/sum-$name" "boot/ostree/fedora-coreos-sum-$name"
    ln -s "../../../deploy/fedora-coreos/deploy/$name.0" "root/ostree/boot.1.1/fedora-coreos/sum-$name/0"
    cp -a "$guests/fcos39-deployment/root/boot/ostree/"*/* "boot/ostree/fedora-coreos-sum-$name"
done
ln -s boot.1.1 root/ostree/boot.1
touch -d 2024-01-01 "root/$deploy/new.0.origin"
touch -d 2024-02-01 "root/$deploy/old.0.origin"
mkdir -p root/boot root/ostree/deploy/fedora-coreos/var/lib boot/loader.1/entries
ln -s loader.1 boot/loader
for n in 1 10 9; do
    name=old
    [ $n != 10 ] || name=new
    printf 'title x\nversion %s\nlinux /x\noptions root=UUID=x ostree=/ostree/boot.1/fedora-coreos/sum-%s/0 rw\n' \
        $n $name >boot/loader.1/entries/ostree-$n-fedora-coreos.conf
done
gpt_disk ostree.raw $linux boot boot $linux root root
expect 0 "$H2K" inspect --json ostree.raw
found '.systems | length == 1'
found ".systems[0] | .root == \"/dev/sda2\" and .deployment == \"/$deploy/new.0\" and .hostname == \"new\" and
    .variant == \"coreos\" and .package_manager == \"rpm-ostree\" and .arch == \"x86_64\""
found '.systems[0].kernels | length == 1 and
    (.[0].image | startswith("/boot/ostree/fedora-coreos-sum-new/vmlinuz-")) and
    (.[0].initrd | startswith("/boot/ostree/fedora-coreos-sum-new/initramfs-"))'
schema_ok h2k.inspect-1 out
expect 0 "$H2K" offline-fix --only fstab -O raw -o fixed.raw ostree.raw
mkdir mnt
mount -o loop,ro,offset=$((33 << 20)) fixed.raw mnt
expect_text '^UUID=[0-9a-f-]+ /boot ext4' "mnt/$deploy/new.0/etc/fstab"
expect_text '^/dev/sda1 /boot' "mnt/$deploy/old.0/etc/fstab"
umount mnt
check_clean

# one file system for all; without entries, what was deployed last
cp -a boot/. root/boot
rm "root/$deploy"/*/etc/fstab
gpt_disk one.raw $linux root root
expect 0 "$H2K" inspect --json one.raw
found ".systems[0] | .deployment == \"/$deploy/new.0\" and
    (.kernels[0].image | startswith(\"/boot/ostree/fedora-coreos-sum-new/\"))"
rm -r root/boot/loader*
gpt_disk none.raw $linux root root
expect 0 "$H2K" inspect --json none.raw
found ".systems | length == 1 and .[0].deployment == \"/$deploy/old.0\""
check_clean

# --- Flatcar: two partitions for /usr, of which the newer one belongs to the root
cp -a "$guests/flatcar-usr-merged/root/." flat
mv flat/usr usr-a
mkdir flat/usr
cp -a usr-a usr-b
sed -i 's/3815.2.0/3760.1.0/' usr-b/lib/os-release
container=5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6
gpt_disk flat.raw $container USR-B usr-b $container USR-A usr-a 3884dd41-8582-4404-b9a8-e9b84f2df50e ROOT flat
expect 0 "$H2K" inspect --json flat.raw
found '.systems | length == 1 and .[0].root == "/dev/sda3" and .[0].distro == "flatcar" and
    .[0].version_text == "3815.2.0" and .[0].arch == "x86_64" and .[0].hostname == "flat" and
    (.[0].mounts[] | select(.target == "/usr") | .device == "/dev/sda2" and .mounted)'
expect 0 "$H2K" plan flat.raw

# --- /usr on a partition that fstab names: what says the distribution, and the packages, lie there
cp -a "$guests/fedora40-btrfs/root/." split
printf '/dev/sda1 / ext4 defaults 0 1\n/dev/sda2 /usr ext4 defaults 0 2\n' >split/etc/fstab
mv split/usr split-usr
mkdir split/usr
gpt_disk split.raw $linux root split $linux usr split-usr
expect 0 "$H2K" inspect --json split.raw
found '.systems | length == 1 and .[0].distro == "fedora" and .[0].package_format == "rpm" and
    .[0].package_manager == "dnf" and .[0].init_system == "systemd" and
    (.[0].packages_problem | length > 0)'

# --- NixOS: everything is a link into the store
gpt_disk nix.raw $linux nixos "$guests/nixos23/root"
expect 0 "$H2K" inspect --json nix.raw
found '.systems | length == 1 and .[0].distro == "nixos" and .[0].hostname == "nix1" and
    .[0].arch == "x86_64" and .[0].init_system == "systemd"'
check_clean

# --- btrfs: two systems; snapshots and the roots of containers are none
truncate -s 128M btrfs.raw
mkfs.btrfs -q btrfs.raw >/dev/null
mount -o loop btrfs.raw mnt
add()
{
    btrfs -q subvolume create "mnt/$1"
    tiny_tree new-tree
    cp -a new-tree/. "mnt/$1"
    rm -r new-tree
    basename "$1" >"mnt/$1/etc/hostname"
}
add @
add @other
mkdir -p mnt/@/.snapshots/1 mnt/timeshift-btrfs/snapshots/2024-01-01_00-00-00 \
    mnt/@/var/lib/{docker/btrfs/subvolumes,machines,containers/storage/btrfs/subvolumes}
btrfs -q subvolume snapshot mnt/@ mnt/@/.snapshots/1/snapshot
btrfs -q subvolume snapshot mnt/@ mnt/timeshift-btrfs/snapshots/2024-01-01_00-00-00/@
for name in docker/btrfs/subvolumes/0123 machines/box containers/storage/btrfs/subvolumes/4567; do
    add "@/var/lib/$name"
done
umount mnt
expect 0 "$H2K" inspect --json btrfs.raw
found '[.systems[].root] == ["btrfsvol:/dev/sda/@", "btrfsvol:/dev/sda/@other"]'
expect 5 "$H2K" plan btrfs.raw
expect_text 'several systems'
check_clean

# --- a root that is replaced by its own updates: it may not be written, but is repaired
truncate -s 128M micro.raw
mkfs.btrfs -q micro.raw >/dev/null
mount -o loop micro.raw mnt
btrfs -q subvolume create mnt/@
mkdir -p mnt/@/.snapshots/1
add @/.snapshots/1/snapshot
printf '%s\n' '/dev/sda / btrfs ro 0 0' \
    'overlay /etc overlay lowerdir=/sysroot/etc,upperdir=/sysroot/var/lib/overlay/1/etc 0 0' >mnt/@/.snapshots/1/snapshot/etc/fstab
btrfs property set -ts mnt/@/.snapshots/1/snapshot ro true
btrfs subvolume set-default mnt/@/.snapshots/1/snapshot
umount mnt
expect 0 "$H2K" offline-fix --only fstab -O raw -o micro-kvm.raw micro.raw
expect_text 'note: .*/etc/fstab: /etc is an overlay: a file in /sysroot/var/lib/overlay/1/etc hides' out
check_clean
mount -o loop micro-kvm.raw mnt
expect_text '^UUID=[0-9a-f-]+ / btrfs ro 0 0' mnt/etc/fstab
[ "$(btrfs property get -ts mnt ro)" = ro=true ] || fail "it can be written now"
umount mnt

# --- FreeBSD: known by its partitions, converted as it is, on hardware that it has drivers for
truncate -s 64M bsd.raw
printf '%s\n' 'start=2048, size=1024, type=83bd6b9d-7f41-11dc-be0b-001560b84f0f' \
    'start=4096, size=100000, type=516e7cb6-6ecf-11d6-8ff8-00022d09712b' |
    sfdisk -q --label gpt --no-reread --no-tell-kernel bsd.raw
# the magic number of UFS2's superblock
printf '\x19\x01\x54\x19' | dd of=bsd.raw bs=1 seek=$((4096 * 512 + 65536 + 1372)) conv=notrunc status=none
expect 0 "$H2K" inspect --json bsd.raw
found '.systems | length == 1 and .[0].type == "freebsd" and .[0].root == "/dev/sda2" and .[0].firmware == "bios"'
schema_ok h2k.inspect-1 out
expect 0 "$H2K" plan bsd.raw
expect_text '^note: guest: FreeBSD is converted as it is: give it SATA disks and e1000' out
expect 0 "$H2K" offline-fix -O raw -o bsd-kvm.raw bsd.raw
cmp bsd.raw bsd-kvm.raw
expect_text "<target dev=.sda. bus=.sata./>" bsd-kvm.xml
expect_text "<model type=.e1000./>" bsd-kvm.xml
[ "$(jq -r .target.disk_bus bsd-kvm.report.json)" = sata ] || fail "$(cat bsd-kvm.report.json)"
check_clean
