#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Below a chroot, mount namespaces lead elsewhere: h2k says so and does nothing.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root unshare chroot sfdisk mkfs.ext4

tiny_tree "$T/tree"
tiny_disk "$T/tiny.raw" "$T/tree"
mkdir -p "$T/root"/{usr,etc,proc,dev,sys,run,tmp,t}
for link in bin sbin lib lib64; do ln -s "usr/$link" "$T/root/$link"; done
cp "$H2K" "$T/h2k"
cat >"$T/inside" <<'END'
set -eu
[ "$2" = plain ] || mount --bind "$1/root" "$1/root"
for dir in usr etc proc dev sys run; do mount --rbind "/$dir" "$1/root/$dir"; done
mount --bind "$1" "$1/root/t"
exec chroot "$1/root" env TMPDIR=/tmp /t/h2k inspect /t/tiny.raw
END
for way in plain mounted; do
    expect 4 unshare -m sh "$T/inside" "$T" $way
    expect_text "chroot"
done
check_clean
