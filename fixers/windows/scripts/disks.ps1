# SPDX-License-Identifier: LGPL-2.1-or-later
# Disks that are offline only because of the policy for new ones are used as before.
$failed = 0
foreach ($disk in @(Get-Disk | Where-Object { $_.IsOffline -and "$($_.OfflineReason)" -eq 'Policy' })) {
    Write-Output "disk $($disk.Number) $($disk.FriendlyName): online"
    try {
        Set-Disk -Number $disk.Number -IsOffline $false -ErrorAction Stop
        Set-Disk -Number $disk.Number -IsReadOnly $false -ErrorAction Stop
    } catch {
        Write-Output "$_"
        $failed = 1
    }
}
exit $failed
