#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The lists of installed packages: databases that rpm has written, as SQLite, as Berkeley DB (with the
# headers of the former) and in rpm's own format, of apk and of pacman; damage costs only the list.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root rpm rpmbuild db_load python3 mkfs.ext4 jq

# NAME EPOCH VERSION ARCH; the description of the last makes its header longer than a page
while read -r name epoch version arch words; do
    cat >"$T/$name.spec" <<END
Name: $name
${epoch:+Epoch: $epoch}
Version: $version
Release: 1.el9
Summary: a test
License: none
BuildArch: $arch
%description
$(seq "$words")
%files
END
    [ "$epoch" != 0 ] || sed -i /Epoch/d "$T/$name.spec"
    rpmbuild -bb --quiet --target "$arch" --define "_topdir $T/build" --define "_rpmdir $T/rpms" \
        "$T/$name.spec" >"$T/out" 2>&1 || fail "rpmbuild: $(cat "$T/out")"
done <<'END'
zebra 0 1.5 noarch 10
alpha 1 2.0 x86_64 100
kernel-core 0 5.14.0 x86_64 9000
END
mapfile -t rpms < <(find "$T/rpms" -name '*.rpm')
# rpm of Debian warns that it is not Debian's way
rpm --root "$T/made" --dbpath /var/lib/rpm -i --nodeps --justdb --ignorearch "${rpms[@]}" 2>"$T/err"
rpm --root "$T/made" --dbpath /var/lib/rpm -qa --qf '%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE} %{NAME} %{ARCH}\n' \
    2>"$T/err" | sort -k2 >"$T/want"
[ "$(wc -l <"$T/want")" = 3 ] || fail "rpm lists: $(cat "$T/want" "$T/err")"

python3 - "$T" <<'END'
import os, sqlite3, struct, subprocess, sys, zlib
top = sys.argv[1]
rows = sqlite3.connect(f"{top}/made/var/lib/rpm/rpmdb.sqlite").execute("SELECT hnum, blob FROM Packages").fetchall()
assert max(len(blob) for _, blob in rows) > 16384
for kind in "bdb", "bdb-swapped", "ndb":
    os.makedirs(f"{top}/{kind}")

# Berkeley DB's own tool writes it: numbers of packages and their headers
lines = ["VERSION=3", "format=bytevalue", "type=hash", "db_pagesize=4096", "HEADER=END"]
for number, blob in [(0, struct.pack("<I", 9))] + rows:
    lines += [" " + struct.pack("<I", number).hex(), " " + blob.hex()]
for kind, order in ("bdb", "1234"), ("bdb-swapped", "4321"):
    lines.insert(3, f"db_lorder={order}")
    subprocess.run(["db_load", f"{top}/{kind}/Packages"], check=True,
                   input="\n".join(lines + ["DATA=END", ""]).encode())
    del lines[3]

# rpm's lib/backend/ndb/rpmpkg.c: a page of slots, then headers between "BlbS" and "BlbE"
slots, blobs, block = b"", b"", 4096 // 16
for number, blob in rows:
    body = struct.pack("<4sIII", b"BlbS", number, 1, len(blob)) + blob
    body += bytes(-(len(body) + 12) % 16)
    body += struct.pack("<II4s", zlib.adler32(body), len(blob), b"BlbE")
    slots += struct.pack("<4sIII", b"Slot", number, block, len(body) // 16)
    blobs += body
    block += len(body) // 16
slots = struct.pack("<4sIIII12x", b"RpmP", 0, 1, 1, 9) + slots
slots += struct.pack("<4sIII", b"Slot", 0, 0, 0) * ((4096 - len(slots)) // 16)
open(f"{top}/ndb/Packages.db", "wb").write(slots + blobs)
END
mkdir "$T/sqlite"
cp "$T/made/var/lib/rpm/rpmdb.sqlite" "$T/sqlite"

# lists FOLDER FILE...: what h2k finds in a guest with these files in this folder
lists()
{
    local folder=$1
    shift
    rm -rf "$T/tree"
    tiny_tree "$T/tree"
    rm -r "$T/tree/var/lib/dpkg"
    mkdir -p "$T/tree/$folder"
    cp -r "$@" "$T/tree/$folder"
    rm -f "$T/disk.raw"
    tiny_disk "$T/disk.raw" "$T/tree"
    expect 0 "$H2K" inspect --json "$T/disk.raw"
    jq -r '.systems[0].packages[] | "\(.version) \(.name) \(.arch)"' "$T/out" >"$T/got"
}
problem() { jq -r '.systems[0].packages_problem // ""' "$T/out"; }

for kind in sqlite bdb bdb-swapped ndb; do
    lists var/lib/rpm "$T/$kind"/*
    diff "$T/want" "$T/got" || fail "the packages of $kind: $(problem)"
    [ "$(jq -r '.systems[0].package_format' "$T/out") $(problem)" = "rpm " ] || fail "$kind: $(problem)"
    schema_ok h2k.inspect-1 "$T/out"
    # the half of it: what is said is no guess
    head -c "$(($(stat -c %s "$T/$kind"/*) / 2))" "$(echo "$T/$kind"/*)" >"$T/half"
    mkdir -p "$T/broken"
    mv "$T/half" "$T/broken/$(basename "$T/$kind"/*)"
    lists usr/lib/sysimage/rpm "$T/broken"/*
    [ -n "$(problem)" ] || fail "half of $kind: $(cat "$T/got")"
    ! diff "$T/want" "$T/got" >"$T/diff" || fail "half of $kind has everything"
    rm -r "$T/broken"
done
lists var/lib/rpm "$T/want"
[ "$(problem)" = "no package database in /var/lib/rpm" ] || fail "$(problem)"

printf 'C:Q1abc=\nP:musl\nV:1.2.4-r2\nA:x86_64\n\nP:busybox\nV:1.36.1-r5\nA:x86_64\nF:bin\nR:busybox\n\n' >"$T/installed"
lists lib/apk/db "$T/installed"
[ "$(cat "$T/got")" = "$(printf '1.2.4-r2 musl x86_64\n1.36.1-r5 busybox x86_64')" ] || fail "apk: $(cat "$T/got")"
mkdir "$T/bash-5.2.015-1"
printf '%%NAME%%\nbash\n\n%%VERSION%%\n5.2.015-1\n\n%%DESC%%\nThe shell\n\n%%ARCH%%\nx86_64\n' >"$T/bash-5.2.015-1/desc"
echo 9 >"$T/ALPM_DB_VERSION"
lists var/lib/pacman/local "$T/bash-5.2.015-1" "$T/ALPM_DB_VERSION"
[ "$(cat "$T/got") $(jq -r '.systems[0].package_format' "$T/out")" = "5.2.015-1 bash x86_64 pacman" ] ||
    fail "pacman: $(cat "$T/got")"
check_clean
