# SPDX-License-Identifier: LGPL-2.1-or-later
# Give the adapters of $records (above) their addresses again. An adapter is found by its MAC
# address, or by being the only one; that is meant as well where the machine had a single one and
# none with that address has come. It may take a while until its driver works. Each try begins
# anew: what one before it has set goes first.
$interfaces = 'HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces'
$interfaces6 = 'HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip6\Parameters\Interfaces'
$networks = 'HKLM:\SYSTEM\CurrentControlSet\Control\Network\{4D36E972-E325-11CE-BFC1-08002BE10318}'
$any4 = '0.0.0.0/0'
$any6 = '::/0'

function Find-Adapter($record, $is_late) {
    $all = @(Get-NetAdapter -Physical -ErrorAction SilentlyContinue |
        Where-Object { "$($_.Status)" -ne 'Not Present' })
    $same = @($all | Where-Object { $_.MacAddress -eq $record.Mac })
    if ($record.Mac -and ($same.Count -gt 0 -or -not ($is_late -and $record.Single))) {
        $all = $same
    }
    if ($all.Count -eq 1) {
        return $all[0]
    }
    return $null
}

# The adapter is there before TCP/IP is bound to it.
function Wait-Interface($index, $family) {
    while (-not (Get-NetIPInterface -InterfaceIndex $index -AddressFamily $family -ErrorAction SilentlyContinue)) {
        if ((Get-Date) -ge $end) {
            throw "$family is not bound to the adapter"
        }
        Start-Sleep -Seconds 3
    }
}

# One step. Where it fails the next ones are tried all the same, and all of them at the next start.
function Invoke-Step($what, $step) {
    try {
        & $step
    } catch {
        Write-Output "$($record.Name): ${what}: $_"
        $script:failed = $true
    }
}

function Remove-OldSettings($index) {
    Set-NetIPInterface -InterfaceIndex $index -AddressFamily IPv4 -Dhcp Disabled -ErrorAction Stop
    foreach ($store in 'ActiveStore', 'PersistentStore') {
        Get-NetRoute -InterfaceIndex $index -DestinationPrefix $any4 -PolicyStore $store `
            -ErrorAction SilentlyContinue | Remove-NetRoute -Confirm:$false -ErrorAction SilentlyContinue
        Get-NetIPAddress -InterfaceIndex $index -AddressFamily IPv4 -PolicyStore $store `
            -ErrorAction SilentlyContinue |
            Remove-NetIPAddress -Confirm:$false -ErrorAction SilentlyContinue
    }
}

function Remove-Route($index, $prefix, $hop) {
    Remove-NetRoute -InterfaceIndex $index -DestinationPrefix $prefix -NextHop $hop -Confirm:$false `
        -ErrorAction SilentlyContinue
}

# What was set by hand, also by a try before this one; what the network itself gives stays.
function Remove-Manual($index, $family, $any) {
    foreach ($route in @(Get-NetRoute -InterfaceIndex $index -DestinationPrefix $any `
                -PolicyStore PersistentStore -ErrorAction SilentlyContinue)) {
        Remove-Route $index $any $route.NextHop
    }
    Get-NetIPAddress -InterfaceIndex $index -AddressFamily $family -PolicyStore PersistentStore `
        -ErrorAction SilentlyContinue | Remove-NetIPAddress -Confirm:$false -ErrorAction SilentlyContinue
    Get-NetIPAddress -InterfaceIndex $index -AddressFamily $family -PrefixOrigin Manual `
        -ErrorAction SilentlyContinue | Remove-NetIPAddress -Confirm:$false -ErrorAction SilentlyContinue
}

# The network may have given the same one.
function Add-Address($index, $address, $gateway) {
    $ip, $length = $address -split '/'
    Remove-NetIPAddress -InterfaceIndex $index -IPAddress $ip -Confirm:$false -ErrorAction SilentlyContinue
    $given = @{ InterfaceIndex = $index; IPAddress = $ip; PrefixLength = [int]$length }
    if ($gateway) {
        $given.DefaultGateway = $gateway
    }
    New-NetIPAddress @given -ErrorAction Stop | Out-Null
}

# A router may announce the same route at any moment; then there is one that is not kept.
function Add-Route($index, $prefix, $hop, $metric) {
    $given = @{ InterfaceIndex = $index; DestinationPrefix = $prefix; NextHop = $hop }
    if ([int]$metric -gt 0) {
        $given.RouteMetric = [int]$metric
    }
    foreach ($last in $false, $false, $true) {
        Remove-Route $index $prefix $hop
        try {
            New-NetRoute @given -ErrorAction Stop | Out-Null
            return
        } catch {
            if ($last) {
                throw
            }
        }
        Start-Sleep -Seconds 1
    }
}

# The first gateway comes with the first address: then it is also shown in the properties of the
# connection. A gateway is "ADDRESS METRIC", 0: automatic.
function Add-Addresses4($index, $addresses, $gateways) {
    for ($i = 0; $i -lt $addresses.Count; $i++) {
        $gateway = $null
        if ($i -eq 0 -and $gateways.Count -gt 0) {
            $gateway = ($gateways[0] -split ' ')[0]
        }
        Add-Address $index $addresses[$i] $gateway
    }
    for ($i = 0; $i -lt $gateways.Count; $i++) {
        $hop, $metric = $gateways[$i] -split ' '
        if ($i -gt 0) {
            Add-Route $index $any4 $hop $metric
        } elseif ([int]$metric -gt 0) {
            Set-NetRoute -InterfaceIndex $index -DestinationPrefix $any4 -NextHop $hop `
                -RouteMetric ([int]$metric) -ErrorAction Stop
        }
    }
}

function Set-Family4($index, $record) {
    if ($record.Addresses.Count -eq 0 -and -not $record.Dhcp -and $record.Metric -eq 0) {
        return
    }
    Wait-Interface $index IPv4
    if ($record.Addresses.Count -gt 0) {
        Remove-OldSettings $index
        Add-Addresses4 $index $record.Addresses $record.Gateways
    } elseif ($record.Dhcp) {
        Remove-Manual $index IPv4 $any4
        Set-NetIPInterface -InterfaceIndex $index -AddressFamily IPv4 -Dhcp Enabled -ErrorAction Stop
    }
    if ($record.Metric -gt 0) {
        Set-NetIPInterface -InterfaceIndex $index -AddressFamily IPv4 `
            -InterfaceMetric $record.Metric -ErrorAction Stop
    }
}

# A route is "PREFIX GATEWAY METRIC"; the gateway of what is on the link is "::".
function Set-Family6($index, $record) {
    if ($record.Addresses6.Count -eq 0 -and $record.Routes6.Count -eq 0) {
        return
    }
    Wait-Interface $index IPv6
    Remove-Manual $index IPv6 $any6
    foreach ($address in $record.Addresses6) {
        Add-Address $index $address $null
    }
    foreach ($route in $record.Routes6) {
        $prefix, $hop, $metric = $route -split ' '
        Add-Route $index $prefix $hop $metric
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
}

function Set-Wins($index, $servers) {
    $place = 1
    foreach ($server in $servers) {
        if ($place -eq 1) {
            netsh interface ipv4 set winsservers name=$index source=static address=$server
        } else {
            netsh interface ipv4 add winsservers name=$index address=$server index=$place
        }
        if ($LASTEXITCODE -ne 0) {
            throw "netsh ended with $LASTEXITCODE"
        }
        $place++
    }
}

function Clear-Addresses($guid) {
    $key = "$interfaces\$guid"
    if (Test-Path $key) {
        Set-ItemProperty -Path $key -Name EnableDHCP -Value 1 -Type DWord
        foreach ($name in 'IPAddress', 'SubnetMask', 'DefaultGateway', 'DefaultGatewayMetric', 'NameServer') {
            Remove-ItemProperty -Path $key -Name $name -ErrorAction SilentlyContinue
        }
    }
    Remove-ItemProperty -Path "$interfaces6\$guid" -Name NameServer -ErrorAction SilentlyContinue
}

# Adapters that are gone still own their names and addresses, and Windows would warn about that
# whenever they are looked at.
function Remove-Ghosts($record) {
    $there = @(Get-NetAdapter -IncludeHidden -ErrorAction SilentlyContinue |
        Where-Object { "$($_.Status)" -ne 'Not Present' } | ForEach-Object { "$($_.InterfaceGuid)" })
    foreach ($guid in @($record.Leftovers | Where-Object { $there -notcontains $_ })) {
        Clear-Addresses $guid
    }
    if (-not $record.Guid -or $there -contains $record.Guid) {
        return
    }
    Clear-Addresses $record.Guid
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
    if ($adapter.InterfaceGuid -eq $record.Guid -and -not $record.Wanted) {
        Write-Output "$($record.Name): it is the same adapter as before"
        return
    }
    Write-Output "$($record.Name): $($adapter.InterfaceDescription), $($adapter.MacAddress)"
    Invoke-Step 'IPv4' { Set-Family4 $index $record }
    Invoke-Step 'IPv6' { Set-Family6 $index $record }
    Invoke-Step 'name servers' { Set-Names $index $record }
    Invoke-Step 'WINS servers' { Set-Wins $index $record.Wins }
    if ($script:failed) {
        return
    }
    Remove-Ghosts $record
    if ($record.Name -and $adapter.Name -ne $record.Name) {
        Rename-NetAdapter -Name $adapter.Name -NewName $record.Name -ErrorAction SilentlyContinue
    }
}

$end = (Get-Date).AddMinutes(5)
while (@($records | Where-Object { -not (Find-Adapter $_ $false) }).Count -gt 0 -and (Get-Date) -lt $end) {
    Start-Sleep -Seconds 3
}
$end = (Get-Date).AddMinutes(1)
$result = 0
foreach ($record in $records) {
    $script:failed = $false
    $adapter = Find-Adapter $record $true
    if (-not $adapter) {
        Write-Output "$($record.Name): there is no adapter $($record.Mac)"
        $result = 248
        continue
    }
    Invoke-Step 'adapter' { Restore-Adapter $record $adapter }
    if ($script:failed) {
        $result = 248
    }
}
exit $result
