#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# In containers without udev, whose root file system scripts/make-container has made: crun (an OCI
# bundle) with a /dev of its own, /sys and the root file system read-only; all devices allowed, no
# block devices allowed, no FUSE; and systemd-nspawn.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
. "$H2K_SRC/tests/lib/container.sh"
requires root crun systemd-nspawn jq unshare sfdisk mkfs.ext4 qemu-img mmdebstrap

tiny_tree "$T/tree"
tiny_disk "$T/tiny.raw" "$T/tree"
make_vmdk "$T/tiny.raw" "$T/tiny.vmdk"
h2k=$(readlink -e "$H2K")
sum=$(sha256sum "$T/tiny.raw" "$T/tiny.vmdk")

container_root
mkdir "$T/bundle"
crun spec --bundle "$T/bundle"
mv "$T/bundle/config.json" "$T/spec.json"

# in_container FILTER COMMAND...: FILTER changes the configuration (jq)
in_container()
{
    local filter=$1
    shift
    jq --argjson args "$(printf '%s\n' "$@" | jq -R . | jq -s .)" --arg t "$T" --arg h2k "$h2k" --arg root "$root" '
        ["CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK", "KILL",
         "LINUX_IMMUTABLE", "MKNOD", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_ADMIN",
         "SYS_CHROOT", "SYS_PTRACE"] as $names | ($names | map("CAP_" + .)) as $caps
        | .process.terminal = false | .process.args = $args | .process.rlimits = []
        | .root.path = $root
        | .process.env += ["TMPDIR=/tmp"]
        | .process.capabilities = {bounding: $caps, effective: $caps, permitted: $caps}
        | .linux.maskedPaths = [] | .linux.readonlyPaths = []
        | .linux.namespaces |= map(select(.type | IN("pid", "mount", "ipc", "uts")))
        | .linux.resources = {devices: [{allow: true, access: "rwm"}]}
        | .linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 438}]
        | .mounts += [
            {destination: "/run", type: "tmpfs", source: "tmpfs"},
            {destination: "/tmp", type: "tmpfs", source: "tmpfs"},
            {destination: "/usr/local/sbin/h2k", type: "bind", source: $h2k, options: ["bind", "ro"]},
            {destination: "/t", type: "bind", source: $t, options: ["bind"]}]
        | '"$filter" "$T/spec.json" >"$T/bundle/config.json"
    # crun knows pure hierarchies of control groups only
    # shellcheck disable=SC2016 # the inner shell expands
    unshare -m sh -c 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec crun --cgroup-manager=cgroupfs run --bundle "$1" "$2"' \
        - "$T/bundle" "h2k-test-$$"
}

expect 0 in_container . h2k inspect --json /t/tiny.raw
jq -e '.systems[0].hostname == "tiny"' "$T/out" >"$T/found" || fail "$(cat "$T/out")"
expect 0 in_container . h2k inspect --json /t/tiny.vmdk
jq -e '.systems[0].hostname == "tiny"' "$T/out" >"$T/found" || fail "$(cat "$T/out")"
expect 0 in_container . h2k doctor
expect 0 in_container . h2k offline-fix -o /t/fixed.qcow2 /t/tiny.vmdk
expect 0 "$H2K" plan --exit-code "$T/fixed.qcow2"
if [ -e /sys/fs/cgroup/devices/devices.deny ]; then # control groups of the first version
    group=/sys/fs/cgroup/devices/h2k-test-$$
    mkdir "$group"
    on_exit rmdir "$group"
    echo 'b *:* rwm' >"$group/devices.deny"
    no_block() { (echo "$BASHPID" >"$group/cgroup.procs" && in_container . "$@"); }
else
    no_block()
    {
        in_container '.linux.resources.devices = [{allow: false, access: "rwm"},
            {allow: true, type: "c", access: "rwm"}]' "$@"
    }
fi
expect 4 no_block h2k inspect /t/tiny.raw
expect_text "not permitted: this container may not use block devices 7:"
expect 4 in_container '.linux.devices = []' h2k inspect /t/tiny.vmdk
expect_text "/dev/fuse.*10:229"
check_clean
say "crun: $SECONDS s"

nspawn()
{
    systemd-nspawn -q --register=no --keep-unit --machine="h2k-test-$$" -D "$root" --read-only \
        --capability=all --setenv=TMPDIR=/tmp --bind-ro="$h2k:/usr/local/sbin/h2k" --bind="$T:/t" "$@" 2> >(grep -v "bounding set\|nspawn/propagate" >&2)
    local status=$?
    rmdir "/run/systemd/nspawn/propagate/h2k-test-$$" 2>/dev/null || :
    return $status
}
expect 0 nspawn -- h2k inspect --json /t/tiny.raw
jq -e '.systems[0].hostname == "tiny"' "$T/out" >"$T/found" || fail "$(cat "$T/out")"
expect 0 nspawn --bind=/dev/fuse -- h2k inspect --json /t/tiny.vmdk
jq -e '.systems[0].hostname == "tiny"' "$T/out" >"$T/found" || fail "$(cat "$T/out")"
say "systemd-nspawn: $SECONDS s"

[ "$sum" = "$(sha256sum "$T/tiny.raw" "$T/tiny.vmdk")" ] || fail "a source has changed"
check_clean
