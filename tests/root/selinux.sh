#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest with SELinux: new files have the labels of its policy, replaced ones keep theirs, and no boot
# that labels everything is needed; without the policy's files one is.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img mkfs.ext4 sfdisk jq python3
may_mount
cd "$T"
mkdir mnt

tiny_tree tree /dev/sda1
mkdir -p tree/etc/selinux/targeted/contexts/files tree/lib/systemd tree/etc/network tree/etc/systemd/system/multi-user.target.wants
printf '# chosen\nSELINUX=enforcing\nSELINUXTYPE=targeted\n' >tree/etc/selinux/config
printf '%s\tsystem_u:object_r:%s:s0\n' '/.*' default_t '/etc(/.*)?' etc_t '/etc/fstab' wrong_t \
    '/etc/systemd/network(/.*)?' net_conf_t '/etc/systemd/system(/.*)?' systemd_unit_file_t \
    >tree/etc/selinux/targeted/contexts/files/file_contexts
printf '\177ELF' >tree/lib/systemd/systemd
mkdir tree/lib/systemd/system
printf '[Service]\n' >tree/lib/systemd/system/vmtoolsd.service
printf 'auto ens192\niface ens192 inet static\n address 192.168.10.20/24\n' >tree/etc/network/interfaces

# guest IMAGE: with the label old_t on everything
guest()
{
    rm -f root.ext4
    truncate -s 48M root.ext4
    mkfs.ext4 -q -F -d tree root.ext4
    mount -o loop root.ext4 mnt
    python3 - mnt <<'END'
import os, sys
for folder, dirs, files in os.walk(sys.argv[1]):
    for name in [folder] + [os.path.join(folder, f) for f in files + dirs]:
        os.setxattr(name, "security.selinux", b"system_u:object_r:old_t:s0\0", follow_symlinks=False)
END
    umount mnt
    truncate -s 50M "$1"
    printf 'label: dos\nstart=2048,type=83\n' | sfdisk -q --no-reread --no-tell-kernel "$1"
    dd if=root.ext4 of="$1" bs=1M seek=1 conv=notrunc,sparse status=none
}
label() { python3 -c 'import os, sys
print(os.getxattr(sys.argv[1], "security.selinux", follow_symlinks=False).rstrip(b"\0").decode().split(":")[2])' "mnt/$1"; }
labelled() { [ "$(label "$1")" = "$2" ] || fail "$1 is $(label "$1"), not $2"; }

guest enforcing.raw
expect 0 "$H2K" inspect --json enforcing.raw
schema_ok h2k.inspect-1 out
jq -e '.systems[0] | .selinux == "enforcing" and .selinux_policy == "targeted"' out >found || fail "$(cat out)"
expect 0 "$H2K" offline-fix --nic ens192=00:50:56:aa:00:01 -O raw -o fixed.raw enforcing.raw
mount -o loop,offset=1048576 fixed.raw mnt
grep -q UUID mnt/etc/fstab || fail "fstab is as it was"
labelled etc/fstab old_t
labelled etc/systemd/system/vmtoolsd.service systemd_unit_file_t
# whatever gives the interface its name
(cd mnt && find etc -type f) | sort >after
(cd tree && find etc -type f) | sort >before
comm -13 before after >added
[ -s added ] || fail "no file that names the interface: $(cat after)"
while read -r new; do
    case $new in
    etc/systemd/network/*) labelled "$new" net_conf_t ;;
    etc/systemd/system/*) labelled "$new" systemd_unit_file_t ;;
    *) labelled "$new" etc_t ;;
    esac
done <added
[ ! -e mnt/.autorelabel ] || fail "a boot that labels everything"
umount mnt
expect 0 "$H2K" plan --exit-code fixed.raw

rm tree/etc/selinux/targeted/contexts/files/file_contexts
guest lost.raw
expect 0 "$H2K" offline-fix -O raw -o relabel.raw lost.raw
mount -o loop,offset=1048576 relabel.raw mnt
[ -e mnt/.autorelabel ] || fail "nothing labels the new files"
labelled etc/systemd/system/vmtoolsd.service old_t
umount mnt
expect 0 "$H2K" plan --exit-code relabel.raw
check_clean
