' SPDX-License-Identifier: LGPL-2.1-or-later
' Give adapters their addresses again, before PowerShell can: each is given by a call of Restore
' (below). An adapter is found by its MAC address, or by being the only one; that is meant as well
' where the machine had a single one and none with that address has come. It may take a while until
' its driver works.
Option Explicit
Const CLASS_KEY = "{4D36E972-E325-11CE-BFC1-08002BE10318}"
Const CONTROL = "HKLM\SYSTEM\CurrentControlSet\"
Dim shell, wmi, deadline, result, failed
Set shell = CreateObject("WScript.Shell")
Set wmi = GetObject("winmgmts:{impersonationLevel=impersonate}!\\.\root\cimv2")
deadline = DateAdd("n", 5, Now)
result = 0
RestoreAll
WScript.Quit result

Function FindAdapter(mac)
    Dim item, n
    n = 0
    Set FindAdapter = Nothing
    For Each item In wmi.ExecQuery("SELECT * FROM Win32_NetworkAdapter WHERE NetConnectionID IS NOT NULL AND MACAddress IS NOT NULL")
        If mac = "" Or LCase(item.MACAddress) = mac Then
            n = n + 1
            Set FindAdapter = item
        End If
    Next
    If n <> 1 Then Set FindAdapter = Nothing
End Function

Function ConfigOf(adapter)
    Dim item
    For Each item In wmi.ExecQuery("SELECT * FROM Win32_NetworkAdapterConfiguration WHERE Index = " & adapter.Index)
        Set ConfigOf = item
    Next
End Function

Sub Fail(what, code)
    WScript.Echo what & " failed with " & code
    failed = True
    result = 248
End Sub

' What Windows' management answers. 1: done, after a restart
Sub Check(what, code)
    If code <> 0 And code <> 1 Then Fail what, code
End Sub

Function Run(line)
    WScript.Echo line
    Run = shell.Run(line, 0, True)
End Function

Sub CheckRun(what, line)
    Dim code
    code = Run(line)
    If code <> 0 Then Fail what, code
End Sub

' The adapter is there before TCP/IP is bound to it.
Sub WaitForStack(connection)
    Do While shell.Run("netsh interface ipv4 show interfaces interface=""" & connection & """", 0, True) <> 0 And Now < deadline
        WScript.Sleep 3000
    Loop
End Sub

' From NT 6.0 on: WMI would leave out addresses that another adapter has had. What a try before this
' one has set would be refused as being there already, so it goes first.
Sub SetByNetsh(connection, addresses, masks, gateways, metrics)
    Dim i, line
    For i = 0 To UBound(addresses)
        Run "netsh interface ipv4 delete address name=""" & connection & """ address=" & addresses(i) & " gateway=all"
    Next
    For i = 0 To UBound(addresses)
        line = "netsh interface ipv4 add address name=""" & connection & """ address=" & addresses(i) & " mask=" & masks(i)
        If i = 0 Then line = "netsh interface ipv4 set address name=""" & connection & """ source=static address=" & addresses(i) & " mask=" & masks(i)
        If i = 0 And UBound(gateways) >= 0 Then
            line = line & " gateway=" & gateways(0)
            If metrics(0) > 0 Then line = line & " gwmetric=" & metrics(0)
        End If
        CheckRun "address " & addresses(i), line
    Next
    For i = 1 To UBound(gateways)
        line = "netsh interface ipv4 add address name=""" & connection & """ gateway=" & gateways(i)
        If metrics(i) > 0 Then line = line & " gwmetric=" & metrics(i)
        CheckRun "gateway " & gateways(i), line
    Next
End Sub

' A route is "PREFIX GATEWAY METRIC"; the gateway of what is on the link is "::".
Sub SetFamily6(connection, addresses, routes)
    Dim item, parts, where, line
    where = " interface=""" & connection & """"
    For Each item In addresses
        parts = Split(item, "/")
        Run "netsh interface ipv6 delete address" & where & " address=" & parts(0)
    Next
    For Each item In addresses
        CheckRun "address " & item, "netsh interface ipv6 add address" & where & " address=" & item
    Next
    For Each item In routes
        parts = Split(item, " ")
        line = " prefix=" & parts(0) & where
        If parts(1) <> "::" Then line = line & " nexthop=" & parts(1)
        Run "netsh interface ipv6 delete route" & line
        If CLng(parts(2)) > 0 Then line = line & " metric=" & parts(2)
        CheckRun "route " & parts(0), "netsh interface ipv6 add route" & line
    Next
End Sub

' From NT 6.1 on each server would be asked whether it answers, which takes a while; before, netsh
' does not know the word.
Sub SetNames6(connection, servers)
    Dim i, line
    For i = 0 To UBound(servers)
        line = "netsh interface ipv6 add dnsserver name=""" & connection & """ address=" & servers(i) & " index=" & i + 1
        If i = 0 Then line = "netsh interface ipv6 set dnsserver name=""" & connection & """ source=static address=" & servers(i)
        If Run(line & " validate=no") <> 0 Then CheckRun "name server " & servers(i), line
    Next
End Sub

Sub SetByWmi(config, addresses, masks, gateways, metrics)
    Dim i, costs
    costs = metrics
    For i = 0 To UBound(costs)
        If costs(i) = 0 Then costs(i) = 1
    Next
    Check "addresses", config.EnableStatic(addresses, masks)
    If UBound(gateways) >= 0 Then Check "gateways", config.SetGateways(gateways, costs)
End Sub

' Adapters that are gone still own their names and addresses.
Sub ClearAddresses(guid)
    Dim key, value
    key = CONTROL & "Services\Tcpip\Parameters\Interfaces\" & guid & "\"
    On Error Resume Next
    shell.RegWrite key & "EnableDHCP", 1, "REG_DWORD"
    For Each value In Array("IPAddress", "SubnetMask", "DefaultGateway", "DefaultGatewayMetric", "NameServer")
        shell.RegDelete key & value
    Next
    shell.RegDelete CONTROL & "Services\Tcpip6\Parameters\Interfaces\" & guid & "\NameServer"
    On Error GoTo 0
End Sub

Sub ClearGhost(name, guid)
    If guid = "" Then Exit Sub
    ClearAddresses guid
    On Error Resume Next
    shell.RegWrite CONTROL & "Control\Network\" & CLASS_KEY & "\" & guid & "\Connection\Name", name & " (old)", "REG_SZ"
    On Error GoTo 0
End Sub

Sub Restore(name, guid, mac, by_netsh, addresses, masks, gateways, metrics, addresses6, routes6, dns, dns6, suffix, wins, leftovers, metric, is_single, dhcp, wanted)
    Dim adapter, config, second, same, guid_left
    failed = False
    Set adapter = FindAdapter(mac)
    Do While adapter Is Nothing And Now < deadline
        WScript.Sleep 3000
        Set adapter = FindAdapter(mac)
    Loop
    If adapter Is Nothing And is_single Then Set adapter = FindAdapter("")
    If adapter Is Nothing Then
        WScript.Echo name & ": there is no adapter " & mac
        result = 248
        Exit Sub
    End If
    Set config = ConfigOf(adapter)
    same = LCase(config.SettingID) = LCase(guid)
    If same And Not wanted Then
        WScript.Echo name & ": it is the same adapter as before"
        Exit Sub
    End If
    WScript.Echo name & ": " & adapter.Description & ", " & adapter.MACAddress
    If by_netsh Then WaitForStack adapter.NetConnectionID
    If UBound(addresses) >= 0 Then
        If by_netsh Then
            SetByNetsh adapter.NetConnectionID, addresses, masks, gateways, metrics
        Else
            SetByWmi config, addresses, masks, gateways, metrics
        End If
    ElseIf dhcp Then
        If Not config.DHCPEnabled Then Check "DHCP", config.EnableDHCP()
        If UBound(dns) < 0 And wanted Then Run "netsh interface ip set dns name=""" & adapter.NetConnectionID & """ source=dhcp"
    End If
    SetFamily6 adapter.NetConnectionID, addresses6, routes6
    SetNames6 adapter.NetConnectionID, dns6
    If UBound(dns) >= 0 Then Check "name servers", config.SetDNSServerSearchOrder(dns)
    If suffix <> "" Then Check "suffix", config.SetDNSDomain(suffix)
    If UBound(wins) >= 0 Then
        second = ""
        If UBound(wins) >= 1 Then second = wins(1)
        Check "WINS servers", config.SetWINSServer(wins(0), second)
    End If
    If metric > 0 Then Check "metric", config.SetIPConnectionMetric(metric)
    If failed Then Exit Sub
    If Not same Then ClearGhost name, guid
    For Each guid_left In leftovers
        ClearAddresses guid_left
    Next
    If name <> "" And adapter.NetConnectionID <> name Then
        Run "netsh interface set interface name=""" & adapter.NetConnectionID & """ newname=""" & name & """"
    End If
End Sub

