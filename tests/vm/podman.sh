#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# In a container of podman, as README.md says it, on a stock kernel: through nbd, FUSE and loop.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
. "$H2K_SRC/tests/lib/container.sh"
requires root qemu-img qemu-system-x86_64 podman crun sfdisk mkfs.ext4 jq mmdebstrap

if [ "${1:-}" != inside ]; then
    container_root
    in_vm -m 2048 -t 500 -- "$0" inside "$root"
    exit 0
fi
root=$2
modprobe -a nbd loop fuse ext4
mount -t cgroup2 cgroup2 /sys/fs/cgroup
tiny_tree "$T/tree"
tiny_disk "$T/tiny.raw" "$T/tree"
make_vmdk "$T/tiny.raw" "$T/tiny.vmdk"
sum=$(sha256sum "$T/tiny.raw" "$T/tiny.vmdk")
mkdir /run/podman

# h2k_in_podman NETWORK ARG...
h2k_in_podman()
{
    local network=$1
    shift
    podman --storage-driver=vfs --root /run/podman/root --runroot /run/podman/run --cgroup-manager=cgroupfs \
        run --rm --privileged --network="$network" --log-driver=none --device /dev/fuse -v "$T:/t" \
        -v "$H2K:/usr/local/sbin/h2k:ro" --rootfs "$root" h2k "$@"
}
# the nbd driver is to be asked in the host's network namespace only
for args in "none inspect --backend loop /t/tiny.raw" "none inspect --backend fuse /t/tiny.vmdk" \
    "none inspect /t/tiny.vmdk" "host inspect --backend nbd /t/tiny.vmdk"; do
    # shellcheck disable=SC2086 # words
    expect 0 h2k_in_podman $args --json
    jq -e '.systems[0].hostname == "tiny"' "$T/out" >"$T/found" || fail "$args: $(cat "$T/out")"
done
expect 4 h2k_in_podman none inspect --backend nbd /t/tiny.vmdk
expect_text "the host's network namespace"
expect 0 h2k_in_podman none doctor
expect 0 h2k_in_podman host offline-fix -o /t/fixed.qcow2 /t/tiny.vmdk
expect 0 "$H2K" plan --exit-code "$T/fixed.qcow2"
[ "$sum" = "$(sha256sum "$T/tiny.raw" "$T/tiny.vmdk")" ] || fail "a source has changed"
! cat /sys/block/nbd*/pid 2>/dev/null || fail "an nbd device is left"
! losetup -n -l | grep . || fail "a loop device is left"
check_clean
