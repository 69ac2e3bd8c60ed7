#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What h2k puts into a Windows for its first start, taken out of the converted disk and started by
# Wine: drivers go to pnputil (a stand-in), the guest agent of virtio-win is installed, and all goes
# away.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img mkntfs ntfs-3g sfdisk jq osslsigncode wixl x86_64-w64-mingw32-gcc
[ -n "${SERVICE:-}" ] || skip "needs a mingw-w64 compiler"
may_mount
. "$H2K_SRC/tests/lib/wine.sh"
cd "$T"

"$H2K_SRC/tests/lib/make-windows" 10 one.raw || fail make-windows
"$H2K_SRC/tests/lib/make-virtio-win" --os w10 vw >/dev/null || fail make-virtio-win
"$H2K_SRC/tests/lib/make-msi" vw/guest-agent/qemu-ga-x86_64.msi 'QEMU guest agent' a1
x86_64-w64-mingw32-gcc -O1 -o "$windows/system32/pnputil.exe" "$H2K_SRC/tests/lib/standin.c" || fail standin.c

for how in wrapper registry; do
    expect 0 "$H2K" offline-fix --firstboot-service "$how" --virtio-win vw --install-agent repository --remove-tools \
        --firstboot-command 'echo moved' --force -o done.raw -O raw one.raw
    read -r start size < <(sfdisk -J done.raw | jq -r '.partitiontable.partitions[1] | "\(.start) \(.size)"')
    dd if=done.raw of=volume.ntfs bs=512 skip="$start" count="$size" conv=sparse status=none
    mkdir -p guest
    ntfs-3g -o ro volume.ntfs guest
    rm -rf "$windows/h2k" "$windows/Drivers"
    cp -r guest/Windows/h2k guest/Windows/Drivers "$windows"
    umount guest

    find "$windows/Drivers/VirtIO" -name '*.inf' | wc -l >drivers
    [ "$(cat drivers)" -gt 5 ] || fail "only $(cat drivers) drivers"
    timeout 200 wine cmd /c 'c:\windows\h2k\firstboot\run.cmd log' </dev/null || :
    for _ in $(seq 60); do
        [ -e "$windows/h2k/firstboot/run.cmd" ] || break
        sleep 0.5
    done
    sed -E 's/\r$//; s,^[0-9/]+ [0-9: ]+[AP]M ,,' "$windows/h2k/firstboot.log" >now
    [ ! -e "$windows/h2k/firstboot/run.cmd" ] || { cat now >&2; fail "run.cmd stays"; }
    [ "$(grep -c '^pnputil /add-driver "C:\\windows\\Drivers\\VirtIO\\.*[.]inf" /install$' now)" = "$(cat drivers)" ] ||
        { cat now >&2; fail "not all drivers are installed"; }
    grep -E '^[0-9]{4}-|^moved$|^all done$' now >steps
    diff -u - steps <<'END' || fail "$how: the first start is not as expected"
1000-drivers.bat starts
1000-drivers.bat ended with 0
3000-guest-agent.bat starts
3000-guest-agent.bat ended with 0
5000-remove-tools.bat starts
5000-remove-tools.bat ended with 0
8000-command.bat starts
moved
8000-command.bat ended with 0
9000-restart-after-crash.bat starts
9000-restart-after-crash.bat ended with 0
all done
END
done
[ -e "$WINEPREFIX/drive_c/Program Files/QEMU guest agent/installed.txt" ] || fail "the agent is not installed"
