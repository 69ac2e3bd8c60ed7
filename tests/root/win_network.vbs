' SPDX-License-Identifier: LGPL-2.1-or-later
' Adapters, as Windows' management tells of them, and what is asked of them: Wine's has none.
Class FakeAdapter
    Public Index
    Public MACAddress
    Public NetConnectionID
    Public Description
End Class

Class FakeConfig
    Public SettingID
    Public DHCPEnabled
    Function EnableDHCP()
        WScript.Echo "EnableDHCP"
        EnableDHCP = 0
    End Function
    Function EnableStatic(addresses, masks)
        WScript.Echo "EnableStatic " & Listed(addresses) & " " & Listed(masks)
        EnableStatic = 0
    End Function
    Function SetGateways(gateways, costs)
        WScript.Echo "SetGateways " & Listed(gateways) & " " & costs(0)
        SetGateways = 1
    End Function
    Function SetDNSServerSearchOrder(servers)
        WScript.Echo "SetDNSServerSearchOrder " & Listed(servers)
        SetDNSServerSearchOrder = 0
    End Function
    Function SetDNSDomain(suffix)
        WScript.Echo "SetDNSDomain " & suffix
        SetDNSDomain = 0
    End Function
    Function SetWINSServer(first, second)
        WScript.Echo "SetWINSServer " & first & "," & second
        SetWINSServer = 0
    End Function
    Function SetIPConnectionMetric(metric)
        WScript.Echo "SetIPConnectionMetric " & metric
        SetIPConnectionMetric = 70
    End Function
End Class

Class FakeWmi
    Public list
    Function ExecQuery(query)
        Dim config
        ExecQuery = list
        If InStr(query, "Configuration") > 0 Then
            Set config = New FakeConfig
            config.SettingID = "{NEW}"
            config.DHCPEnabled = InStr(query, "= 9") = 0
            ExecQuery = Array(config)
        End If
    End Function
End Class

Class FakeShell
    Function Run(line, window, wait)
        Run = 0
        If InStr(line, "add address") > 0 And InStr(line, "192.0.2.8") > 0 Then Run = 1
        If InStr(line, "delete") > 0 Then Run = 1
        If InStr(line, "::58 validate") > 0 Or InStr(line, "add route prefix=::/0") > 0 And InStr(line, "::8") > 0 Then Run = 1
    End Function
    Sub RegWrite(name, value, kind)
        WScript.Echo "RegWrite " & name & " " & value
    End Sub
    Sub RegDelete(name)
        WScript.Echo "RegDelete " & name
    End Sub
End Class

Function NewAdapter(index, mac, name)
    Set NewAdapter = New FakeAdapter
    NewAdapter.Index = index
    NewAdapter.MACAddress = mac
    NewAdapter.NetConnectionID = name
    NewAdapter.Description = "Red Hat VirtIO Ethernet Adapter"
End Function

Function Listed(items)
    Dim i
    Listed = ""
    For i = 0 To UBound(items)
        If i > 0 Then Listed = Listed & " "
        Listed = Listed & items(i)
    Next
End Function

Function NewWmi()
    Set NewWmi = New FakeWmi
    NewWmi.list = Array(NewAdapter(7, "00:50:56:AA:BB:CC", "Local Area Connection 2"), NewAdapter(8, "00:50:56:AA:BB:DD", "Local Area Connection 3"), NewAdapter(9, "00:50:56:AA:BB:FF", "LAN 4"))
End Function

Sub RestoreAll
    Restore ("LAN"), ("{AB}"), ("00:50:56:aa:bb:cc"), True, Array(("192.0.2.5"), ("192.0.2.6")), Array(("255.255.255.0"), ("255.255.255.0")), Array(("192.0.2.1"), ("192.0.2.2")), Array(0, 20), Array(("2001:db8::5/64"), ("2001:db8::6/64")), Array(("::/0 fe80::1 0"), ("2001:db8:5::/48 2001:db8::1 20"), ("2001:db8:6::/48 :: 0")), Array(("192.0.2.53")), Array(("2001:db8::53"), ("2001:db8::54")), ("example.org"), Array(("192.0.2.54")), Array(("{CD}")), 0, False, False, False
    Restore ("Refused"), ("{AB}"), ("00:50:56:aa:bb:cc"), True, Array(("192.0.2.7"), ("192.0.2.8")), Array(("255.255.255.0"), ("255.255.255.0")), Array(), Array(), Array(), Array(), Array(), Array(), (""), Array(), Array(("{CD}")), 0, False, False, False
    Restore ("Vista"), ("{AB}"), ("00:50:56:aa:bb:cc"), True, Array(), Array(), Array(), Array(), Array(("2001:db8::8/64")), Array(("::/0 fe80::8 0")), Array(), Array(("2001:db8::58")), (""), Array(), Array(), 0, False, False, False
    Restore ("Names"), ("{AB}"), ("00:50:56:aa:bb:cc"), True, Array(), Array(), Array(), Array(), Array(), Array(), Array(("192.0.2.53")), Array(), (""), Array(), Array(), 0, False, True, False
    Restore ("Same"), ("{new}"), ("00:50:56:aa:bb:ff"), True, Array(("192.0.2.9")), Array(("255.255.255.0")), Array(), Array(), Array(("2001:db8::9/64")), Array(), Array(), Array(), (""), Array(), Array(), 0, False, False, False
    Restore ("LAN 4"), ("{new}"), ("00:50:56:aa:bb:ff"), True, Array(), Array(), Array(), Array(), Array(), Array(), Array(), Array(), (""), Array(), Array(), 0, False, True, True
    Restore ("Other"), (""), ("00:50:56:aa:bb:dd"), False, Array(("192.0.2.7")), Array(("255.255.255.0")), Array(("192.0.2.1")), Array(0), Array(), Array(), Array(), Array(), (""), Array(), Array(), 5, False, False, False
    Restore ("Lost"), (""), ("00:50:56:aa:bb:ee"), False, Array(), Array(), Array(), Array(), Array(), Array(), Array(), Array(), (""), Array(), Array(), 0, False, False, False
    wmi.list = Array(NewAdapter(7, "00:50:56:AA:BB:CC", "LAN 5"))
    Restore ("Lost"), (""), ("00:50:56:aa:bb:ee"), False, Array(), Array(), Array(), Array(), Array(), Array(), Array(), Array(), (""), Array(), Array(), 0, False, False, False
    Restore ("LAN 5"), (""), ("00:50:56:aa:bb:ee"), False, Array(), Array(), Array(), Array(), Array(), Array(), Array(), Array(), ("example.org"), Array(), Array(), 0, True, False, False
End Sub
