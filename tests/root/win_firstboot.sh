#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What Windows guests do at their first start, done by Wine: the service starts with the system and
# runs the scripts in order; a script has three tries, a time limit, and may ask for a restart; what
# was interrupted goes on; in the end all is gone but the log.
. "${H2K_SRC:?}/tests/lib/functions.sh"
[ -n "${SERVICE:-}" ] || skip "needs a mingw-w64 compiler"
. "$H2K_SRC/tests/lib/wine.sh"

guest=$windows/h2k/firstboot
log=$windows/h2k/firstboot.log

# script NAME: from standard input
script() { { echo @echo off; cat; } | crlf "$guest/scripts/$1"; }

# setup IMAGEPATH: all of it anew, with a time limit of three seconds
setup()
{
    rm -rf "$windows/h2k"
    mkdir -p "$guest/scripts"
    sed 's/^set seconds=.*/set seconds=3/' "$H2K_SRC/fixers/windows/scripts/run.cmd" |
        crlf "$guest/run.cmd"
    crlf "$T/service.reg" <<END
REGEDIT4

[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\h2k-firstboot]
"Type"=dword:00000010
"Start"=dword:00000002
"ErrorControl"=dword:00000000
"ObjectName"="LocalSystem"
"ImagePath"="$1"

[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\h2k-firstboot\\Parameters]
"CommandLine"="%SystemRoot%\\\\system32\\\\cmd.exe /c %SystemRoot%\\\\h2k\\\\firstboot\\\\run.cmd"
"Log"="%SystemRoot%\\\\h2k\\\\firstboot.log"
END
    # the service starts with the next wine server only
    timeout 30 wine regedit /s "$(windows_path "$T/service.reg")"
    stop_wine
}

# The log from a start on, without dates and times.
said() { sed -E 's/\r$//; s,^[0-9/]+ [0-9: ]+[AP]M ,,' "$log" 2>/dev/null || :; }

# gone: all files of ours go away, and the service. Wine keeps the one that it runs until it has ended.
gone()
{
    for _ in $(seq 60); do
        if [ -z "$(find "$guest" -type f ! -name run.cmd)" ]; then
            if timeout 30 wine sc query h2k-firstboot >/dev/null; then
                fail "the service is still there"
            fi
            return
        fi
        timeout 30 wine cmd /c exit 2>/dev/null || : # keep it running
        sleep 0.5
    done
    fail "left behind: $(find "$guest" -type f)"
}

# new: what was said since the last time
new() { said | tail -n "+$((seen + 1))"; }

# ended: has it said as much as is expected, and stopped? Of cmd.exe the service manager knows nothing.
ended()
{
    [ "$(new | wc -l)" -ge "$(wc -l <"$T/expected")" ] || return 1
    [ "$kind" = wrapper ] || { sleep 0.5; return 0; }
    ! timeout 30 wine sc query h2k-firstboot 2>/dev/null | grep -q RUNNING
}

# boot [last]: start the system, wait until the scripts have run, and compare the log with standard
# input
boot()
{
    local i
    cat >"$T/expected"
    for i in $(seq 100); do
        timeout 30 wine cmd /c exit 2>/dev/null || : # keep it running
        ! ended || break
        sleep 0.2
    done
    [ "$i" -lt 100 ] || say "the service does not start, or does not stop"
    new >"$T/new"
    diff -u "$T/expected" "$T/new" || fail "$kind: the log is not as expected"
    seen=$(said | wc -l)
    [ -z "${1:-}" ] || gone
    stop_wine
    [ -z "${1:-}" ] || [ ! -e "$guest/run.cmd" ] || fail "run.cmd stays"
}

by_cmd='%SystemRoot%\\system32\\cmd.exe /c start \"\" /b %SystemRoot%\\system32\\cmd.exe /c %SystemRoot%\\h2k\\firstboot\\run.cmd log'

# The service's own program and cmd.exe do the same.
for kind in wrapper registry; do

seen=0
if [ "$kind" = wrapper ]; then
    setup '%SystemRoot%\\h2k\\firstboot\\h2ksvc.exe'
    cp "$SERVICE" "$guest/h2ksvc.exe"
else
    setup "$by_cmd"
fi
script 1000-first.bat <<<"echo first"
script 2000-again.bat <<<"exit /b 249"
script 3000-restart.bat <<<"exit 3010"
script 4000-hangs.bat <<<"ping -n 100 127.0.0.1 >nul"
script 5000-later.bat <<<"exit 248"
script 6000-fails.bat <<<"exit 3"
crlf "$guest/scripts/7000-visual.vbs" <<<"WScript.Quit 7"
script 8000-user.bat <<<"echo user"
boot <<'END'
start
1000-first.bat starts
first
1000-first.bat ended with 0
2000-again.bat starts
2000-again.bat ended with 249
Windows is started again
END
boot <<'END'
start
2000-again.bat starts
2000-again.bat ended with 249
Windows is started again
END
boot <<'END'
start
2000-again.bat starts
2000-again.bat ended with 249
2000-again.bat is given up after three tries
3000-restart.bat starts
3000-restart.bat ended with 3010
Windows is started again
END
# the power fails in a script: one of ours is tried again, one of the user is not
echo 1 >"$guest/state/4000-hangs.bat.running"
echo 1 >"$guest/state/4000-hangs.bat.1"
echo 1 >"$guest/state/8000-user.bat.running"
boot <<'END'
start
4000-hangs.bat was interrupted
4000-hangs.bat starts
4000-hangs.bat ended with 1460
5000-later.bat starts
5000-later.bat ended with 248
6000-fails.bat starts
6000-fails.bat ended with 3
7000-visual.vbs starts
7000-visual.vbs ended with 7
8000-user.bat was interrupted
END
test "$(ls "$guest/scripts")" = 5000-later.bat
boot <<'END'
start
5000-later.bat starts
5000-later.bat ended with 248
END
boot last <<'END'
start
5000-later.bat starts
5000-later.bat ended with 248
5000-later.bat is given up after three tries
all done
END

done

# ---- no more restarts, and what does not end ----

seen=0
setup "$by_cmd"
crlf "$guest/scripts/1000-hangs.vbs" <<<'CreateObject("WScript.Shell").Run "ping -n 100 127.0.0.1", 0, True'
script 2000-restart.bat <<<"exit 1641"
mkdir "$guest/state"
for n in 1 2 3 4 5; do echo $n >"$guest/state/restart.$n"; done
boot last <<'END'
start
1000-hangs.vbs starts
1000-hangs.vbs ended with 1460
2000-restart.bat starts
2000-restart.bat ended with 1641
Windows was started again often enough
all done
END

# a file that is in use for that reason does not keep the service
seen=0
setup "$by_cmd"
script 1000-hangs.bat <<<"ping -n 100 127.0.0.1 >nul"
boot <<'END'
start
1000-hangs.bat starts
1000-hangs.bat ended with 1460
all done
END

# ---- addresses before PowerShell: all but Windows' management is real ----

sed -e 's/^Set shell = .*/Set shell = New FakeShell/' -e 's/DateAdd("n", 5, Now)/Now/' \
    -e 's/^Set wmi = .*/Set wmi = NewWmi/' "$H2K_SRC/fixers/windows/scripts/network.vbs" \
    "$H2K_SRC/tests/root/win_network.vbs" | crlf "$windows/network.vbs"
status=0
timeout 60 wine cscript //nologo 'c:\windows\network.vbs' >"$T/said" 2>"$T/errors" || status=$?
sed 's/\r$//' "$T/said" | sed -E 's,HKLM.*Tcpip6.*[{](AB|CD)[}].,6 ,; s,HKLM.*[{](AB|CD)[}].,,' >"$T/now"
diff -u - "$T/now" <<'END' || fail "addresses are not set as expected"
LAN: Red Hat VirtIO Ethernet Adapter, 00:50:56:AA:BB:CC
netsh interface ipv4 delete address name="Local Area Connection 2" address=192.0.2.5 gateway=all
netsh interface ipv4 delete address name="Local Area Connection 2" address=192.0.2.6 gateway=all
netsh interface ipv4 set address name="Local Area Connection 2" source=static address=192.0.2.5 mask=255.255.255.0 gateway=192.0.2.1
netsh interface ipv4 add address name="Local Area Connection 2" address=192.0.2.6 mask=255.255.255.0
netsh interface ipv4 add address name="Local Area Connection 2" gateway=192.0.2.2 gwmetric=20
netsh interface ipv6 delete address interface="Local Area Connection 2" address=2001:db8::5
netsh interface ipv6 delete address interface="Local Area Connection 2" address=2001:db8::6
netsh interface ipv6 add address interface="Local Area Connection 2" address=2001:db8::5/64
netsh interface ipv6 add address interface="Local Area Connection 2" address=2001:db8::6/64
netsh interface ipv6 delete route prefix=::/0 interface="Local Area Connection 2" nexthop=fe80::1
netsh interface ipv6 add route prefix=::/0 interface="Local Area Connection 2" nexthop=fe80::1
netsh interface ipv6 delete route prefix=2001:db8:5::/48 interface="Local Area Connection 2" nexthop=2001:db8::1
netsh interface ipv6 add route prefix=2001:db8:5::/48 interface="Local Area Connection 2" nexthop=2001:db8::1 metric=20
netsh interface ipv6 delete route prefix=2001:db8:6::/48 interface="Local Area Connection 2"
netsh interface ipv6 add route prefix=2001:db8:6::/48 interface="Local Area Connection 2"
netsh interface ipv6 set dnsserver name="Local Area Connection 2" source=static address=2001:db8::53 validate=no
netsh interface ipv6 add dnsserver name="Local Area Connection 2" address=2001:db8::54 index=2 validate=no
SetDNSServerSearchOrder 192.0.2.53
SetDNSDomain example.org
SetWINSServer 192.0.2.54,
RegWrite EnableDHCP 1
RegDelete IPAddress
RegDelete SubnetMask
RegDelete DefaultGateway
RegDelete DefaultGatewayMetric
RegDelete NameServer
RegDelete 6 NameServer
RegWrite Connection\Name LAN (old)
RegWrite EnableDHCP 1
RegDelete IPAddress
RegDelete SubnetMask
RegDelete DefaultGateway
RegDelete DefaultGatewayMetric
RegDelete NameServer
RegDelete 6 NameServer
netsh interface set interface name="Local Area Connection 2" newname="LAN"
Refused: Red Hat VirtIO Ethernet Adapter, 00:50:56:AA:BB:CC
netsh interface ipv4 delete address name="Local Area Connection 2" address=192.0.2.7 gateway=all
netsh interface ipv4 delete address name="Local Area Connection 2" address=192.0.2.8 gateway=all
netsh interface ipv4 set address name="Local Area Connection 2" source=static address=192.0.2.7 mask=255.255.255.0
netsh interface ipv4 add address name="Local Area Connection 2" address=192.0.2.8 mask=255.255.255.0
address 192.0.2.8 failed with 1
Vista: Red Hat VirtIO Ethernet Adapter, 00:50:56:AA:BB:CC
netsh interface ipv6 delete address interface="Local Area Connection 2" address=2001:db8::8
netsh interface ipv6 add address interface="Local Area Connection 2" address=2001:db8::8/64
netsh interface ipv6 delete route prefix=::/0 interface="Local Area Connection 2" nexthop=fe80::8
netsh interface ipv6 add route prefix=::/0 interface="Local Area Connection 2" nexthop=fe80::8
route ::/0 failed with 1
netsh interface ipv6 set dnsserver name="Local Area Connection 2" source=static address=2001:db8::58 validate=no
netsh interface ipv6 set dnsserver name="Local Area Connection 2" source=static address=2001:db8::58
Names: Red Hat VirtIO Ethernet Adapter, 00:50:56:AA:BB:CC
SetDNSServerSearchOrder 192.0.2.53
RegWrite EnableDHCP 1
RegDelete IPAddress
RegDelete SubnetMask
RegDelete DefaultGateway
RegDelete DefaultGatewayMetric
RegDelete NameServer
RegDelete 6 NameServer
RegWrite Connection\Name Names (old)
netsh interface set interface name="Local Area Connection 2" newname="Names"
Same: it is the same adapter as before
LAN 4: Red Hat VirtIO Ethernet Adapter, 00:50:56:AA:BB:FF
EnableDHCP
netsh interface ip set dns name="LAN 4" source=dhcp
Other: Red Hat VirtIO Ethernet Adapter, 00:50:56:AA:BB:DD
EnableStatic 192.0.2.7 255.255.255.0
SetGateways 192.0.2.1 1
SetIPConnectionMetric 5
metric failed with 70
Lost: there is no adapter 00:50:56:aa:bb:ee
Lost: there is no adapter 00:50:56:aa:bb:ee
LAN 5: Red Hat VirtIO Ethernet Adapter, 00:50:56:AA:BB:CC
SetDNSDomain example.org
END
test "$status" = 248
