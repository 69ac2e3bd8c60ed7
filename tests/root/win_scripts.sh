#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The scripts that Windows guests get, run by Wine: drivers, the guest agent and the removal of
# other hypervisors' tools, with packages of Windows Installer that are real ones, and a stand-in
# for what Wine has no program for (pnputil).
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires wixl x86_64-w64-mingw32-gcc
. "$H2K_SRC/tests/lib/wine.sh"
cd "$T"
# Wine would take its own
WINEDLLOVERRIDES="$WINEDLLOVERRIDES;certutil.exe,pnputil.exe,wmic.exe,taskkill.exe=n"

drive=$WINEPREFIX/drive_c
scripts=$H2K_SRC/fixers/windows/scripts
guest=$windows/h2k/firstboot
installed='HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall'
x86_64-w64-mingw32-gcc -O1 -o standin.exe "$H2K_SRC/tests/lib/standin.c" || fail "standin.c"
mkdir -p "$guest/state" "$guest/scripts" "$windows/Drivers/VirtIO/more"

# standin PATH: it takes the place of this program
standin() { rm -f "$drive/$1"; cp standin.exe "$drive/$1"; }

# answers: what the stand-ins say and end with, from standard input
answers() { crlf "$drive/answers.txt"; rm -f "$drive/said.txt"; }

# run_script STATUS: script.cmd with what it prints in "now", without dates
run_script()
{
    local status=0
    timeout 120 wine cmd /c 'c:\script.cmd' >now.crlf 2>errors </dev/null || status=$?
    sed 's/\r$//' now.crlf >now
    [ "$status" = $(($1 % 256)) ] || { cat now errors >&2; fail "it ended with $status instead of $1"; }
}

says() { diff -u - now || fail "$1"; }
registry() { timeout 30 wine reg "$@" >/dev/null 2>&1; }

# ---- drivers ----

# drivers WRAPPER: with the service's program, or none; steps may take three seconds
drivers()
{
    rm -f "$guest/h2ksvc.exe"
    [ "$1" != wrapper ] || cp "$SERVICE" "$guest/h2ksvc.exe"
    crlf "$guest/run.cmd" <"$scripts/run.cmd"
    { echo '@set before=/add-driver'; echo '@set behind=/install'
      sed 's/ 300$/ 3/' "$scripts/drivers.cmd"; } | crlf "$drive/script.cmd"
}

standin windows/system32/pnputil.exe
standin windows/system32/certutil.exe
for name in a b c d e more/f; do echo x >"$windows/Drivers/VirtIO/$name.inf"; done
echo x >"$windows/Drivers/VirtIO/h2k-publisher-1.cer"

for kind in ${SERVICE:+wrapper} registry; do
    drivers "$kind"
    answers <<'END'
0|certutil|
3010|\b.inf|
259|\c.inf|
hangs|\d.inf|
1|\e.inf|
0|\f.inf|added
END
    run_script 3010
    says "drivers, $kind" <<'END'
certutil -addstore -f TrustedPublisher "C:\windows\Drivers\VirtIO\h2k-publisher-1.cer"
C:\windows\Drivers\VirtIO\a.inf
pnputil /add-driver "C:\windows\Drivers\VirtIO\a.inf" /install
C:\windows\Drivers\VirtIO\b.inf
pnputil /add-driver "C:\windows\Drivers\VirtIO\b.inf" /install
C:\windows\Drivers\VirtIO\c.inf
pnputil /add-driver "C:\windows\Drivers\VirtIO\c.inf" /install
C:\windows\Drivers\VirtIO\d.inf
pnputil /add-driver "C:\windows\Drivers\VirtIO\d.inf" /install
that failed with 1460
C:\windows\Drivers\VirtIO\e.inf
pnputil /add-driver "C:\windows\Drivers\VirtIO\e.inf" /install
that failed with 1
C:\windows\Drivers\VirtIO\more\f.inf
pnputil /add-driver "C:\windows\Drivers\VirtIO\more\f.inf" /install
added
END
    # a restart is wanted after a failure, too
    answers <<'END'
1|certutil|
1|\b.inf|
1641|\e.inf|
END
    run_script 3010
    grep -qFx 'C:\windows\Drivers\VirtIO\h2k-publisher-1.cer failed with 1' now || fail "certutil's failure is not told"
    answers <<'END'
1|\b.inf|
END
    run_script 1
    answers </dev/null
    run_script 0
    stop_wine
done

# What does not end is found by its command line, and ended: with PowerShell, before that with wmic.
# d is the fifth step: a certificate and three drivers come first.
standin windows/system32/taskkill.exe
standin windows/system32/wbem/wmic.exe
standin windows/system32/WindowsPowerShell/v1.0/powershell.exe
for how in powershell wmic; do
    [ "$how" = powershell ] || rm "$windows/system32/WindowsPowerShell/v1.0/powershell.exe"
    answers <<'END'
hangs|\d.inf|
0|wmic|4242
END
    run_script 1
    grep -vE '^(certutil|pnputil) ' "$drive/said.txt" | sed 's/\r$//' >now
    if [ "$how" = powershell ]; then
        says "ended by PowerShell" <<'END'
powershell -NoProfile -NonInteractive -Command "Get-WmiObject Win32_Process -Filter 'Name=''cmd.exe'' and CommandLine like ''%run.cmd [c]ommand package-5%''' | ForEach-Object { taskkill /f /t /pid $_.ProcessId }"
END
    else # its own head line is no number
        says "ended by wmic" <<'END'
wmic process where "Name='cmd.exe' and CommandLine like '%run.cmd [c]ommand package-5%'" get ProcessId
taskkill /f /t /pid wmic
taskkill /f /t /pid 4242
END
    fi
    stop_wine
done

# without pnputil: it is told, and nothing stops
mv "$windows/system32/pnputil.exe" pnputil.saved
drivers registry
run_script 1
[ "$(grep -c '^that failed with ' now)" = 6 ] || { cat now >&2; fail "a missing program is not told"; }

# an update waits for a restart: first that, the third time they are installed all the same
mv pnputil.saved "$windows/system32/pnputil.exe"
answers </dev/null
registry add 'HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired' /f
try=1 run_script 249
says "an update waits" <<<'an update waits for a restart'
try=3 run_script 0
grep -q 'a.inf' now || fail "no driver is installed after three starts"

# ---- the guest agent ----

crlf "$drive/script.cmd" <"$scripts/agent.cmd"
"$H2K_SRC/tests/lib/make-msi" "$guest/guest-agent.msi" 'QEMU guest agent' a1
run_script 0
[ "$(cat "$drive/Program Files/QEMU guest agent/installed.txt")" = "QEMU guest agent" ] || fail "the agent is not installed"
registry query "$installed\\{00000000-0000-0000-0000-0000000000A1}" /v DisplayName || fail "the agent is not known"
grep -q . "$windows/h2k/guest-agent.log" || fail "Windows Installer wrote no log"
echo damaged >"$guest/guest-agent.msi"
run_script 1627 # no package: Windows says 1620

# Windows Installer is at work: later, and then at the next start
mkdir -p "$drive/first"
standin first/msiexec.exe
sed -i 's/ping -n 16/ping -n 1/' "$drive/script.cmd"
WINEDLLOVERRIDES="$WINEDLLOVERRIDES;msiexec.exe=n"
answers <<<'1618|msiexec|'
WINEPATH='c:\first' run_script 248
[ "$(grep -c 'msiexec /i "C:\\windows\\h2k\\firstboot\\guest-agent.msi" /qn /norestart ' now)" = 20 ] || { cat now >&2; fail "not twenty tries"; }
answers <<'END'
once 1618|msiexec|
once 1618|msiexec|
3010|msiexec|
END
WINEPATH='c:\first' run_script 3010
[ "$(grep -c msiexec now)" = 3 ] || fail "not three tries"
WINEDLLOVERRIDES=${WINEDLLOVERRIDES%;*}

# ---- the old hypervisor's tools ----

install() { timeout 60 wine msiexec /i "$(windows_path "$1")" /qn "${@:2}" || fail "$1 is not installed"; }
add() { registry add "$installed\\$1" /v "$2" /d "$3" /t "${4:-REG_SZ}" /f; }
gone() { ! registry query "$installed\\$1" /v DisplayName || fail "$2 is still installed"; }

"$H2K_SRC/tests/lib/make-msi" "$T/xen.msi" 'XenServer PV Tools' b1
"$H2K_SRC/tests/lib/make-msi" "$T/vmware.msi" 'VMware Tools' b2 INSIDE
"$H2K_SRC/tests/lib/make-msi" "$T/other.msi" 'VMware Remote Console' b3
install "$T/xen.msi"
install "$T/vmware.msi" INSIDE=1
install "$T/other.msi"
mkdir -p "$drive/Program Files/VMware/VMware Tools" "$drive/Program Files/Guest Additions"
echo x >"$drive/Program Files/VMware/VMware Tools/vmtoolsd.exe"
timeout 30 wine sc create VMTools binPath= 'c:\windows\system32\svchost.exe' >/dev/null
run='HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run'
registry add "$run" /v 'VMware User Process' /d x /f
add '{11111111-2222-3333-4444-555555555555}' DisplayName 'Some & other (program)'
add Additions DisplayName 'Oracle VM VirtualBox Guest Additions 7.0.1'
add Additions UninstallString 'c:\windows\system32\cmd.exe /c exit 3010'
standin 'Program Files/Guest Additions/uninst.exe'
add Quotes DisplayName 'Oracle VM VirtualBox Guest Additions 4.0'
add Quotes UninstallString 'C:\Program Files\Guest Additions\uninst.exe'
add Variables DisplayName 'Oracle VM VirtualBox Guest Additions 5.0'
add Variables UninstallString '%ProgramFiles%\Guest Additions\uninst.exe' REG_EXPAND_SZ
answers <<<'2|uninst|'
crlf "$drive/script.cmd" <"$scripts/remove-tools.cmd"
run_script 3010
says "the tools are not removed as expected" <<'END'
c:\windows\system32\cmd.exe /c exit 3010 /S
"C:\Program Files\Guest Additions\uninst.exe" /S _?=C:\Program Files\Guest Additions
uninst /S _?=C:\Program Files\Guest Additions
that failed with 2
"C:\Program Files\Guest Additions\uninst.exe" /S _?=C:\Program Files\Guest Additions
uninst /S _?=C:\Program Files\Guest Additions
that failed with 2
XenServer PV Tools
VMware Tools
that failed with 1603
VMware's package does not remove itself: its parts are
VMTools
reg: The operation completed successfully
END
gone '{00000000-0000-0000-0000-0000000000B1}' "XenServer's package"
gone '{00000000-0000-0000-0000-0000000000B2}' "VMware's package"
[ ! -e "$drive/Program Files/XenServer PV Tools/installed.txt" ] || fail "XenServer's file stays"
[ ! -e "$drive/Program Files/VMware/VMware Tools" ] || fail "VMware's folder stays"
! timeout 30 wine sc query VMTools >/dev/null || fail "VMware's service stays"
! registry query "$run" /v 'VMware User Process' || fail "VMware's program is still started"
registry query "$installed\\{00000000-0000-0000-0000-0000000000B3}" /v DisplayName || fail "another program of VMware is gone"
[ -e "$drive/Program Files/VMware Remote Console/installed.txt" ] || fail "a file of it is gone"

# a second time there is nothing to do but for what failed
run_script 3010
