# SPDX-License-Identifier: LGPL-2.1-or-later
# Give the adapters of $records (above) their addresses again. An adapter is found by its MAC
# address, or by being the only one. It may take a while until its driver works.
$interfaces = 'HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces'
$networks = 'HKLM:\SYSTEM\CurrentControlSet\Control\Network\{4D36E972-E325-11CE-BFC1-08002BE10318}'

function Find-Adapter($record) {
    $all = @(Get-NetAdapter -Physical -ErrorAction SilentlyContinue |
        Where-Object { "$($_.Status)" -ne 'Not Present' })
    if ($record.Mac) {
        $all = @($all | Where-Object { $_.MacAddress -eq $record.Mac })
    }
    if ($all.Count -eq 1) {
        return $all[0]
    }
    return $null
}

function Remove-OldSettings($index) {
    Set-NetIPInterface -InterfaceIndex $index -AddressFamily IPv4 -Dhcp Disabled -ErrorAction Stop
    foreach ($store in 'ActiveStore', 'PersistentStore') {
        Get-NetRoute -InterfaceIndex $index -DestinationPrefix '0.0.0.0/0' -PolicyStore $store `
            -ErrorAction SilentlyContinue | Remove-NetRoute -Confirm:$false -ErrorAction SilentlyContinue
        Get-NetIPAddress -InterfaceIndex $index -AddressFamily IPv4 -PolicyStore $store `
            -ErrorAction SilentlyContinue |
            Remove-NetIPAddress -Confirm:$false -ErrorAction SilentlyContinue
    }
}

# What was set by hand, also by a try before this one; what the network itself gives stays.
function Remove-Manual($index, $family, $any, $gateways) {
    $hops = @($gateways | ForEach-Object { ($_ -split ' ')[0] })
    $hops += @(Get-NetRoute -InterfaceIndex $index -DestinationPrefix $any -PolicyStore PersistentStore `
            -ErrorAction SilentlyContinue | ForEach-Object { $_.NextHop })
    foreach ($hop in $hops) {
        Remove-NetRoute -InterfaceIndex $index -DestinationPrefix $any -NextHop $hop -Confirm:$false `
            -ErrorAction SilentlyContinue
    }
    Get-NetIPAddress -InterfaceIndex $index -AddressFamily $family -PolicyStore PersistentStore `
        -ErrorAction SilentlyContinue | Remove-NetIPAddress -Confirm:$false -ErrorAction SilentlyContinue
    Get-NetIPAddress -InterfaceIndex $index -AddressFamily $family -PrefixOrigin Manual `
        -ErrorAction SilentlyContinue | Remove-NetIPAddress -Confirm:$false -ErrorAction SilentlyContinue
}

function Add-Address($index, $address, $gateway) {
    $ip, $length = $address -split '/'
    $given = @{ InterfaceIndex = $index; IPAddress = $ip; PrefixLength = [int]$length }
    if ($gateway) {
        $given.DefaultGateway = $gateway
    }
    New-NetIPAddress @given -ErrorAction Stop | Out-Null
}

# The first gateway of a kind comes with the first address of that kind: then it is also shown in
# the properties of the connection. A gateway is "ADDRESS METRIC", 0: automatic.
function Add-Addresses($index, $addresses, $gateways, $any) {
    $first = $true
    foreach ($address in $addresses) {
        $gateway = $null
        if ($first -and $gateways.Count -gt 0) {
            $gateway = ($gateways[0] -split ' ')[0]
        }
        Add-Address $index $address $gateway
        $first = $false
    }
    for ($i = 0; $i -lt $gateways.Count; $i++) {
        $hop, $metric = $gateways[$i] -split ' '
        if ($i -gt 0) {
            New-NetRoute -InterfaceIndex $index -DestinationPrefix $any -NextHop $hop -ErrorAction Stop |
                Out-Null
        }
        if ([int]$metric -gt 0) {
            Set-NetRoute -InterfaceIndex $index -DestinationPrefix $any -NextHop $hop `
                -RouteMetric ([int]$metric) -ErrorAction Stop
        }
    }
}

function Set-Names($index, $record) {
    if ($record.Dns.Count -gt 0) {
        Set-DnsClientServerAddress -InterfaceIndex $index -ServerAddresses $record.Dns -ErrorAction Stop
    } elseif ($record.Wanted -and $record.Dhcp) {
        Set-DnsClientServerAddress -InterfaceIndex $index -ResetServerAddresses -ErrorAction Stop
    }
    if ($record.Suffix) {
        Set-DnsClient -InterfaceIndex $index -ConnectionSpecificSuffix $record.Suffix -ErrorAction Stop
    }
    $place = 1
    foreach ($server in $record.Wins) {
        if ($place -eq 1) {
            netsh interface ipv4 set winsservers name=$index source=static address=$server
        } else {
            netsh interface ipv4 add winsservers name=$index address=$server index=$place
        }
        $place++
    }
}

# The adapter that is gone still owns its name and its addresses, and Windows would warn about that
# whenever they are looked at.
function Remove-Ghost($record) {
    if (-not $record.Guid) {
        return
    }
    $key = "$interfaces\$($record.Guid)"
    if (Test-Path $key) {
        Set-ItemProperty -Path $key -Name EnableDHCP -Value 1 -Type DWord
        foreach ($name in 'IPAddress', 'SubnetMask', 'DefaultGateway', 'DefaultGatewayMetric', 'NameServer') {
            Remove-ItemProperty -Path $key -Name $name -ErrorAction SilentlyContinue
        }
    }
    $key = "$networks\$($record.Guid)\Connection"
    if (Test-Path $key) {
        Set-ItemProperty -Path $key -Name Name -Value ($record.Name + ' (old)')
    }
    if ($record.Device -and [Environment]::OSVersion.Version.Build -ge 19041) {
        pnputil /remove-device $record.Device
    }
}

function Restore-Adapter($record, $adapter) {
    $index = $adapter.InterfaceIndex
    $same = $adapter.InterfaceGuid -eq $record.Guid
    if ($same -and -not $record.Wanted) {
        Write-Output "$($record.Name): it is the same adapter as before"
        return
    }
    Write-Output "$($record.Name): $($adapter.InterfaceDescription), $($adapter.MacAddress)"
    if ($record.Addresses.Count -gt 0) {
        Remove-OldSettings $index
        Add-Addresses $index $record.Addresses $record.Gateways '0.0.0.0/0'
    } elseif ($record.Dhcp) {
        Remove-Manual $index IPv4 '0.0.0.0/0' @()
        Set-NetIPInterface -InterfaceIndex $index -AddressFamily IPv4 -Dhcp Enabled -ErrorAction Stop
    }
    if ($record.Addresses6.Count -gt 0 -or $record.Gateways6.Count -gt 0) {
        Remove-Manual $index IPv6 '::/0' $record.Gateways6
        Add-Addresses $index $record.Addresses6 $record.Gateways6 '::/0'
    }
    if ($record.Metric -gt 0) {
        Set-NetIPInterface -InterfaceIndex $index -AddressFamily IPv4 `
            -InterfaceMetric $record.Metric -ErrorAction Stop
    }
    Set-Names $index $record
    if (-not $same) {
        Remove-Ghost $record
    }
    if ($record.Name -and $adapter.Name -ne $record.Name) {
        Rename-NetAdapter -Name $adapter.Name -NewName $record.Name -ErrorAction SilentlyContinue
    }
}

$end = (Get-Date).AddMinutes(5)
while (@($records | Where-Object { -not (Find-Adapter $_) }).Count -gt 0 -and (Get-Date) -lt $end) {
    Start-Sleep -Seconds 3
}
$result = 0
foreach ($record in $records) {
    $adapter = Find-Adapter $record
    if (-not $adapter) {
        Write-Output "$($record.Name): there is no adapter $($record.Mac)"
        $result = 248
        continue
    }
    try {
        Restore-Adapter $record $adapter
    } catch {
        Write-Output "$($record.Name): $_"
        $result = 248
    }
}
exit $result
