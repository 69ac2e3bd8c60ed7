#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Drivers for virtio are bound in Windows from XP to Server 2025: what is written, looked at with
# other readers of registry and NTFS; that a second run has nothing to do; and what happens when
# there is no driver that Windows would start.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img python3 mkntfs ntfs-3g ntfscat ntfscp ntfsfix osslsigncode mkfs.vfat mcopy sfdisk jq reglookup \
    xorriso
may_mount
unset VIRTIO_WIN
cd "$T"
make_windows() { "$H2K_SRC/tests/lib/make-windows" "$@" || fail "make-windows $*"; }
"$H2K_SRC/tests/lib/make-virtio-win" --iso v.iso --plain-iso plain.iso --zip v.zip vw >/dev/null ||
    fail "make-virtio-win"
reported() { jq -e "$1" done.report.json >/dev/null || fail "not so: $1: $(jq -c "{target, notes}" done.report.json)"; }

# system_volume IMAGE NUMBER: the partition with that number as volume.ntfs
system_volume()
{
    qemu-img convert -O raw "$1" done.raw
    read -r start size < <(sfdisk -J done.raw | jq -r ".partitiontable.partitions[$2 - 1] | \"\(.start) \(.size)\"")
    dd if=done.raw of=volume.ntfs bs=512 skip="$start" count="$size" status=none
}

# as_expected NAME: all files, keys and values that were changed, as tests/data/windows/NAME has them
# (written anew with H2K_WRITE_EXPECTED=1: then read every line of the difference)
as_expected()
{
    local want=$H2K_SRC/tests/data/windows/$1.changes
    jq -r '.changes[] | if .key then "\(.action) \(.path) \(.key)" +
            (if .name then " \(.name | if . == "" then "@" else . end)" else "" end) +
            (if .after then " = \(.after)" else "" end)
        else "\(.action) \(.path)" end' done.report.json >got.changes
    [ -z "${H2K_WRITE_EXPECTED:-}" ] || cp got.changes "$want"
    diff -u "$want" got.changes >&2 || fail "$1: other changes than expected"
}

# has VALUE: a line of the SYSTEM hive as reglookup prints it
has() { grep -qixF -- "$1" values || fail "$variant $options: no $1"; }
has_no() { ! grep -iF -- "$1" values || fail "$variant $options: there is $1"; }

# variant | options | partition | disks | network card | folder of viostor | of vioscsi
while IFS='|' read -r variant options partition bus nic viostor vioscsi; do
    # shellcheck disable=SC2086 # options are words
    make_windows $options "$variant" one.raw
    sum=$(sha256sum <one.raw)
    expect 0 "$H2K" offline-fix --virtio-win v.iso --force -o done.qcow2 one.raw
    [ "$sum" = "$(sha256sum <one.raw)" ] || fail "$variant: the source changed"
    schema_ok h2k.report-1 done.report.json
    reported '.validated'
    reported ".target.disk_bus == \"$bus\" and (.target.nics | all(.model == \"$nic\"))"
    for driver in viostor vioscsi; do
        folder=${!driver}
        if [ -n "$folder" ]; then
            reported "[.changes[] | select(.path | endswith(\"/drivers/$driver.sys\"))] | length == 1"
            reported "any(.notes[]; test(\" from $folder, $driver.sys: \"))"
        else
            reported "[.changes[] | select(.path | test(\"$driver\"))] == []"
        fi
    done

    case $variant in
    11) reported 'any(.notes[]; test("the domain has no TPM"))' ;;
    *) reported 'any(.notes[]; test("TPM")) | not' ;;
    esac

    as_expected "$variant"
    case $variant in # who signed the drivers is trusted where Windows would ask
    2008 | 7 | 2008r2 | 8.1 | 2012r2)
        reported '[.changes[].path | select(test("/h2k-publisher-[0-9]+[.]cer$"))] | length == 1' ;;
    *) reported 'any(.changes[]; .path | test("[.]cer$")) | not' ;;
    esac
    [ "$variant" != 8.1 ] || # its own are self-signed
        reported 'any(.changes[]; .reason | test("^netkvm .* from NetKVM/w7/amd64, signed with SHA-1"))'

    system_volume done.qcow2 "$partition"
    expect 0 ntfsfix -n volume.ntfs
    hive=$(jq -r '[.changes[] | select(.key).path | select(test("/SYSTEM$"; "i"))][0]' done.report.json)
    ntfscat -q -f volume.ntfs "$hive" >SYSTEM || fail "$variant: no $hive"
    reglookup SYSTEM 2>/dev/null | cut -d, -f1-3 >values
    services=/ControlSet001/Services
    if [ -n "$viostor" ]; then
        has "$services/viostor/Start,DWORD,0x00000000"
        has "$services/viostor/Type,DWORD,0x00000001"
        has "$services/viostor/Group,SZ,SCSI miniport"
        has "$services/viostor/ImagePath,EXPAND_SZ,system32\\drivers\\viostor.sys"
        has "$services/viostor/Parameters/PnpInterface/5,DWORD,0x00000001"
        has "$services/viostor/Parameters/BusType,DWORD,0x00000001"
    fi
    has "/ControlSet001/Control/CrashControl/AutoReboot,DWORD,0x00000000" # until it has started
    reported 'any(.changes[]; .path | test("/firstboot/scripts/9000-restart-after-crash"))'
    [ -z "$vioscsi" ] || has "$services/vioscsi/Parameters/BusType,DWORD,0x0000000A"
    for driver in viostor vioscsi storahci stornvme atapi intelide pciide; do
        has_no "$services/$driver/StartOverride"
    done
    case $variant in
    xp | 2003 | vista | 2008 | 7 | 2008r2)
        has_no /DriverDatabase
        [ -z "$viostor" ] ||
            has "/ControlSet001/Control/CriticalDeviceDatabase/PCI#VEN_1AF4&DEV_1001/Service,SZ,viostor" ;;
    *)
        has_no "CriticalDeviceDatabase/PCI#VEN_1AF4"
        has "/DriverDatabase/DeviceIds/PCI/VEN_1AF4&DEV_1042/h2kviostor.inf,BINARY,%01%FF%00%00"
        has "/DriverDatabase/DeviceIds/PCI/VEN_1AF4&DEV_1048/h2kvioscsi.inf,BINARY,%01%FF%00%00"
        has "/DriverDatabase/DriverInfFiles/h2kviostor.inf/Configurations,MULTI_SZ,h2kviostor_conf" ;;
    esac
    case $variant in
    xp | 2003) ;;
    *) has "$services/partmgr/Parameters/SanPolicy,DWORD,0x00000001" ;;
    esac
    if [ -n "$viostor" ]; then
        file=$(jq -r '.changes[].path | select(endswith("/drivers/viostor.sys"))' done.report.json)
        ntfscat -q -f volume.ntfs "$file" >got || fail "$variant: no $file"
        cmp got "vw/$viostor/viostor.sys" || fail "$variant: viostor.sys"
    fi
done <<'TABLE'
xp||1|virtio|virtio|viostor/xp/x86|
2003|--arch amd64|1|virtio|virtio|viostor/2k3/amd64|
2008||1|virtio|virtio|viostor/2k8/amd64|vioscsi/2k8/amd64
7|--arch x86|2|virtio|virtio|viostor/w7/x86|vioscsi/w7/x86
2008r2||2|virtio|virtio|viostor/2k8R2/amd64|vioscsi/2k8R2/amd64
8.1||2|virtio|virtio|viostor/w7/amd64|vioscsi/w7/amd64
10|--arch x86|2|virtio|virtio|i386/w10|i386/w10
11|--uefi|3|virtio|virtio|amd64/w11|amd64/w11
2012r2|--uefi|3|virtio|virtio|viostor/2k8R2/amd64|vioscsi/2k8R2/amd64
2016|--uefi|3|virtio|virtio|amd64/2k16|amd64/2k16
2019||2|virtio|virtio|amd64/2k19|amd64/2k19
2022||2|virtio|virtio|amd64/2k22|amd64/2k22
2025|--uefi|3|virtio|virtio|amd64/2k25|amd64/2k25
TABLE

# --- all kinds of sources hold the same
make_windows 10 one.raw
for source in vw v.zip v.iso plain.iso; do
    expect 0 "$H2K" plan --json --virtio-win "$source" one.raw
    schema_ok h2k.plan-1 out
    jq -c '[.changes[] | del(.reason)]' out >"changes.$(basename "$source")"
    cmp changes.vw "changes.$(basename "$source")" || fail "$source is not as the folder"
done

# --- the guest agent beside the drivers comes when it is asked for
expect 0 "$H2K" offline-fix --install-agent repository --virtio-win v.iso --force -o done.qcow2 one.raw
reported '.validated and any(.changes[]; .path | test("/firstboot/scripts/3000-guest-agent.bat$"))'
system_volume done.qcow2 2
ntfscat -q -f volume.ntfs Windows/h2k/firstboot/guest-agent.msi >got || fail "no guest-agent.msi"
cmp got vw/guest-agent/qemu-ga-x86_64.msi || fail "guest-agent.msi"
expect 0 "$H2K" offline-fix --virtio-win v.iso --force -o done.qcow2 one.raw
reported 'any(.changes[]; .path | test("agent")) | not'
mkdir bare && cp -a vw/viostor vw/vioscsi bare
expect 2 "$H2K" plan --install-agent repository --virtio-win bare one.raw
expect_text 'no guest agent for this Windows: .* give its package with --install-agent'
rm -r bare

# --- Secure Boot starts what Microsoft signed only
make_windows --uefi 8.1 secure.raw
expect 0 "$H2K" offline-fix --secure-boot on --virtio-win vw --force -o done.qcow2 secure.raw
reported '.target.disk_bus == "sata" and .target.secure_boot'

# --- with 32 bits Windows starts what is self-signed, but asks before it installs it: no network then
make_windows --arch x86 8.1 small.raw
"$H2K_SRC/tests/lib/make-virtio-win" --os w8.1 own >/dev/null || fail "make-virtio-win"
expect 0 "$H2K" offline-fix --virtio-win own --force -o done.qcow2 small.raw
reported '.target.disk_bus == "virtio" and (.target.nics | all(.model == "e1000e"))'
reported 'any(.notes[]; test("NetKVM/w8.1/x86: .* asks somebody before it installs it"))'
expect 0 "$H2K" offline-fix --virtio-win vw --force -o done.qcow2 small.raw
reported '.target.disk_bus == "virtio" and (.target.nics | all(.model == "virtio"))'
reported 'any(.changes[]; .reason | test("^netkvm .* from NetKVM/w7/x86, signed with SHA-1"))'

# --- no fast startup once its image was given up
make_windows --hibernated 10 asleep.raw
expect 0 "$H2K" offline-fix --discard-hibernation --virtio-win vw --force -o done.qcow2 asleep.raw
reported 'any(.changes[]; .name == "HiberbootEnabled" and .after == "dword:00000000")'

# --- a newer driver that is there stays only if Windows starts it
make_windows --uefi 8.1 newer.raw
read -r start size < <(sfdisk -J newer.raw | jq -r '.partitiontable.partitions[2] | "\(.start) \(.size)"')
for folder in w8.1 2k8R2; do
    dd if=newer.raw of=volume.ntfs bs=512 skip="$start" count="$size" status=none
    ntfscp -f -q volume.ntfs "vw/viostor/$folder/amd64/viostor.sys" Windows/System32/drivers/viostor.sys
    dd if=volume.ntfs of=newer.raw bs=512 seek="$start" conv=notrunc,sparse status=none
    expect 0 "$H2K" offline-fix --virtio-win vw --force -o done.qcow2 newer.raw
    reported '.target.disk_bus == "virtio"'
    system_volume done.qcow2 3
    ntfscat -q -f volume.ntfs /Windows/System32/drivers/viostor.sys >got
    cmp got vw/viostor/w7/amd64/viostor.sys || fail "viostor.sys after one of $folder"
done

# --- what others have put there, and Windows does not start, is replaced; without another, no virtio
make_windows --uefi --virtio 8.1 theirs.raw
for folder in w8.1/amd64 w7/x86; do
    dd if=theirs.raw of=volume.ntfs bs=512 skip="$start" count="$size" status=none
    ntfscp -f -q volume.ntfs "vw/viostor/$folder/viostor.sys" Windows/System32/drivers/viostor.sys
    dd if=volume.ntfs of=theirs.raw bs=512 seek="$start" conv=notrunc,sparse status=none
    expect 0 env HOME=/root "$H2K" offline-fix --force -o done.qcow2 theirs.raw
    reported '.target.disk_bus == "sata" and any(.notes[]; test("does not start from virtio disks with what is"))'
    expect 0 "$H2K" offline-fix --virtio-win vw --force -o done.qcow2 theirs.raw
    reported '.target.disk_bus == "virtio" and .validated'
    system_volume done.qcow2 3
    ntfscat -q -f volume.ntfs /Windows/System32/drivers/viostor.sys >got
    cmp got vw/viostor/w7/amd64/viostor.sys || fail "viostor.sys instead of that of $folder"
    read -r start size < <(sfdisk -J theirs.raw | jq -r '.partitiontable.partitions[2] | "\(.start) \(.size)"')
done

# --- the loader does not look into a catalog that nobody installed
cp -a vw bare
for driver in viostor vioscsi; do
    for file in "bare/$driver"/w10/amd64/*.sys "bare/amd64/w10/$driver.sys"; do
        [ ! -e "$file" ] || { osslsigncode remove-signature -in "$file" -out bare.sys >/dev/null && mv bare.sys "$file"; }
    done
done
make_windows 10 one.raw
expect 0 "$H2K" offline-fix --virtio-win bare --force -o done.qcow2 one.raw
reported '.target.disk_bus == "sata" and any(.notes[]; test("no driver for virtio disks: .*in the catalog"))'

# --- a plan names the values
expect 0 "$H2K" plan --virtio-win vw one.raw
expect_text '^win-storage: registry /Windows/System32/config/SYSTEM: Windows can start from virtio' out
expect_text '^ \[ControlSet001\\Services\\viostor\]$' out
expect_text '^\+"Start"=dword:00000000$' out
expect 0 "$H2K" offline-fix --virtio-win vw --force -o done.qcow2 one.raw
expect_text '^  win-devices  write    /Windows/Drivers/VirtIO/netkvm.inf and [0-9]+ more: netkvm ' out

# --- without drivers, and with one that was tampered with: disks that it has drivers for
expect 0 env HOME=/root "$H2K" offline-fix --force -o done.qcow2 one.raw
reported '.target.disk_bus == "sata" and any(.notes[]; test("--virtio-win"))'
for driver in viostor vioscsi; do
    for file in "vw/$driver"/w10/amd64/*.sys "vw/amd64/w10/$driver.sys"; do
        [ ! -e "$file" ] || printf X | dd of="$file" bs=1 seek=1500 conv=notrunc status=none
    done
done
expect 0 "$H2K" offline-fix --virtio-win vw --force -o done.qcow2 one.raw
reported '.target.disk_bus == "sata" and any(.notes[]; test("no driver for virtio disks: .*not what was signed"))'
expect 1 "$H2K" plan --virtio-win nowhere one.raw
expect_text nowhere
