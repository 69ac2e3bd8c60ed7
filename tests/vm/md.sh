#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# md arrays of every level, layout and metadata format, made by mdadm and the kernel's md, filled and
# stopped; h2k reads them without md, complete, degraded and dirty, and writes to overlays of some.
# The members stay as they are, and so does the host, which runs an array with the same UUID beside
# udevd. MD_ALL=1: also the layouts that differ from others in their parity only.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
. "$H2K_SRC/tests/lib/lvm-guest.sh"
requires root qemu-img qemu-system-x86_64 mdadm losetup sfdisk mkfs.ext4 jq lvm
: "${VOLUME_CHECK:?}"

if [ "${1:-}" != inside ]; then
    head -c 48M /dev/urandom >"$T/data"
    lvm_disk "$T/group" legs 8
    lvm_offline lvcreate -an -Zn -Wn -n leg -L 4M legs
    lvm_done
    in_vm -u -m 2048 -t 1400 -- "$0" inside "$T/data" "$T/group"
    exit 0
fi
data=$2 group=$3

# loops FILE...: loop devices on them, as $loops
loops()
{
    local file
    loops=()
    for file in "$@"; do loops+=("$(losetup -f --show "$file")"); done
}

stop()
{
    local try
    for try in $(seq 50); do
        ! mdadm --quiet --stop "$1" 2>"$T/stop" || break
        [ "$try" != 50 ] || fail "stop $1: $(cat "$T/stop")"
        sleep 0.1
    done
    losetup -d "${loops[@]}"
}

# make NAME MEMBERS MDADM-OPTION...: an array of that name with known content; files NAME.0 ...
# UNEQUAL: each member is larger than the one before. DIRTY: the files are those of an array in use.
make()
{
    local name=$1 n=$2 files=() i md
    shift 2
    for ((i = 0; i < n; i++)); do
        files+=("$T/$name.$i")
        truncate -s $((4096 + i * ${UNEQUAL:-0}))K "$T/$name.$i"
    done
    loops "${files[@]}"
    mdadm --quiet --create "/dev/md/$name" --run --force --assume-clean --name="$name" "$@" \
        --raid-devices="$n" "${loops[@]}" </dev/null || fail "mdadm cannot make $name"
    md=$(readlink -f "/dev/md/$name")
    head -c "$(blockdev --getsize64 "$md")" "$data" >"$T/$name.content"
    if [ -n "${DIRTY:-}" ]; then
        echo 0 >"/sys/block/${md##*/}/md/safe_mode_delay"
        dd if="$T/$name.content" of="$md" bs=1M oflag=direct status=none
        for ((i = 0; i < n; i++)); do cp "$T/$name.$i" "$T/$name.copy"; mv "$T/$name.copy" "$T/$name.$i.dirty"; done
        stop "$md"
        for ((i = 0; i < n; i++)); do mv "$T/$name.$i.dirty" "$T/$name.$i"; done
    else
        dd if="$T/$name.content" of="$md" bs=1M oflag=direct status=none
        stop "$md"
    fi
    made+=("$name:$n")
}

# reads NAME EXPECTED-TEXT MEMBER...: h2k has the content of NAME from these members
reads()
{
    local name=$1 want=$2 files=() i
    shift 2
    for i in "$@"; do files+=("$T/$name.$i"); done
    "$VOLUME_CHECK" read "$T/$name.content" "${files[@]}" >"$T/out" 2>"$T/err" ||
        fail "$name of $*: $(cat "$T/out" "$T/err"; dmesg | tail -n 5)"
    grep -q -- "^/dev/md[^ ]* $want$" "$T/out" || fail "$name of $*: $(cat "$T/out")"
    n_read=$((n_read + 1))
}

# refuses NAME STATUS TEXT MEMBER...
refuses()
{
    local name=$1 want=$2 text=$3 files=() i
    shift 3
    for i in "$@"; do files+=("$T/$name.$i"); done
    "$VOLUME_CHECK" problem "${files[@]}" >"$T/out" 2>"$T/err" || fail "$name of $*: $(cat "$T/err")"
    grep -q "^$want .*$text" "$T/out" || fail "$name of $*: $(cat "$T/out")"
    n_read=$((n_read + 1))
}

# full NAME FILE...: the overlays cannot take what is written; that is an error and no hang
full()
{
    local name=$1 status=0
    shift
    mkdir "$T/full"
    mount -t tmpfs -o size=2M none "$T/full"
    cp "$T/$name.content" "$T/written"
    timeout 60 "$VOLUME_CHECK" write "$T/written" "$T/full" "$@" >"$T/out" 2>"$T/err" || status=$?
    case $status in
    0 | 124) fail "$name on a full file system: status $status: $(cat "$T/out" "$T/err")" ;;
    esac
    umount "$T/full"
    rmdir "$T/full"
    check_clean
}

# writes NAME MEMBERS: what h2k writes is on every copy, and the parity is right
writes()
{
    local name=$1 n=$2 files=() copies=() i md
    for ((i = 0; i < n; i++)); do files+=("$T/$name.$i"); done
    mkdir "$T/$name.overlays"
    cp "$T/$name.content" "$T/written"
    "$VOLUME_CHECK" write "$T/written" "$T/$name.overlays" "${files[@]}" >"$T/out" 2>"$T/err" ||
        fail "write $name: $(cat "$T/out" "$T/err"; dmesg | tail -n 5)"
    for ((i = 0; i < n; i++)); do
        qemu-img convert -f qcow2 -O raw "$T/$name.overlays/$i.qcow2" "$T/$name.overlays/$i"
        copies+=("$T/$name.overlays/$i")
    done
    loops "${copies[@]}"
    udevadm settle
    mdadm --quiet --stop --scan
    mdadm --quiet --assemble /dev/md/check "${loops[@]}" 2>"$T/err" || fail "assemble what was written to $name: $(cat "$T/err")"
    md=$(readlink -f /dev/md/check)
    cmp "$md" "$T/written" || fail "$name does not hold what was written"
    echo check >"/sys/block/${md##*/}/md/sync_action"
    mdadm --wait "$md" || :
    [ "$(cat "/sys/block/${md##*/}/md/mismatch_cnt")" = 0 ] || fail "$name: copies or parity differ"
    stop "$md"
    rm -r "$T/$name.overlays"
}

sums() { (cd "$T" && sha256sum ./*.[0-9]); }
host()
{
    cat /proc/mdstat /proc/mounts
    dmsetup table
    losetup -n -l -O NAME,BACK-FILE | sort
    find /dev/disk /dev/md -type l ! -path "*/by-diskseq/*" -printf "%p %l\n" | sort
}

modprobe -a nbd loop md_mod raid0 raid1 raid10 raid456 linear dm-mod
made=() n_read=0

# udevd only makes this slow
udevadm control --stop-exec-queue
export MDADM_NO_UDEV=1

for format in 0.90 1.0 1.1 1.2; do make "raid1-$format" 2 --level=1 --metadata=$format; done
UNEQUAL=512 make linear 3 --level=linear --metadata=1.2
UNEQUAL=512 make linear-0.90 3 --level=linear --metadata=0.90
make raid0 2 --level=0 --metadata=1.2 --chunk=16
UNEQUAL=512 make raid0-original 4 --level=0 --metadata=1.1 --chunk=64 --layout=original
UNEQUAL=512 make raid0-alternate 4 --level=0 --metadata=1.0 --chunk=64 --layout=alternate
make raid4 3 --level=4 --metadata=1.2 --chunk=16
make raid5-0.90 3 --level=5 --metadata=0.90 --chunk=64
for layout in la ra ls rs parity-first parity-last; do
    make "raid5-$layout" 3 --level=5 --metadata=1.2 --chunk=16 --layout=$layout
done
raid6=(ls ra ddf-N-restart)
[ -z "${MD_ALL:-}" ] || raid6+=(la rs parity-first parity-last ddf-zero-restart ddf-N-continue
    left-asymmetric-6 right-asymmetric-6 left-symmetric-6 right-symmetric-6 parity-first-6)
for layout in "${raid6[@]}"; do
    make "raid6-$layout" 5 --level=6 --metadata=1.2 --chunk=16 --layout="$layout"
done
for layout in n2 f2 o2; do
    make "raid10-$layout" 4 --level=10 --metadata=1.2 --chunk=16 --layout=$layout
done
for layout in n2 o2; do
    make "raid10-$layout-3" 3 --level=10 --metadata=1.2 --chunk=64 --layout=$layout
done
DIRTY=1 make raid1-dirty 2 --level=1 --metadata=1.2
DIRTY=1 make raid4-dirty 3 --level=4 --metadata=1.2 --chunk=16
DIRTY=1 make raid5-dirty 3 --level=5 --metadata=1.2 --chunk=16
DIRTY=1 make raid6-dirty 4 --level=6 --metadata=1.2 --chunk=16
DIRTY=1 make raid10-dirty 4 --level=10 --metadata=1.2 --chunk=16
DIRTY=1 make raid0-in-use 2 --level=0 --metadata=1.2 --chunk=16 # has nothing to be in step
udevadm control --start-exec-queue
unset MDADM_NO_UDEV
udevadm settle
say "${#made[@]} arrays made: $SECONDS s"

# the host has an array with the same UUID, and udevd has seen it
cp "$T/raid5-ls.0" "$T/host-0"
cp "$T/raid5-ls.1" "$T/host-1"
cp "$T/raid5-ls.2" "$T/host-2"
loops "$T/host-0" "$T/host-1" "$T/host-2"
host_loops=("${loops[@]}")
udevadm settle
mdadm --quiet --stop --scan
mdadm --quiet --assemble --readonly /dev/md/host --name=raid5-ls "${host_loops[@]}" || fail "the host's array"
udevadm settle
host_before=$(host)
grep -q "^md.*active" /proc/mdstat || fail "no array on the host: $host_before"
before=$(sums)

none=''
missing() { echo "[a-z0-9]* array with $1 of $2 members missing or out of date"; }
for array in "${made[@]}"; do
    name=${array%:*} n=${array#*:} members=$(seq 0 $((${array#*:} - 1))) why=$none
    case $name in
    *-dirty) why="[a-z0-9]* array that was not stopped cleanly" ;;
    raid6*) why="raid6 array, whose parity can be kept up to date by the guest only" ;;
    esac
    # shellcheck disable=SC2086 # words
    reads "$name" "$why" $members
done
say "read whole: $SECONDS s"

reads raid1-1.2 "$(missing 1 2)" 1
reads raid1-0.90 "$(missing 1 2)" 0
reads raid1-1.0 "$(missing 1 2)" 1
reads raid1-1.1 "$(missing 1 2)" 0
reads raid1-dirty "$(missing 1 2)" 1
for layout in la ls parity-first; do reads "raid5-$layout" "$(missing 1 3)" 0 2; done
reads raid4 "$(missing 1 3)" 0 1
reads raid5-ls "$(missing 1 3)" 2 1
reads raid10-n2 "$(missing 2 4)" 1 2
reads raid10-f2 "$(missing 2 4)" 3 1
reads raid10-o2 "$(missing 2 4)" 0 2
reads raid10-dirty "$(missing 1 4)" 3 1 0
reads raid10-n2-3 "$(missing 1 3)" 1 0
reads raid10-o2-3 "$(missing 1 3)" 1 2
reads raid6-ddf-N-restart "$(missing 1 5)" 0 1 3 4
reads raid6-ddf-N-restart "$(missing 2 5)" 4 3 1
for layout in "${raid6[@]}"; do # md's own layouts are rebuilt row by row
    reads "raid6-$layout" "$(missing 1 5)" 0 1 2 3
    reads "raid6-$layout" "$(missing 2 5)" 4 0 2
done
refuses raid4-dirty 5 "degraded and was not stopped cleanly" 1 2
refuses raid5-dirty 5 "degraded and was not stopped cleanly" 0 1
refuses raid6-dirty 5 "degraded and was not stopped cleanly" 0 1 3
refuses raid5-ls 1 "2 of its 3 members" 1
refuses raid0 1 "1 of its 2 members" 0
refuses raid10-n2 1 "missing members only" 2 3
refuses linear 1 "1 of its 3 members" 0 2
# on partitions of one disk
truncate -s 16M "$T/raid5-ls.parts"
printf '%s\n' "label: gpt" start=2048,size=4M start=10240,size=4M start=18432,size=4M |
    sfdisk -q --no-reread --no-tell-kernel "$T/raid5-ls.parts"
for i in 0 1 2; do
    dd if="$T/raid5-ls.$i" of="$T/raid5-ls.parts" bs=1M seek=$((1 + 4 * i)) conv=notrunc status=none
done
reads raid5-ls "$none" parts
# and one on a logical volume
cp "$group" "$T/raid5-ls.group"
dd if="$T/raid5-ls.0" of="$T/raid5-ls.group" bs=1M seek=1 conv=notrunc status=none
reads raid5-ls "$none" 2 group 1
say "read degraded: $SECONDS s, $n_read in all"

[ "$before" = "$(sums)" ] || fail "a member has changed"
udevadm settle
[ "$host_before" = "$(host)" ] || { host; fail "the host has changed; before: $host_before"; }
stop "$(readlink -f /dev/md/host)"

for name in raid1-1.2 raid5-ls raid10-f2; do full "$name" "$T/$name".[0-9]; done
writes raid1-1.2 2
writes raid5-ls 3
writes raid10-f2 4
say "written: $SECONDS s"

# a guest on a partition of an array over whole disks, repaired: md finds the parity right
tiny_tree "$T/tree" /dev/md/root1
for ((i = 0; i < 3; i++)); do truncate -s 28M "$T/root$i.raw"; done
loops "$T"/root?.raw
mdadm --quiet --create /dev/md/root --run --assume-clean --name=root --level=5 --metadata=1.2 \
    --chunk=16 --raid-devices=3 "${loops[@]}"
md=$(readlink -f /dev/md/root)
printf 'label: gpt\nstart=2048,size=98304\n' | sfdisk -q --no-reread --no-tell-kernel "$md"
mkfs.ext4 -q -F -E offset=1048576 -d "$T/tree" "$md" 48M
stop "$md"
rm -r "$T/tree"
expect 0 "$H2K" inspect --json -a "$T/root0.raw" -a "$T/root1.raw" -a "$T/root2.raw"
jq -e '.systems[0] | .root == "/dev/md/root1" and .mounts[0].device == "/dev/md/root1"' "$T/out" \
    >"$T/found" || fail "the guest on an array: $(cat "$T/out")"
mkdir "$T/fixed"
expect 0 "$H2K" offline-fix --backend nbd --output-dir "$T/fixed" -O raw \
    -a "$T/root0.raw" -a "$T/root1.raw" -a "$T/root2.raw"
loops "$T"/fixed/*.raw
udevadm settle
mdadm --quiet --stop --scan
mdadm --quiet --assemble /dev/md/check "${loops[@]}" || fail "assemble the repaired guest's disks"
md=$(readlink -f /dev/md/check)
echo check >"/sys/block/${md##*/}/md/sync_action"
mdadm --wait "$md" || :
[ "$(cat "/sys/block/${md##*/}/md/mismatch_cnt")" = 0 ] || fail "the repaired guest's parity differs"
e2fsck -fn "$md?offset=1048576" >"$T/fsck" 2>&1 || fail "the repaired guest: $(cat "$T/fsck")"
stop "$md"
say "guest: $SECONDS s"

# killed with devices in use
for how in "" --orphans; do
    "$VOLUME_CHECK" hold "$T/raid5-ls.content" "$T/raid5-ls.0" "$T/raid5-ls.1" "$T/raid5-ls.2" >"$T/hold" &
    holder=$!
    for _ in $(seq 600); do ! grep -q ready "$T/hold" || break; sleep 0.1; done
    [ "$(dmsetup ls | grep -c h2k)" = 4 ] || fail "no devices to leave behind: $(dmsetup ls)"
    kill -KILL $holder
    wait $holder || :
    udevadm settle -t 3 || : # a locked device stays in its queue
    ! grep -q loop /proc/mdstat || fail "the host has taken members of a killed run: $(cat /proc/mdstat)"
    [ -z "$how" ] || rm /run/h2k/????????
    # shellcheck disable=SC2086 # none or one
    expect 0 "$H2K" cleanup $how
    ! dmsetup ls | grep h2k || fail "cleanup $how has left: $(dmsetup ls)"
done
say "killed: $SECONDS s"

[ "$before" = "$(sums)" ] || fail "a member has changed"
! dmsetup ls | grep h2k || fail "left behind: $(dmsetup ls)"
check_clean
