# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is in the registry of the guests of make-windows, as .reg text."""
import struct
import uuid
from collections import namedtuple

DISK_SIGNATURE = 0x5CBEA03E
DISK_GUID = "0B2394A9-095E-487D-8D48-719ECD4D78CA"
NIC = "{698E50A9-4F58-4D86-B61D-F42E58DCACF6}"
NET = "{4D36E972-E325-11CE-BFC1-08002BE10318}"
SCSI = "{4D36E97B-E325-11CE-BFC1-08002BE10318}"
DISK = "{4D36E967-E325-11CE-BFC1-08002BE10318}"
SYSTEM_CLASS = "{4D36E97D-E325-11CE-BFC1-08002BE10318}"

Variant = namedtuple("Variant", "nt build ubr product edition server arch uefi display csd")
VARIANTS = {
    "2000": Variant((5, 0), 2195, 0, "Microsoft Windows 2000", "", 0, "x86", 0, "", 4),
    "xp": Variant((5, 1), 2600, 0, "Microsoft Windows XP", "", 0, "x86", 0, "", 3),
    "2003": Variant((5, 2), 3790, 0, "Microsoft Windows Server 2003", "", 1, "x86", 0, "", 2),
    "vista": Variant((6, 0), 6002, 0, "Windows Vista (TM) Business", "Business", 0, "x86", 0, "", 2),
    "2008": Variant((6, 0), 6002, 0, "Windows Server (R) 2008 Standard", "ServerStandard", 1,
                    "amd64", 0, "", 2),
    "7": Variant((6, 1), 7601, 0, "Windows 7 Professional", "Professional", 0, "amd64", 0, "", 1),
    "2008r2": Variant((6, 1), 7601, 0, "Windows Server 2008 R2 Standard", "ServerStandard", 1,
                      "amd64", 0, "", 1),
    "8": Variant((6, 2), 9200, 0, "Windows 8 Pro", "Professional", 0, "amd64", 0, "", 0),
    "2012": Variant((6, 2), 9200, 0, "Windows Server 2012 Standard", "ServerStandard", 1, "amd64",
                    0, "", 0),
    "8.1": Variant((6, 3), 9600, 17415, "Windows 8.1 Pro", "Professional", 0, "amd64", 0, "", 0),
    "2012r2": Variant((6, 3), 9600, 17415, "Windows Server 2012 R2 Standard", "ServerStandard", 1,
                      "amd64", 0, "", 0),
    "10": Variant((10, 0), 19045, 3803, "Windows 10 Pro", "Professional", 0, "amd64", 0, "22H2", 0),
    "11": Variant((10, 0), 26100, 2033, "Windows 10 Pro", "Professional", 0, "amd64", 1, "24H2", 0),
    "2016": Variant((10, 0), 14393, 693, "Windows Server 2016 Standard", "ServerStandard", 1,
                    "amd64", 0, "1607", 0),
    "2019": Variant((10, 0), 17763, 737, "Windows Server 2019 Standard", "ServerStandard", 1,
                    "amd64", 0, "1809", 0),
    "2022": Variant((10, 0), 20348, 587, "Windows Server 2022 Standard", "ServerStandard", 1,
                    "amd64", 0, "21H2", 0),
    "2025": Variant((10, 0), 26100, 1742, "Windows Server 2025 Standard", "ServerStandard", 1,
                    "amd64", 1, "24H2", 0),
}


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def hexes(data, kind=3):
    return f"hex({kind:x}):" + ",".join(f"{byte:02x}" for byte in data)


def key(name, **values):
    """Values: numbers are dword, bytes binary, lists strings, "%..." expand."""
    lines = [f"[{name}]"]
    for value, data in values.items():
        label = "@" if value == "_" else quote(value.replace("__", " "))
        if isinstance(data, int):
            text = f"dword:{data:08x}"
        elif isinstance(data, bytes):
            text = hexes(data)
        elif isinstance(data, (list, tuple)):
            text = "str(7):" + quote("|".join(data))
        elif data.startswith(("%", "system32\\", "\\SystemRoot")):
            text = "str(2):" + quote(data)
        else:
            text = quote(data)
        lines.append(f"{label}={text}")
    return "\n".join(lines) + "\n"


def part_guid(number):
    return f"8F0E2C38-E4EA-47BA-B7FC-9D8C74DCCF{number:02X}"


# ---- drivers of SYSTEM ----

# name: group, start; by the generation of Windows: what a guest on VMware has
Driver = namedtuple("Driver", "name group start parked")
OLD_DRIVERS = [Driver("disk", "SCSI Class", 0, 0), Driver("atapi", "SCSI miniport", 0, 0),
               Driver("intelide", "System Bus Extender", 0, 0),
               Driver("symmpi", "SCSI miniport", 0, 0)]
VISTA_DRIVERS = [Driver("disk", "SCSI Class", 0, 0), Driver("atapi", "SCSI miniport", 0, 0),
                 Driver("intelide", "System Bus Extender", 0, 0),
                 Driver("msahci", "SCSI miniport", 3, 0), Driver("iaStorV", "SCSI Miniport", 3, 0),
                 Driver("LSI_SAS", "SCSI miniport", 0, 0)]
NEW_DRIVERS = [Driver("disk", "SCSI Class", 0, 0), Driver("atapi", "SCSI miniport", 0, 0),
               Driver("intelide", "System Bus Extender", 0, 0),
               Driver("pciide", "System Bus Extender", 0, 1),
               Driver("storahci", "SCSI Miniport", 0, 0),
               Driver("stornvme", "SCSI Miniport", 0, 1),
               Driver("vmbus", "System Bus Extender", 0, 1),
               Driver("storvsc", "Base", 0, 1),
               Driver("iaStorV", "SCSI Miniport", 0, 1), Driver("LSI_SAS", "SCSI Miniport", 0, 0)]
VIRTIO = [Driver("viostor", "SCSI miniport", 0, 0), Driver("vioscsi", "SCSI miniport", 0, 0)]
VIRTIO_IDS = {"viostor": ("VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00",
                          "VEN_1AF4&DEV_1042&SUBSYS_11001AF4&REV_01"),
              "vioscsi": ("VEN_1AF4&DEV_1004&SUBSYS_00081AF4&REV_00",
                          "VEN_1AF4&DEV_1048&SUBSYS_11001AF4&REV_01")}


def driver_table(guest):
    nt = guest.variant.nt
    table = OLD_DRIVERS if nt[0] < 6 else VISTA_DRIVERS if nt < (6, 2) else NEW_DRIVERS
    new = VIRTIO if nt[0] >= 6 else VIRTIO[:1]
    return table + (new if guest.virtio else [])


def drivers(guest):
    return [driver.name.lower() for driver in driver_table(guest)]


def services(guest, control_set):
    text = ""
    for driver in driver_table(guest):
        path = f"{control_set}\\Services\\{driver.name}"
        text += key(path, Type=1, Start=driver.start, ErrorControl=1, Group=driver.group,
                    ImagePath=f"system32\\drivers\\{driver.name.lower()}.sys")
        text += key(path + "\\Parameters\\PnpInterface", **{"5": 1})
        if driver.parked:
            text += key(path + "\\StartOverride", **{"0": 3})
    return text


# ---- how devices find them ----

def device_ids(guest):
    ids = {"CC_0106": ("msahci" if guest.variant.nt < (6, 2) else "storahci"),
           "CC_0101": "pciide" if guest.variant.nt >= (6, 2) else "intelide",
           "VEN_8086&DEV_7010": "intelide", "VEN_8086&DEV_7111": "intelide",
           "VEN_1000&DEV_0054": "LSI_SAS"}
    if guest.variant.nt[0] < 6:
        ids = {"VEN_8086&DEV_7010": "intelide", "VEN_8086&DEV_7111": "intelide",
               "VEN_1000&DEV_0030": "symmpi"}
    if guest.virtio:
        names = [driver.name for driver in driver_table(guest)]
        ids.update({device: name for name, devices in VIRTIO_IDS.items() for device in devices
                    if name in names})
    return ids


def critical_devices(guest, control_set):
    text = ""
    for device, service in device_ids(guest).items():
        text += key(f"{control_set}\\Control\\CriticalDeviceDatabase\\pci#{device.lower()}",
                    Service=service, ClassGUID=SCSI)
    return text


def driver_database(guest):
    version = guest.variant.nt[0] << 24 | guest.variant.nt[1] << 16
    machine = {"x86": 0, "amd64": 9, "arm64": 12}[guest.arch]
    text = key("DriverDatabase", Version=version, SchemaVersion=0x10000, Architecture=machine,
               OemInfMap=b"\0\0\0\x08" + bytes(28), UpdateDate=bytes(8), SetupStatus=0)
    for device, service in device_ids(guest).items():
        inf = {"storahci": "mshdc.inf", "pciide": "mshdc.inf", "intelide": "mshdc.inf",
               "LSI_SAS": "lsi_sas.inf"}.get(service, f"oem{5 + (service == 'vioscsi')}.inf")
        label = f"{inf}_{guest.arch}_8a1b2c3d4e5f6071"
        package = f"DriverDatabase\\DriverPackages\\{label}"
        text += key(f"DriverDatabase\\DriverInfFiles\\{inf}", _=[label], Active=label,
                    Configurations=[service + "_Inst"])
        text += key(package, _=inf, Version=driver_version(inf), Provider="Vendor", InfName=inf,
                    SignerScore=0x0D000003, StatusFlags=0x12)
        text += key(f"{package}\\Configurations\\{service}_Inst", Service=service, ConfigFlags=0)
        text += key(f"{package}\\Descriptors\\PCI\\{device}", Configuration=service + "_Inst")
        text += f"[DriverDatabase\\DeviceIds\\PCI\\{device}]\n{quote(inf)}=hex:01,ff,00,00\n"
    return text


def driver_version(inf):
    start = b"\xff\xff\x09\0" if not inf.startswith("oem") else b"\0\xff\x09\0"
    return (start + bytes(4) + uuid.UUID(SCSI).bytes_le + struct.pack("<Q", 127953216000000000) +
            struct.pack("<HHHH", 1, 0, 0, 10) + bytes(8))


# ---- the network ----

NIC_DEVICES = {True: "PCI\\VEN_8086&DEV_10D3&SUBSYS_07D015AD&REV_00\\000C29FFFFF3FFDE00",
               False: "PCI\\VEN_8086&DEV_100F&SUBSYS_075015AD&REV_01\\4&B70F118&0&0888"}


LUID = bytes.fromhex("0000000180000600")  # of the card: NetLuidIndex 0x8001, *IfType 6
ROUTER = bytes.fromhex("fe80000000000000000000000000000a")


def row(size, **fields):
    """What is set of a row of the network stack, and the mask that says so."""
    data = bytearray(b"\xff" * size)
    for at, field in fields.items():
        data[int(at[1:]):int(at[1:]) + len(field)] = field
    return bytes(data) + b"\xff" * size


def ip6_route(prefix, bits, hop):
    return (bytes(4) + prefix + bytes([bits]) + bytes(19) + LUID + LUID + hop).hex()


def network_stack(guest, control_set, interface):
    """Addresses and routes of IPv6, and the cards up to NT 6.1."""
    new = guest.variant.nt >= (10, 0)
    address = {"_8": b"\1\0\0\0\1\0\0\0" if new else b"\x10\0\0\0\x10\0\0\0", "_16": b"\x40\0\0\0"}
    net = bytes.fromhex("20010db8000000000000000000000000")
    nsi = f"{control_set}\\Control\\Nsi\\{{eb004a%s-9b1a-11d4-9123-0050047759bc}}\\%s"
    text = key(nsi % ("01", "10"), **{
        (LUID + net[:15] + b"\x20").hex(): row(28 if new else 24, **address),
        (LUID + net[:15] + b"\x21").hex(): row(28 if new else 24, **address),
        (LUID + ROUTER[:15] + b"\x20").hex(): row(28 if new else 24, **address)})
    text += key(nsi % ("01", "16"), **{
        ip6_route(bytes(16), 0, ROUTER): row(32 if new else 28),
        ip6_route(net[:4] + b"\0\5" + bytes(10), 48, net[:15] + b"\1"):
            row(32 if new else 28, _12=struct.pack("<I", 20))})
    text += key(f"{control_set}\\Services\\Tcpip6\\Parameters\\Interfaces\\{interface}",
                NameServer="2001:db8::53")
    if guest.variant.nt < (6, 2):
        card = bytearray(0x908)
        card[0x40C:0x410] = struct.pack("<I", 6)
        card[0x410:0x420] = uuid.UUID(interface).bytes_le
        card[0x440:0x448] = b"\6\0\0\x0c\x29\xf3\xff\xde"
        text += key(nsi % ("11", "10"), **{LUID.hex(): bytes(card)})
    return text


def left_over(guest, control_set):
    """A card that is not there any more and had the same address."""
    interface = "{55F386AE-6D58-4CF3-A0B4-4BC253953288}"
    device = "PCI\\VEN_8086&DEV_10D3&SUBSYS_07D015AD&REV_00\\000C29FFFFF3FFDF00"
    text = key(f"{control_set}\\Services\\Tcpip\\Parameters\\Interfaces\\{interface}", EnableDHCP=0,
               IPAddress=["192.168.10.20"], SubnetMask=["255.255.255.0"],
               DefaultGateway=["192.168.10.1"], NameServer="192.168.10.9")
    text += key(f"{control_set}\\Control\\Network\\{NET}\\{interface}\\Connection", Name="Old",
                PnpInstanceID=device)
    text += key(f"{control_set}\\Control\\Class\\{NET.lower()}\\0000", NetCfgInstanceId=interface,
                DeviceInstanceID=device, InstallTimeStamp=struct.pack("<8H", 2015, 1, 4, 1, 0, 0, 0, 0))
    text += key(f"{control_set}\\Enum\\{device}", Class="Net", ClassGUID=NET.lower())
    return text + arrived(guest, control_set, device, 0)


def arrived(guest, control_set, device, days):
    """When a device came last, which is known from NT 6.2 on."""
    if guest.variant.nt < (6, 2):
        return ""
    properties = f"{control_set}\\Enum\\{device}\\Properties\\{{83da6326-97a6-4088-9453-a1923f573b29}}"
    return key(f"{properties}\\0066", _=struct.pack("<Q", 130700000000000000 + days * 864000000000))


def network(guest, control_set):
    device = NIC_DEVICES[guest.variant.nt[0] >= 6]
    interface = NIC if guest.variant.nt < (6, 2) else NIC.lower()
    parameters = f"{control_set}\\Services\\Tcpip\\Parameters"
    text = key(parameters, Hostname=guest.hostname, **{"NV__Hostname": guest.hostname,
                                                       "Domain": "", "NV__Domain": ""})
    if guest.static_ip:
        text += key(f"{parameters}\\Interfaces\\{interface}", EnableDHCP=0,
                    IPAddress=["192.168.10.20", "192.168.10.21"],
                    SubnetMask=["255.255.255.0", "255.255.255.0"],
                    DefaultGateway=["192.168.10.1"], DefaultGatewayMetric=["0"],
                    NameServer="192.168.10.2,192.168.10.3", Domain="example.org")
        text += key(f"{parameters}\\PersistentRoutes",
                    **{"10.1.0.0,255.255.0.0,192.168.10.254,1": ""})
        text += key(f"{control_set}\\Services\\NetBT\\Parameters\\Interfaces\\Tcpip_{interface}",
                    NameServerList=["192.168.10.5"], NetbiosOptions=0)
    else:
        text += key(f"{parameters}\\Interfaces\\{interface}", EnableDHCP=1,
                    DhcpIPAddress="192.168.10.99", DhcpSubnetMask="255.255.255.0",
                    DhcpServer="192.168.10.1")
    text += key(f"{control_set}\\Control\\Network\\{NET}\\{NIC}\\Connection", Name="Ethernet0",
                PnpInstanceID=device)
    text += key(f"{control_set}\\Control\\Class\\{NET.lower()}\\0001",
                NetCfgInstanceId=interface, DeviceInstanceID=device, DriverDesc="Intel(R) 82574L",
                ComponentId=device.rsplit("\\", 1)[0].lower(), NetLuidIndex=0x8001,
                InstallTimeStamp=struct.pack("<8H", 2020, 1, 3, 1, 0, 0, 0, 0), **{"*IfType": 6})
    text += key(f"{control_set}\\Enum\\{device}", Class="Net", ClassGUID=NET.lower(),
                DeviceDesc="Intel(R) 82574L", Service="e1i65x64")
    text += arrived(guest, control_set, device, 1)
    if guest.static_ip and guest.variant.nt >= (6, 0):
        text += network_stack(guest, control_set, interface)
    if guest.old_nic:
        text += left_over(guest, control_set)
    return text


# ---- leftovers of hypervisors: services (name, type, start, group), keys, files ----

Tool = namedtuple("Tool", "services filters uninstall files")
TOOLS = {
    "vmware": Tool(
        [("VMTools", 0x10, 2, ""), ("VGAuthService", 0x10, 2, ""), ("vmci", 1, 0,
         "System Bus Extender"), ("vsock", 1, 0, ""), ("vmmemctl", 1, 2, "Extended Base"),
         ("vmhgfs", 2, 1, ""), ("vm3dmp", 1, 3, ""), ("pvscsi", 1, None, "")],
        {}, ("{D533345C-7F8D-4807-AE80-E06CE2045B0E}", "VMware Tools", "12.3.0.22234872",
             "VMware, Inc.", "MsiExec.exe /I{D533345C-7F8D-4807-AE80-E06CE2045B0E}"),
        {"Program Files/VMware/VMware Tools/vmtoolsd.exe": b"MZ"}),
    "xen": Tool(
        [("xenbus", 1, 0, ""), ("xenfilt", 1, 0, ""), ("xenvbd", 1, 0, "SCSI miniport"),
         ("xenvif", 1, 3, ""), ("xennet", 1, 3, ""), ("xeniface", 1, 3, ""), ("XenSvc", 0x10, 2, "")],
        {SYSTEM_CLASS: ("UpperFilters", ["xenfilt"])},
        ("{9A7C1234-0000-4000-8000-000000000001}", "XenServer PV Tools", "9.3.1", "Citrix",
         "MsiExec.exe /X{9A7C1234-0000-4000-8000-000000000001}"), {}),
    "parallels": Tool(
        [("prl_strg", 1, 0, ""), ("prl_boot", 1, 0, ""), ("prl_tg", 1, 1, ""),
         ("prl_eth5", 1, 3, "")],
        {DISK: ("LowerFilters", ["prl_strg"])},
        ("{9A7C1234-0000-4000-8000-000000000002}", "Parallels Tools", "18.1", "Parallels",
         "MsiExec.exe /X{9A7C1234-0000-4000-8000-000000000002}"), {}),
    "vbox": Tool(
        [("VBoxGuest", 1, 0, "Base"), ("VBoxMouse", 1, 3, ""), ("VBoxSF", 2, 1, ""),
         ("VBoxService", 0x10, 2, "")],
        {}, ("Oracle VM VirtualBox Guest Additions", "Oracle VM VirtualBox Guest Additions 7.0.10",
             "7.0.10.158379", "Oracle and/or its affiliates",
             "C:\\Program Files\\Oracle\\VirtualBox Guest Additions\\uninst.exe"),
        {"Program Files/Oracle/VirtualBox Guest Additions/uninst.exe": b"MZ"}),
}


def tool_services(guest, control_set):
    text = ""
    for tool in guest.tools:
        for name, kind, start, group in TOOLS[tool].services:
            values = {} if start is None else {"Type": kind, "Start": start, "ErrorControl": 0}
            if group:
                values["Group"] = group
            if kind < 0x10 and values:
                values["ImagePath"] = f"system32\\drivers\\{name.lower()}.sys"
            text += key(f"{control_set}\\Services\\{name}", **values)
        for name, (value, filters) in TOOLS[tool].filters.items():
            text += key(f"{control_set}\\Control\\Class\\{name}", **{value: filters})
    return text


# ---- the hives ----

PROCESSORS = {"x86": "x86", "amd64": "AMD64", "arm64": "ARM64"}


def mounted_devices(guest):
    part = guest.parts["c"]
    if guest.uefi:
        place = b"DMIO:ID:" + uuid.UUID(part_guid(part.number)).bytes_le
    else:
        place = struct.pack("<IQ", DISK_SIGNATURE, part.start)
    cd = "\\??\\SCSI#CdRom&Ven_NECVMWar&Prod_VMware_SATA_CD01#5&1#{53f5630d-b6bf-11d0}"
    lines = ["[MountedDevices]", f'"\\\\DosDevices\\\\C:"={hexes(place)}',
             f'"\\\\??\\\\Volume{{656b1715-ecf6-11df-92e6-806e6f6e6963}}"={hexes(place)}',
             f'"\\\\DosDevices\\\\D:"={hexes(guest.drive_d or cd.encode("utf-16-le"))}',
             f'"#{{656b1716-ecf6-11df-92e6-806e6f6e6963}}"={hexes(place)}']
    return "\n".join(lines) + "\n"


def control_set(guest, name, hostname):
    v = guest.variant
    text = key(f"{name}\\Control\\ComputerName\\ComputerName", ComputerName=hostname)
    text += key(f"{name}\\Control\\ProductOptions", ProductType="ServerNT" if v.server else "WinNT",
                **({"ProductPolicy": bytes(range(256)) * 80} if v.nt[0] >= 6 else {}))
    text += key(f"{name}\\Control\\Session Manager\\Environment",
                PROCESSOR_ARCHITECTURE=PROCESSORS[guest.arch], OS="Windows_NT",
                Path="%SystemRoot%\\system32;%SystemRoot%")
    text += key(f"{name}\\Control\\Session Manager\\Memory Management",
                PagingFiles=["?:\\pagefile.sys"])
    zone = "W. Europe Standard Time"
    text += key(f"{name}\\Control\\TimeZoneInformation", StandardName=zone, Bias=0xFFFFFFC4)
    if v.nt[0] >= 6:
        junk = (zone + "\0junk").encode("utf-16-le").ljust(256, b"\xcc")
        text += f'"TimeZoneKeyName"={hexes(junk, 1)}\n'
    text += key(f"{name}\\Control\\CrashControl", AutoReboot=1, CrashDumpEnabled=7)
    text += key(f"{name}\\Control\\Class\\{SCSI}", Class="SCSIAdapter")
    text += key(f"{name}\\Control\\Class\\{DISK}", Class="DiskDrive", UpperFilters=["partmgr"])
    text += key(f"{name}\\Control\\Terminal Server", fDenyTSConnections=1)
    if v.nt >= (6, 2):
        text += key(f"{name}\\Control\\Session Manager\\Power",
                    HiberbootEnabled=int(not v.server))
    text += key(f"{name}\\Control\\SafeBoot\\Minimal\\{SCSI}", _="SCSIAdapter")
    text += key(f"{name}\\Services\\partmgr", Type=1, Start=0, ErrorControl=3,
                ImagePath="system32\\drivers\\partmgr.sys")
    if v.nt[0] >= 6:
        text += key(f"{name}\\Services\\partmgr\\Parameters", SanPolicy=2 if v.server else 1)
    text += services(guest, name) + network(guest, name) + tool_services(guest, name)
    if v.nt < (6, 2):
        text += critical_devices(guest, name)
    return text


MANAGED_GPO = "Group Policy\\History\\{35378EAC-683F-11D2-A89A-00C04FBBCFA2}"


def managed_system(name):
    return (key(f"{name}\\Services\\klif", Type=2, Start=1, ErrorControl=1) +
            key(f"{name}\\Services\\mfehidk", Type=1, Start=4, ErrorControl=1) +
            key(f"{name}\\Control\\TimeZoneInformation", RealTimeIsUniversal=1) +
            key(f"{name}\\Control\\SystemInformation", SystemManufacturer="Microsoft Corporation",
                SystemProductName="Virtual Machine") +
            key(f"{name}\\Control\\Class\\{NET.lower()}\\0001", NetworkAddress="02-00-5E-10-20-30"))


def managed_software(windows):
    text = key(f"{windows}\\Group Policy\\History", MachineDomain="example.org")
    for number, name in enumerate(("Local Group Policy", "Default Domain Policy")):
        text += key(f"{windows}\\{MANAGED_GPO}\\{number}", GPOName=name)
    return text


def system(guest, hostname=None):
    text = key("Select", Current=1, Default=1, Failed=0, LastKnownGood=1)
    text += key("Setup", SetupType=0, SystemSetupInProgress=0, CmdLine="")
    text += mounted_devices(guest) + control_set(guest, "ControlSet001", hostname or guest.hostname)
    if guest.managed:
        text += managed_system("ControlSet001")
    if guest.variant.nt < (6, 2):
        text += key("ControlSet002\\Control\\ComputerName\\ComputerName", ComputerName="OLD")
    else:
        text += driver_database(guest)
        text += key("HardwareConfig", LastConfig="{7d5f4d56-0000-0000-0000-000000000000}", LastId=0)
        text += key("HardwareConfig\\{7d5f4d56-0000-0000-0000-000000000000}", Id=0)
    return text


def software(guest):
    v = guest.variant
    current = "Microsoft\\Windows NT\\CurrentVersion"
    values = {
        "ProductName": v.product,
        "CurrentVersion": "6.3" if v.nt[0] >= 10 else f"{v.nt[0]}.{v.nt[1]}",
        "CurrentBuildNumber": str(v.build),
        "CurrentBuild": "1.511.1 () (Obsolete data - do not use)" if v.nt[0] < 6 else str(v.build),
        "SystemRoot": f"C:\\{guest.system_root}",
        "PathName": f"C:\\{guest.system_root}",
        "RegisteredOwner": "user",
    }
    if v.nt[0] >= 10:
        values.update(CurrentMajorVersionNumber=10, CurrentMinorVersionNumber=0,
                      ReleaseId="2009" if v.build >= 19042 else v.display)
        if v.build >= 19042:
            values["DisplayVersion"] = v.display
    if v.ubr:
        values["UBR"] = v.ubr
    if v.nt[0] >= 6:
        values.update(EditionID=v.edition, InstallationType="Server" if v.server else "Client")
    if v.csd:
        values["CSDVersion"] = f"Service Pack {v.csd}"
    text = key(current, **values)
    windows = "Microsoft\\Windows\\CurrentVersion"
    text += key(windows, DevicePath="%SystemRoot%\\inf", ProgramFilesDir="C:\\Program Files")
    text += key(f"{windows}\\Uninstall\\7-Zip", DisplayName="7-Zip 22.01 (x64)",
                DisplayVersion="22.01", Publisher="Igor Pavlov")
    text += key(f"{windows}\\Uninstall\\Hidden", SystemComponent=1)
    if guest.arch != "x86":
        text += key("WOW6432Node\\" + f"{windows}\\Uninstall\\Editor", DisplayName="Editor",
                    DisplayVersion="1.2")
    if guest.managed:
        text += managed_software(windows)
    for tool in guest.tools:
        name, display, version, publisher, command = TOOLS[tool].uninstall
        text += key(f"{windows}\\Uninstall\\{name}", DisplayName=display, DisplayVersion=version,
                    Publisher=publisher, UninstallString=command)
    text += key(f"{current}\\Winlogon", DefaultUserName="user", Userinit="userinit.exe,")
    return text


def sam():
    return key("SAM\\Domains\\Account\\Users\\Names\\Administrator") + key("SAM\\Domains\\Builtin")


def security():
    return key("Policy\\PolPrDmN", _=b"\0\0\x02\0")


# ---- boot configuration ----

BOOTMGR = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}"
LOADER = "{733b62e5-f608-11eb-825c-c112f60133ab}"
RESUME = "{733b62e4-f608-11eb-825c-c112f60133ab}"
MEMTEST = "{b2721d73-1db4-4c62-bf78-c548a880142d}"


def device(guest, part):
    if guest.uefi:
        place = uuid.UUID(part_guid(part.number)).bytes_le
        disk, table = uuid.UUID(DISK_GUID).bytes_le, 0
    else:
        place = struct.pack("<QQ", part.start, 0)
        disk, table = struct.pack("<I12x", DISK_SIGNATURE), 1
    return (bytes(16) + struct.pack("<IIII", 6, 0, 0x48, 0) + place + struct.pack("<II", 0, table) +
            disk + bytes(16))


def bcd_object(name, kind, **elements):
    text = key(f"Objects\\{name}\\Description", Type=kind)
    for element, data in elements.items():
        text += key(f"Objects\\{name}\\Elements\\{element[1:]}", Element=data)
    return text


def bcd(guest):
    windows = device(guest, guest.parts["c"])
    end = "efi" if guest.uefi else "exe"
    text = key("Description", KeyName="BCD00000000", System=1, TreatAsSystem=1)
    more = {"e12000002": "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"} if guest.uefi else {}
    text += bcd_object(BOOTMGR, 0x10100002, e11000001=device(guest, guest.parts.get(
        "sys", guest.parts["c"])), **more, e12000004="Windows Boot Manager", e23000003=LOADER,
        e24000001=[LOADER], e25000004=struct.pack("<Q", 30))
    text += bcd_object(
        LOADER, 0x10200003, e11000001=windows, e12000002=f"\\Windows\\system32\\winload.{end}",
        e12000004=guest.variant.product, e16000009=b"\1", e16000046=b"\1", e21000001=windows,
        e22000002="\\Windows", e23000003=RESUME, e25000020=bytes(8))
    text += bcd_object(RESUME, 0x10200004, e11000001=windows, e22000002="\\hiberfil.sys",
                       e12000002=f"\\Windows\\system32\\winresume.{end}")
    return text + bcd_object(MEMTEST, 0x10200005, e12000002="\\Boot\\memtest.exe")


def boot_ini(guest):
    path = f"multi(0)disk(0)rdisk(0)partition(1)\\{guest.system_root}"
    return (f"[boot loader]\ntimeout=30\ndefault={path}\n[operating systems]\n"
            f'{path}="{guest.variant.product}" /noexecute=optin /fastdetect\n')
