#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest over two disks whose mounts come from fstab and from systemd units: ext4, xfs and btrfs by
# every kind of name are mounted parents first; what is missing is said; nothing is edited without
# the guest's /boot.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img mkfs.ext4 mkfs.xfs mkfs.btrfs btrfs sfdisk jq python3
for type in xfs btrfs; do
    grep -qw "$type" /proc/filesystems || modprobe -q "$type" || skip "the kernel has no $type"
done
may_mount
cd "$T"
root=6b1ac1a0-8a5e-4c52-9d3c-6a9e1a6f0a11
path=/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0
units=etc/systemd/system

# folders NAME... : an ext4 of 16 MiB, labelled NAME1, with these folders
folders()
{
    rm -rf "tree.$1"
    mkdir -p "${@/#/tree.$1/}"
    truncate -s 16M "$1"
    mkfs.ext4 -q -F -L "$1" -d "tree.$1" "$1"
}
# put IMAGE FILE MIB
put() { dd if="$2" of="$1" bs=1M seek="$3" conv=notrunc,sparse status=none; }
unit() # NAME WHAT WHERE [OPTIONS]
{
    printf '[Mount]\nWhat=%s\nWhere=%s\nOptions=%s\n' "$2" "$3" "${4:-}" >"tree/$units/$1.mount"
}
found() { jq -e "$1" out >/dev/null || fail "not so: $1: $(cat out)"; }

# --- the second disk: xfs, with the folder for the next one; btrfs with subvolumes; ext4
folders deep file
folders inner file
truncate -s 320M xfs
mkfs.xfs -q xfs
truncate -s 128M btrfs
mkfs.btrfs -q -L pool btrfs >/dev/null
mkdir mnt
mount -o loop xfs mnt
mkdir mnt/deep
umount mnt
mount -o loop btrfs mnt
for name in home srv; do btrfs -q subvolume create "mnt/@$name"; done
mkdir mnt/@home/inner mnt/@srv/www
umount mnt
truncate -s 500M b.raw
printf '%s\n' 'label: gpt' 'start=2048,size=655360' 'size=262144' 'size=32768' 'size=32768' |
    sfdisk -q --no-reread --no-tell-kernel b.raw
put b.raw xfs 1
put b.raw btrfs 321
put b.raw deep 449
put b.raw inner 465

# --- the first disk: the root, and a boot file system that is mounted on request only
tiny_tree tree "UUID=$root"
mkdir -p "tree/$units/local-fs.target.wants" tree/{data,home,srv,optional,missing,unit,bound,bootpart} boot/grub
touch boot/vmlinuz-6.1
printf 'menuentry A {\nlinux /vmlinuz-6.1 root=UUID=%s\n}\n' "$root" >boot/grub/grub.cfg
truncate -s 16M boot.ext4
mkfs.ext4 -q -F -d boot boot.ext4

# guest BOOT-LINE [UNIT]: a.raw
guest()
{
    cat >tree/etc/fstab <<END
LABEL=deep /data/deep ext4 defaults 0 2
UUID=$root / ext4 defaults 0 1
$1
$path:1:0-part1 /data xfs defaults 0 2
LABEL=inner /home/inner ext4 defaults 0 2
LABEL=pool /home btrfs subvolid=256 0 0
PARTLABEL="not\040there" /missing ext4 defaults 0 2
LABEL=nor-this /optional ext4 nofail 0 2
LABEL=pool /later btrfs noauto 0 0
tmpfs /tmp tmpfs defaults 0 0
/srv/www/file /bound none bind 0 0
/nowhere /bound/more none bind 0 0
/etc/hostname /etc/other none bind 0 0
END
    unit srv "/dev/disk/by-label/pool" /srv subvol=@srv
    unit srv-www "/dev/sdb4" /srv/www
    unit unit UUID=gone /unit
    ln -sf ../srv-www.mount ../unit.mount "tree/$units/local-fs.target.wants"
    rm -f root.ext4 a.raw
    truncate -s 32M root.ext4
    mkfs.ext4 -q -F -U "$root" -d tree root.ext4
    truncate -s 64M a.raw
    printf '%s\n' 'label: gpt' 'start=2048,size=65536' 'size=32768' |
        sfdisk -q --no-reread --no-tell-kernel a.raw
    put a.raw root.ext4 1
    put a.raw boot.ext4 33
}

mount_is() # TARGET DEVICE MOUNTED PROBLEM
{
    local got
    got=$(jq -r --arg t "$1" '.systems[0].mounts[] | select(.target == $t) |
        "\(.device) \(.mounted) \(.problem // "")"' out)
    [[ $got =~ ^"$2 $3 "$4$ ]] || fail "$1: $got"
}
mounts_are()
{
    local missing='it is on none of the given disks.*'
    mount_is / /dev/sda1 true ''
    mount_is /boot /dev/sda2 true ''
    mount_is /data /dev/sdb1 true ''
    mount_is /data/deep /dev/sdb3 true ''
    mount_is /home /dev/sdb2 true ''
    mount_is /home/inner /dev/sdb4 true '' # the folder is in subvolume 256 only
    mount_is /srv /dev/sdb2 true ''
    mount_is /srv/www /dev/sdb4 true '' # in @srv only, which nothing but this mount starts
    mount_is /missing null false "$missing"
    mount_is /optional null false ''
    mount_is /later /dev/sdb2 false ''
    mount_is /unit null false "$missing"
    mount_is /tmp null false ''
    mount_is /bound null true '' # a folder of a file system that is mounted deeper
    mount_is /bound/more null false 'show /nowhere at /bound/more: .*'
    mount_is /etc/other null false ''
}

guest '/dev/sda2 /boot ext4 noauto 0 2'
sums=$(sha256sum a.raw b.raw)
expect 0 "$H2K" inspect --json -a a.raw -a b.raw
mounts_are
found '.systems | length == 1'
found '.systems[0].boot_config == "/boot/grub/grub.cfg" and .systems[0].mounts[5].file == "/etc/fstab"'
found '[.systems[0].mounts[] | select(.file | endswith(".mount")) | .target] | sort == ["/srv", "/srv/www", "/unit"]'
schema_ok h2k.inspect-1 out
expect 0 "$H2K" inspect -a a.raw -a b.raw
expect_text '^ *mount +/missing  PARTLABEL=not there  ext4  missing: it is on none' out
[ "$(grep -c 'missing: ' out)" = 3 ] || fail "$(cat out)"

# to repair, the same; the notes say what the guest will miss
expect 0 "$H2K" plan -a a.raw -a b.raw
expect_text '^note: guest: /etc/fstab: PARTLABEL=not there \(for /missing\) is missing: ' out
expect_text '^note: guest: /etc/systemd/system/unit.mount: UUID=gone \(for /unit\) is missing: ' out
! grep 'note: .*/optional' out || fail "nofail"
expect_text '^\+UUID=.* /boot ' out
expect_text '^\+UUID=.* /data ' out # the by-path name meant the second disk
[ "$sums" = "$(sha256sum a.raw b.raw)" ] || fail "a disk has changed"

# a copy of the second disk: which one is meant is said
cp --sparse=always b.raw c.raw
expect 0 "$H2K" plan -a a.raw -a b.raw -a c.raw
expect_text '^note: guest: /etc/fstab: 2 volumes are called LABEL=deep \(for /data/deep\): /dev/sdb3 is taken' out
rm c.raw

# one disk only: what is looked at may be incomplete, and /boot is there
expect 0 "$H2K" inspect --json a.raw
mount_is /data null false 'it is on none of the given disks.*'
mount_is /boot /dev/sda2 true ''
expect 0 "$H2K" plan a.raw

# --- /boot is a folder of another file system
guest $'/dev/sda2 /bootpart ext4 noauto,x-systemd.automount 0 2\n/bootpart /boot none bind 0 0'
expect 0 "$H2K" inspect --json -a a.raw -a b.raw
mount_is /boot null true ''
found '.systems[0].boot_config == "/boot/grub/grub.cfg"'
expect 0 "$H2K" plan -a a.raw -a b.raw
check_clean

# --- /boot is missing
guest 'LABEL=boot-disk /boot ext4 defaults 0 2'
expect 0 "$H2K" inspect --json -a a.raw -a b.raw
mount_is /boot null false 'it is on none of the given disks.*'
expect 5 "$H2K" plan -a a.raw -a b.raw
expect_text 'mount /boot of the guest \(LABEL=boot-disk\): it is on none of the given disks'
mkdir fixed
expect 5 "$H2K" offline-fix --output-dir fixed -a a.raw -a b.raw
[ -z "$(find fixed -name '*.qcow2')" ] || fail "a target"
guest 'LABEL=boot-disk /boot ext4 nofail 0 2'
expect 0 "$H2K" plan -a a.raw -a b.raw

# --- a file system that is there but broken
guest '/dev/sda2 /boot ext4 defaults 0 2'
dd if=/dev/urandom of=b.raw bs=1k seek=$((449 * 1024 + 2)) count=2 conv=notrunc status=none
expect 0 "$H2K" inspect --json -a a.raw -a b.raw
mount_is /data/deep /dev/sdb3 false 'mount /dev/sdb3 at /data/deep: .*'
mount_is /home/inner /dev/sdb4 true ''
expect 1 "$H2K" plan -a a.raw -a b.raw
expect_text 'mount /data/deep of the guest'
check_clean
