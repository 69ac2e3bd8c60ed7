# SPDX-License-Identifier: LGPL-2.1-or-later
# Set the password of the account $name (above), and let it log in.
$missing = $false
if ($create) {
    try {
        $missing = -not [ADSI]::Exists("WinNT://$env:COMPUTERNAME/$name,user")
    } catch { # that is how it says that there is none
        $missing = $true
    }
}
try {
    if ($missing) {
        $user = ([ADSI]"WinNT://$env:COMPUTERNAME,computer").Create('user', $name)
    } else {
        $user = [ADSI]"WinNT://$env:COMPUTERNAME/$name,user"
    }
    $user.SetPassword($password)
    $user.SetInfo()
    $user.UserFlags = $user.UserFlags.Value -band (-bnot 0x12) # disabled, locked
    $user.SetInfo()
} catch {
    Write-Output "$name : $($_.Exception.Message)"
    exit 1
}
Write-Output "$name has a new password"
exit 0
