# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Calls of h2k that fail once, by strace. Needs functions.sh, strace and a folder $T/target for what
# the command makes.

# sets of calls; a test names those it wants
# shellcheck disable=SC2034 # the tests use them
attaching=mount,umount2,unshare,setns,ioctl,fsopen,fsconfig,fsmount,move_mount,mknod,mkdir,clone,clone3,vfork,pipe2,socketpair,flock,pidfd_open
# shellcheck disable=SC2034
syncing=fsync,fdatasync,syncfs,ftruncate,rename,renameat2,linkat
# shellcheck disable=SC2034
files=openat2

keys=() # --key options of the guest

# after_fault STATUS: what must hold after a run in which a call has failed
after_fault()
{
    local what left
    what="$(grep INJECTED "$T/calls" || tail -n 3 "$T/calls"): status $1"
    case $1 in
    0 | [1-8]) ;;
    *) fail "$what: $(tail -n 3 "$T/err")" ;;
    esac
    [ "$1" = 0 ] || [ -s "$T/err" ] || fail "$what, without a word"
    if [ "$1" = 0 ]; then
        left=$(remaining)
        [ -z "$left" ] || fail "$what, left behind: $left"
    elif [ -n "$(leftovers)" ]; then
        # a release that fails leaves a record, so that it can be made up for
        expect 0 "$H2K" cleanup
        left=$(remaining)
        [ -z "$left" ] || fail "$what, left behind after cleanup: $left"
    fi
    # what has its final name is complete: only the report may be missing after that
    if [ "$1" != 0 ] && [ -e "$T/target/disk0-sda.qcow2" ]; then
        expect 0 "$H2K" plan --exit-code "${keys[@]}" -a "$T/target/disk0-sda.qcow2" -a "$T/target/disk0-sdb.qcow2"
    fi
}

# faults STEP CALLS ERROR COMMAND...: each STEP-th of these calls fails once
faults()
{
    local step=$1 calls=$2 error=$3 call n total status runs=0 at=$((RANDOM % $1))
    shift 3
    strace -qq -o "$T/calls" -e signal=none -e trace="$calls" "$@" >"$T/out" 2>"$T/err" ||
        fail "without faults: $(cat "$T/err")"
    rm -rf "$T/target"/*
    sed 's/(.*//' "$T/calls" | sort | uniq -c >"$T/counts"
    while read -r total call; do
        for ((n = 1; n <= total; n++)); do
            [ $((at++ % step)) = 0 ] || continue
            status=0
            timeout 60 strace -qq -o "$T/calls" -e signal=none -e trace="$call" \
                -e inject="$call:error=$error:when=$n" "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
            after_fault $status
            rm -rf "$T/target"/*
            runs=$((runs + 1))
        done
    done <"$T/counts"
    [ "$runs" -gt 2 ] || fail "only $runs runs: $(cat "$T/counts")"
    say "$at calls, $runs of them failed with $error: $SECONDS s"
}
