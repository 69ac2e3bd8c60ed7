' SPDX-License-Identifier: LGPL-2.1-or-later
' Set the password of the account "name" (above), and let it log in.
Dim user
On Error Resume Next
Set user = GetObject("WinNT://./" & name & ",user")
If Err.Number <> 0 And create Then
    Err.Clear
    Set user = GetObject("WinNT://.,computer").Create("user", name)
End If
user.SetPassword password
user.SetInfo
user.AccountDisabled = False
user.IsAccountLocked = False
user.SetInfo
If Err.Number <> 0 Then
    WScript.Echo name & ": " & Err.Description
    WScript.Quit 1
End If
WScript.Echo name & " has a new password"
