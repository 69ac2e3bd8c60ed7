#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is found in a Windows, from 2000 to Server 2025; which of several is meant; and what a guest
# without drivers for virtio is given.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/tiny-guest.sh"
requires root qemu-img python3 mkntfs ntfs-3g mkfs.vfat mcopy mkfs.ext4 sfdisk jq
may_mount
cd "$T"
make_windows() { "$H2K_SRC/tests/lib/make-windows" "$@" || fail "make-windows $*"; }
found() { jq -e "$1" out >/dev/null || fail "${2:-}: not so: $1: $(jq -c .systems out)"; }

# inspected VARIANT [OPTION...]: the only system
inspected()
{
    local variant=$1
    shift
    make_windows "$@" "$variant" one.raw
    expect 0 "$H2K" inspect --json one.raw
    found '.systems | length == 1' "$variant $*"
}

# variant options | product name | version | arch | root | firmware | loader | edition, server | SP
while IFS='|' read -r variant options product version arch root firmware loader edition server sp; do
    # shellcheck disable=SC2086 # options are words
    inspected "$variant" $options
    jq -r '.systems[0] | [.product_name, .version_text, .arch, .root, .firmware, .boot_loader,
        .windows.edition, (.windows.server | tostring), .windows.service_pack] | join("|")' out >got
    echo "$product|$version|$arch|$root|$firmware|$loader|$edition|$server|$sp" | diff - got ||
        fail "$variant $options"
    found '.systems[0] | .type == "windows" and .distro == "windows" and .hostname == "WIN-PHONY" and
        .timezone == "W. Europe Standard Time" and (.packages | length > 0)' "$variant"
    # shellcheck disable=SC2016 # jq's own variable
    found '.systems[0].root as $root | .systems[0].windows | .control_sets == ["ControlSet001"] and
        .boot_default and .boot_entry != "" and .notes == [] and .tools == [] and
        (.hive_dirty or .hibernated or .bitlocker or .has_virtio_net | not) and
        .drives[0] == {letter: "C", device: $root}' "$variant"
done <<'TABLE'
2000||Microsoft Windows 2000|5.0.2195|i386|/dev/sda1|bios|ntldr||false|Service Pack 4
xp||Microsoft Windows XP|5.1.2600|i386|/dev/sda1|bios|ntldr||false|Service Pack 3
2003|--arch amd64|Microsoft Windows Server 2003|5.2.3790|x86_64|/dev/sda1|bios|ntldr||true|Service Pack 2
vista||Windows Vista (TM) Business|6.0.6002|i386|/dev/sda1|bios|bootmgr|Business|false|Service Pack 2
2008||Windows Server (R) 2008 Standard|6.0.6002|x86_64|/dev/sda1|bios|bootmgr|ServerStandard|true|Service Pack 2
7|--arch x86|Windows 7 Professional|6.1.7601|i386|/dev/sda2|bios|bootmgr|Professional|false|Service Pack 1
7|--uefi|Windows 7 Professional|6.1.7601|x86_64|/dev/sda3|uefi|bootmgr|Professional|false|Service Pack 1
2008r2||Windows Server 2008 R2 Standard|6.1.7601|x86_64|/dev/sda2|bios|bootmgr|ServerStandard|true|Service Pack 1
8||Windows 8 Pro|6.2.9200|x86_64|/dev/sda2|bios|bootmgr|Professional|false|
2012r2||Windows Server 2012 R2 Standard|6.3.9600.17415|x86_64|/dev/sda2|bios|bootmgr|ServerStandard|true|
8.1|--uefi|Windows 8.1 Pro|6.3.9600.17415|x86_64|/dev/sda3|uefi|bootmgr|Professional|false|
10|--single|Windows 10 Pro|10.0.19045.3803|x86_64|/dev/sda1|bios|bootmgr|Professional|false|
10|--arch x86|Windows 10 Pro|10.0.19045.3803|i386|/dev/sda2|bios|bootmgr|Professional|false|
11||Windows 11 Pro|10.0.26100.2033|x86_64|/dev/sda3|uefi|bootmgr|Professional|false|
11|--arch arm64|Windows 11 Pro|10.0.26100.2033|aarch64|/dev/sda3|uefi|bootmgr|Professional|false|
2016||Windows Server 2016 Standard|10.0.14393.693|x86_64|/dev/sda2|bios|bootmgr|ServerStandard|true|
2019|--uefi|Windows Server 2019 Standard|10.0.17763.737|x86_64|/dev/sda3|uefi|bootmgr|ServerStandard|true|
2022|--uefi|Windows Server 2022 Standard|10.0.20348.587|x86_64|/dev/sda3|uefi|bootmgr|ServerStandard|true|
2025||Windows Server 2025 Standard|10.0.26100.1742|x86_64|/dev/sda3|uefi|bootmgr|ServerStandard|true|
TABLE

# --- what it is on, and what starts it
inspected 11
schema_ok h2k.inspect-1 out
found '[.systems[0].mounts[] | [.target, .device, .type]] ==
    [["/", "/dev/sda3", "ntfs"], ["/SYSTEM:", "/dev/sda1", "vfat"]]'
found '.systems[0].boot_config == "/SYSTEM:/EFI/Microsoft/Boot/BCD"'
expect 0 "$H2K" inspect one.raw
expect_text '^/dev/sda3: Windows 11 Pro, x86_64, uefi' out
expect_text '^  drive +C: /dev/sda3' out

# --- addresses, leftovers, unfinished writes
inspected 10 --static-ip --tools vmware,xen,parallels,vbox --dirty-hive --hostname FRESH
schema_ok h2k.inspect-1 out
found '.systems[0] | .hostname == "FRESH" and .windows.hive_dirty and
    (.windows.tools | sort) == ["parallels", "virtualbox", "vmware", "xen"]'
found '.systems[0].windows.interfaces == [{
    guid: "{698e50a9-4f58-4d86-b61d-f42e58dcacf6}", name: "Ethernet0", mac: "00:0c:29:f3:ff:de",
    device: "PCI\\VEN_8086&DEV_10D3&SUBSYS_07D015AD&REV_00\\000C29FFFFF3FFDE00",
    static: true, present: true, addresses: ["192.168.10.20", "192.168.10.21"],
    masks: ["255.255.255.0", "255.255.255.0"], gateways: ["192.168.10.1"],
    dns: ["192.168.10.2", "192.168.10.3"], wins: ["192.168.10.5"], domain: "example.org",
    ipv6: {
        addresses: ["2001:db8::20/64", "2001:db8::21/64"], dns: ["2001:db8::53"], complete: true,
        routes: [{ prefix: "::/0", gateway: "fe80::a", metric: 0 },
            { prefix: "2001:db8:5::/48", gateway: "2001:db8::1", metric: 20 }] },
    metric: 0 }]'
found '.systems[0].interfaces | length == 1 and .[0].static'
for variant in 10 7 xp; do # an older one with the same address is not taken for a card that is there
    inspected $variant --static-ip --old-nic
    found '.systems[0].windows.interfaces | map({ name, present }) | sort_by(.name) ==
        [{ name: "Ethernet0", present: true }, { name: "Old", present: false }]'
    found '.systems[0].interfaces | map(.name) == ["Ethernet0"]'
done
inspected xp --dirty-hive --hostname FRESH
found '.systems[0] | .hostname == "FRESH" and .windows.hive_dirty'

# --- hibernated: it is looked at, and not changed
inspected 10 --hibernated
found '.systems[0].windows.hibernated'
expect 5 "$H2K" offline-fix -o no.qcow2 one.raw
expect_text 'hibernated' err

# --- what it can be started from: what is there already, else what Windows brings itself
drives_of() { jq -r '.systems[0].windows.boots_from | [.virtio_blk, .virtio_scsi, .ahci, .ide] | join(",")' out; }
while IFS='|' read -r variant options boots bus nic machine; do
    # shellcheck disable=SC2086
    inspected "$variant" $options
    [ "$(drives_of)" = "$boots" ] || fail "$variant $options: $(drives_of)"
    sum=$(sha256sum one.raw)
    expect 0 "$H2K" offline-fix --only fstab --force -o done.qcow2 one.raw
    [ "$sum" = "$(sha256sum one.raw)" ] || fail "$variant: the source has changed"
    jq -r '.target | [.disk_bus, .nics[0].model, .machine] | join("|")' done.report.json >got
    echo "$bus|$nic|$machine" | diff - got || fail "$variant $options"
    grep -q '<clock offset="localtime">' done.xml || fail "$variant: the clock"
done <<'TABLE'
xp||false,false,false,true|ide|rtl8139|pc
2003||false,false,false,true|ide|e1000|pc
7||false,false,false,true|ide|e1000|pc
10||false,false,true,true|sata|e1000e|q35
2025||false,false,true,true|sata|e1000e|q35
7|--virtio|true,true,false,true|virtio|e1000e|q35
2022|--virtio|true,true,true,true|virtio|e1000e|q35
xp|--virtio|true,false,false,true|virtio|rtl8139|pc
TABLE
grep -q 'microsoft.com/win/xp' done.xml || fail "the id of libosinfo"

# --- several: what starts decides, and each can be asked for
product() { jq -r --arg root "$1" '.systems[] | select(.root == $root) | .product_name' out; }
make_windows --linux-too 10 dual.raw
expect 0 "$H2K" inspect --json dual.raw
[ "$(product /dev/sda2), $(product /dev/sda3)" = 'Windows 10 Pro, Debian GNU/Linux 12' ] || fail "$(cat out)"
expect 0 "$H2K" plan dual.raw
expect_text '^/dev/sda3: Debian' out
expect 0 "$H2K" plan --root /dev/sda2 dual.raw
expect_text '^/dev/sda2: Windows 10' out
for variant in xp 7; do
    make_windows --twice $variant dual.raw
    expect 0 "$H2K" inspect --json dual.raw
    found '(.systems | length) == 2 and ([.systems[].windows.boot_default] == [true, false])'
    first=$(jq -r '.systems[0].root' out) second=$(jq -r '.systems[1].root' out)
    expect 0 "$H2K" plan dual.raw
    expect_text "^$first: .*Windows" out
    expect 0 "$H2K" plan --root "$second" dual.raw
    expect_text "^$second: .*Windows" out
done
check_clean
