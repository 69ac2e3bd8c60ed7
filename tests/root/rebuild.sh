#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --initramfs=rebuild of real guests: their own tools make an initramfs with virtio in a jail, the
# source is not touched, a second plan is empty, nothing of the jail stays in the guest; a tool that
# fails leaves nothing behind. --remove-tools-now, which runs the package manager there, too.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img jq losetup python3

may_mount
cd "$T"
mkdir fixed

# rebuild NAME PROGRAM
rebuild()
{
    local name=$1 program=$2 image before run
    image=$(need_guest "$name")
    before=$(stat -c '%y %s %i' "$image")
    qemu-img create -q -f qcow2 -b "$image" -F raw "$name.qcow2"
    sum=$(sha256sum <"$name.qcow2")

    expect 10 "$H2K" plan --json --exit-code --initramfs=rebuild --allow-backing "${image%/*}" "$name.qcow2"
    schema_ok h2k.plan-1 out
    run=$(jq -c '[.changes[] | select(.action == "run")]' out)
    [ "$(jq length <<<"$run")" = 1 ] || fail "$name: runs $run"
    [ "$(jq '.changes[-1].action' out)" = '"run"' ] || fail "$name: something comes after the run"
    [ "$(jq -r '.[0].argv[0]' <<<"$run")" = "$program" ] || fail "$name: runs $run"

    expect 0 "$H2K" offline-fix --json --initramfs=rebuild --allow-backing "${image%/*}" \
        --output-dir fixed "$name.qcow2"
    schema_ok h2k.report-1 out
    jq -e '.validated and ([.changes[] | select(.action == "run")] | length == 1)' out >/dev/null ||
        fail "$name: the report: $(cat out)"
    [ "$sum" = "$(sha256sum <"$name.qcow2")" ] || fail "$name: the source changed"
    [ "$before" = "$(stat -c '%y %s %i' "$image")" ] || fail "$name: what is below the source changed"
    for how in rebuild inject; do
        expect 0 "$H2K" plan --exit-code --initramfs=$how "fixed/$name.qcow2"
    done
    expect 0 "$H2K" inspect --json "fixed/$name.qcow2"
    jq -e '.systems[0].kernels | length == 1 and .[0].initrd_has_virtio' out >/dev/null ||
        fail "$name: no virtio: $(jq -c '.systems[0].kernels' out)"
    check_clean
}

# what is in folders that the jail covers, and what is new in /boot
look_inside()
{
    qemu-img convert -f qcow2 -O raw "$1" look.raw
    mkdir -p look
    mount -o loop,ro,noload,offset=1048576 look.raw look
    (cd look && find dev proc sys run tmp var/tmp boot -mindepth 1 ! -path 'boot/grub/*' | sort)
    umount look
    rm look.raw
}

rebuild bios-ext4 /usr/sbin/mkinitramfs
look_inside bios-ext4.qcow2 >before
look_inside fixed/bios-ext4.qcow2 >after
diff before after >&2 || fail "something of the jail stayed in the guest"
rm -f fixed/bios-ext4.*

# its tool fails; what it tried to do to the host is refused, and it says so
# shellcheck disable=SC2016 # the hook expands it
hook='#!/bin/sh
[ "$1" = prereqs ] && exit 0
mount -t tmpfs none /mnt && exit 0
mknod /disk b 7 0 && cat /disk && exit 0
echo the hook failed >&2
exit 3'
expect 1 "$H2K" offline-fix --initramfs=rebuild --allow-backing / --output-dir fixed \
    --write "/etc/initramfs-tools/hooks/zz:$hook" --chmod 0755:/etc/initramfs-tools/hooks/zz \
    bios-ext4.qcow2
expect_text 'mkinitramfs of the guest failed with status [0-9]+: .*the hook failed'
[ -z "$(find fixed -name '*.qcow2' -o -name '*.part')" ] || fail "a failed run made $(ls -A fixed)"
[ "$sum" = "$(sha256sum <bios-ext4.qcow2)" ] || fail "a failed run changed the source"
check_clean

# the package manager removes what the old hypervisor needed, and a second plan is empty
expect 0 "$H2K" offline-fix --json --remove-tools-now --allow-backing / --output-dir fixed bios-ext4.qcow2
jq -e '.changes[] | select(.action == "run" and .path == "/usr/bin/dpkg")' out >/dev/null ||
    fail "nothing is removed: $(jq -c .changes out)"
expect 0 "$H2K" plan --exit-code --remove-tools-now fixed/bios-ext4.qcow2
expect 0 "$H2K" inspect --json fixed/bios-ext4.qcow2
jq -e '[.systems[0].packages[].name] | index("dpkg") and (index("open-vm-tools") | not)' out \
    >/dev/null || fail "open-vm-tools is still there"
rm -f fixed/bios-ext4.*
# ... and what is left out by the user stays left out after a run
expect 0 "$H2K" offline-fix --json --only guest-tools --remove-tools-now --allow-backing / \
    --output-dir fixed bios-ext4.qcow2
jq -e '[.changes[].fixer] | unique == ["guest-tools"]' out >/dev/null || fail "$(jq -c .changes out)"
rm -f fixed/bios-ext4.*
check_clean

rebuild dracut-ext4 /usr/bin/dracut
