# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Helpers of the shell tests. A test starts with
#
#     #!/bin/bash
#     . "${H2K_SRC:?}/tests/lib/functions.sh"
#     requires root qemu-img
#
# and works in "$T", a private folder that is removed at the end. $H2K is the program under test;
# its work folder ($TMPDIR) is inside $T. Exit status: 0 passed, 77 skipped, else failed.

set -eu
: "${H2K:?}" "${H2K_SRC:?}"
test_name=$(basename "$0" .sh)
T=$(mktemp -d "/var/tmp/h2k-$test_name.XXXXXX")
export TMPDIR=$T/tmp
mkdir "$TMPDIR"
on_exit_commands=()

say() { echo "$test_name: $*" >&2; }
fail() { say "FAILED: $*"; exit 1; }
skip() { say "skipped: $*"; exit 77; }

# on_exit COMMAND [ARG...]: run it at the end, whatever happens; the newest first.
on_exit() { on_exit_commands=("$(printf '%q ' "$@")" ${on_exit_commands[@]+"${on_exit_commands[@]}"}); }

# Loop devices of this test, by their files: the numbers are another test's once they are free.
free_own_loops()
{
    local name file
    losetup -l -n -O NAME,BACK-FILE 2>/dev/null | while read -r name file; do
        case $file in "$T"/*) losetup -d "$name" ;; esac
    done
}

run_on_exit()
{
    local status=$? command
    set +e
    for command in ${on_exit_commands[@]+"${on_exit_commands[@]}"}; do eval "$command"; done
    free_own_loops
    rm -rf "$T"
    exit "$status"
}
trap run_on_exit EXIT
trap 'exit 130' INT TERM

# leave_mount DIR: what has just ended may hold its files a moment longer.
leave_mount()
{
    for _ in $(seq 50); do
        umount -R "$1" 2>/dev/null && return
        sleep 0.1
    done
    umount -R "$1"
}

# may_mount: call it before a mount below $T. A program of another test that has a mount namespace of
# its own holds a copy of that mount; where / is private (containers) the copy stays when ours goes,
# and with it the loop device. Below a shared mount it goes too.
may_mount()
{
    mount --bind "$T" "$T"
    mount --make-shared "$T"
    on_exit leave_mount "$T"
    on_exit cd /
    cd "$PWD" # not below the mount that is covered now
}

# requires NAME...: "root", or a program; skips the test when one is not there, or fails it where
# H2K_TEST_STRICT says that scripts/setup was to install all of them.
requires()
{
    local name
    for name in "$@"; do
        if [ "$name" = root ]; then
            [ "$(id -u)" = 0 ] || skip "needs root"
        elif ! command -v "$name" >/dev/null; then
            [ -z "${H2K_TEST_STRICT:-}" ] || fail "scripts/setup does not bring $name"
            skip "needs $name"
        fi
    done
}

# expect STATUS COMMAND [ARG...]: the exit status must be this one. Output: $T/out and $T/err.
expect()
{
    local want=$1 status=0
    shift
    "$@" >"$T/out" 2>"$T/err" || status=$?
    if [ "$status" != "$want" ]; then
        tail -n 30 "$T/out" "$T/err" >&2
        fail "exit status $status instead of $want: $*"
    fi
}

# expect_text PATTERN [FILE]: a line (of the last expect's stderr) matches this extended regex.
expect_text() { grep -Eq -- "$1" "${2:-$T/err}" || { cat "${2:-$T/err}" >&2; fail "no line matches: $1"; }; }

# What h2k holds now on account of this test, one line each: state files that nobody locks, loop
# devices and mounts and processes that use $T or such a session.
leftovers()
{
    local file ours=("$T") pattern pid
    for file in /run/h2k/*; do
        [ -f "$file" ] || continue
        grep -qsF "$T" "$file" || continue
        ours+=("/run/h2k/$(basename "$file")")
        ! flock -n "$file" true || echo "session $file"
    done
    pattern=$(printf '%s\n' "${ours[@]}")
    losetup -l -n -O NAME,BACK-FILE | grep -F "$pattern" | sed 's/^/loop /' || :
    grep -F "$pattern" /proc/mounts | grep -vF " $T " | sed 's/^/mount /' || :
    # one look at all: a program for each process takes a minute on an emulated machine
    grep -slaF -- "$pattern" /proc/[0-9]*/cmdline | while IFS=/ read -r _ _ pid _; do
        case $pid in "$$" | "$BASHPID") continue ;; esac
        tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -F "$pattern" |
            grep -vE "^(bash|grep|sed|/bin/bash) " | sed "s/^/process $pid /" || :
    done
    find "$TMPDIR" -mindepth 1 | sed 's/^/file /'
}

# The leftovers that stay: what is on its way out gets five seconds.
remaining()
{
    local left
    for _ in $(seq 50); do
        left=$(leftovers)
        [ -n "$left" ] || return 0
        sleep 0.1
    done
    echo "$left"
}

# Nothing of ours may be left.
check_clean()
{
    local left
    left=$(remaining)
    [ -z "$left" ] || fail "left behind: $left"
}

# clean_up: h2k cleanup, until nothing is left of a killed h2k. What that had started ends a moment
# later and holds its session until then.
clean_up()
{
    for _ in $(seq 50); do
        timeout 60 "$H2K" cleanup >"$T/out" 2>&1 || fail "cleanup: $(cat "$T/out")"
        [ -n "$(leftovers)" ] || return 0
        sleep 0.1
    done
    fail "left behind after cleanup: $(leftovers)"
}

# need_guest NAME: path of a real guest's image, made if need be (see make-guest). Read-only: copy
# it with copy_image, or put an overlay over it.
need_guest()
{
    [ "$(id -u)" = 0 ] || skip "needs root"
    local made=0
    # packages that are installed in a guest use a folder that is there, too
    TMPDIR=/var/tmp "$H2K_SRC/tests/lib/make-guest" "$1" || made=$?
    [ $made = 0 ] || [ $made = 77 ] || fail "cannot make the guest $1"
    [ $made = 0 ] || skip "the mirror has not the release of $1"
}

copy_image() { cp --sparse=always --no-preserve=mode "$1" "$2"; }

# make_vmdk RAW TARGET [SUBFORMAT]
make_vmdk() { qemu-img convert -f raw -O vmdk -o "subformat=${3:-monolithicSparse}" "$1" "$2"; }

# make_small_guest FILE [MIB [FILL_MIB]]: a raw disk with a Debian in small: enough for inspect and
# offline-fix, far from enough to boot. FILL_MIB of random data lie in it.
make_small_guest()
{
    local tree=$T/small-guest
    mkdir -p "$tree"/{etc/network,boot/grub,bin,sbin,usr/bin,usr/sbin,var/lib/dpkg,lib/modules}
    printf '%s\n' 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"' 'NAME="Debian GNU/Linux"' \
        'VERSION_ID="12"' 'ID=debian' >"$tree/etc/os-release"
    echo "12.5" >"$tree/etc/debian_version"
    echo "small" >"$tree/etc/hostname"
    printf '/dev/sda1 / ext4 errors=remount-ro 0 1\n' >"$tree/etc/fstab"
    printf 'auto ens192\niface ens192 inet static\n    address 192.0.2.10/24\n' \
        >"$tree/etc/network/interfaces"
    printf 'Package: base-files\nStatus: install ok installed\nArchitecture: amd64\nVersion: 12\n\n' \
        >"$tree/var/lib/dpkg/status"
    head -c "${3:-1}M" /dev/urandom >"$tree/fill"
    rm -f "$1"
    truncate -s "${2:-64}M" "$1"
    echo 'start=2048, type=83, bootable' | sfdisk -q --no-reread --label dos "$1"
    mkfs.ext4 -q -F -E offset=1048576 -d "$tree" "$1" "$((${2:-64} - 2))M"
    rm -rf "$tree"
}

# schema_ok NAME FILE...: each line (or the one document) of FILE is valid by docs/schema/NAME.json.
schema_ok()
{
    python3 - "$H2K_SRC/docs/schema" "$@" <<'END' || fail "not valid: $*"
import json, sys, jsonschema
for name, path in zip(sys.argv[2::2], sys.argv[3::2]):
    schema = json.load(open(f"{sys.argv[1]}/{name}.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    text = open(path).read()
    try:
        documents = [json.loads(text)]
    except ValueError:
        documents = [json.loads(line) for line in text.splitlines()]
    assert documents
    for document in documents:
        jsonschema.validate(document, schema, jsonschema.Draft202012Validator)
END
}

# in_vm [VMRUN OPTION...] -- COMMAND...: in a virtual machine with a stock kernel; $T is writable.
in_vm() { "$H2K_SRC/tests/lib/vmrun" -s "$T" "$@"; }

# boot STATUS IMAGE [OPTION...]: h2k boot-test, one at a time; the console goes to stderr when the
# verdict is another one.
boot()
{
    local want=$1 image=$2 status=0
    shift 2
    flock "${H2K_VM_LOCK:-$T/lock}" "$H2K" boot-test --console "$T/console" "$@" "$image" \
        >"$T/out" 2>"$T/err" || status=$?
    say "boot-test: exit status $status: $(tail -n 1 "$T/out")"
    [ "$status" = "$want" ] && return 0
    tail -n 60 "$T/console" >&2 || :
    cat "$T/out" "$T/err" >&2
    fail "boot-test ended with $status instead of $want"
}
