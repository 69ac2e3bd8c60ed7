/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts are collected from the tree by the inspection itself. */
#include <stdio.h>

#include "fixers/apply.h"
#include "fixers/linux/linux.h"
#include "inspect/linux.h"
#include "tests/unit/tree.h"

#define MAC "00:50:56:aa:bb:cc"
#define RULE                                                                                       \
    "SUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", ATTR{address}==\"" MAC "\", "           \
    "ATTR{type}==\"1\", KERNEL==\"eth*\", NAME=\"ens192\"\n"
#define STATIC                                                                                     \
    "auto lo\niface lo inet loopback\nallow-hotplug ens192\n"                                      \
    "iface ens192 inet static\n    address 192.168.10.20/24\n"
#define LINK_HEAD "# the name that the network configuration uses (h2k)\n[Match]\n"
#define BY_MAC LINK_HEAD "MACAddress=" MAC "\nPath=*\n\n[Link]\nName=ens192\n"
#define BY_DRIVER LINK_HEAD "Driver=virtio_net\n\n[Link]\nName=ens192\n"
#define LINK_PATH "/etc/systemd/network/10-h2k-ens192.link"

#define INTERFACES "/etc/network/interfaces"
#define RULES "/etc/udev/rules.d/70-persistent-net.rules"
#define NETPLAN "/etc/netplan/50-cloud-init.yaml"
#define NM "/etc/NetworkManager/system-connections/lan.nmconnection"
#define UNIT "/etc/systemd/network/20-lan.network"
#define RHEL "/etc/sysconfig/network-scripts/ifcfg-"
#define SUSE "/etc/sysconfig/network/ifcfg-"
#define NEW_MAC "52:54:00:aB:00:01"
#define RENAME_DEVICE                                                                              \
    {                                                                                              \
        "/lib/udev/rename_device", ""                                                              \
    }

#define DEBIAN_8                                                                                   \
    "/lib/udev/rules.d/80-net-setup-link.rules",                                                   \
        "IMPORT{cmdline}=\"net.ifnames\"\nENV{net.ifnames}!=\"1\", "                               \
        "GOTO=\"net_setup_link_end\"\n"

struct file {
    const char *path, *text;
};

static const struct {
    const char *label;
    struct file have[4];
    const char *nic_mac; /* --nic NAME=MAC */
    const char *nic;     /* NAME; NULL: ens192 */
    bool old_udev;
    struct file want; /* path NULL: no change */
    const char *note; /* part of one; NULL: none */
} cases[] = {
    { "no configuration", { { "/etc/hostname", "x\n" } }, .want = { NULL, NULL } },
    { "ifupdown, MAC unknown", { { INTERFACES, STATIC } }, .want = { LINK_PATH, BY_DRIVER } },
    { "ifupdown, --nic",
      { { INTERFACES, STATIC } },
      .nic_mac = MAC,
      .want = { LINK_PATH, BY_MAC } },
    { "ifupdown, rule by MAC",
      { { INTERFACES, STATIC }, { RULES, RULE } },
      .want = { NULL, NULL } },
    { "rule for another slot of the old machine",
      { { INTERFACES, STATIC },
        { RULES, "SUBSYSTEM==\"net\", KERNELS==\"0000:0b:00.0\", ATTR{address}==\"" MAC "\", "
                 "NAME=\"ens192\"\n" } },
      .want = { RULES, "SUBSYSTEM==\"net\", ATTR{address}==\"" MAC "\", NAME=\"ens192\"\n" } },
    { "rule for a slot alone, one card (YaST)",
      { { SUSE "ens192", "IPADDR='10.0.0.5/24'\n" },
        { RULES, "SUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", \\\n"
                 "  KERNELS==\"0000:0b:00.0\", NAME=\"ens192\"\n" } },
      .want = { RULES, "SUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", \\\n"
                       "  DRIVERS==\"virtio_net\", NAME=\"ens192\"\n" } },
    { "rule for a path, the card is known",
      { { INTERFACES, STATIC },
        { RULES, "SUBSYSTEM==\"net\", ENV{ID_PATH}==\"pci-0000:0b:00.0\", "
                 "ATTRS{vendor}==\"0x15ad\", NAME:=\"ens192\"\n" } },
      .nic_mac = MAC,
      .want = { RULES, "SUBSYSTEM==\"net\", ATTR{address}==\"" MAC "\", NAME:=\"ens192\"\n" } },
    { "rules for slots, several cards that are not known",
      { { INTERFACES, "iface ens192 inet dhcp\niface ens224 inet dhcp\n" },
        { RULES, "SUBSYSTEM==\"net\", KERNELS==\"0000:0b:00.0\", NAME=\"ens192\"\n" } },
      .want = { NULL, NULL },
      .note = RULES " matches a slot" },
    { ".link by MAC",
      { { INTERFACES, STATIC },
        { "/etc/systemd/network/70-lan.link",
          "[Match]\nPermanentMACAddress=00:50:56:AA:BB:CC\n[Link]\nName=ens192\n" } },
      .want = { NULL, NULL } },
    { ".link by the old driver",
      { { INTERFACES, STATIC },
        { "/etc/systemd/network/70-lan.link", "[Match]\nDriver=vmxnet3\n[Link]\nName=ens192\n" } },
      .want = { "/etc/systemd/network/70-lan.link",
                "[Match]\nDriver=virtio_net\n[Link]\nName=ens192\n" } },
    { ".link by slot, one card",
      { { INTERFACES, STATIC },
        { "/etc/systemd/network/70-lan.link",
          "[Match]\nPath=pci-0000:0b:00.0\n[Link]\nName=ens192\n" } },
      .want = { "/etc/systemd/network/70-lan.link",
                "[Match]\nDriver=virtio_net\n[Link]\nName=ens192\n" } },
    { "hwaddress",
      { { INTERFACES, STATIC "    hwaddress ether " MAC "\n" } },
      .want = { LINK_PATH, BY_MAC } },
    { "MAC in a DHCP lease",
      { { INTERFACES, "iface ens192 inet dhcp\n" },
        { "/var/lib/dhcp/dhclient.ens192.leases",
          "lease {\n  interface \"ens192\";\n"
          "  option dhcp-client-identifier 1:0:50:56:aa:bb:cc;\n}\n" } },
      .want = { LINK_PATH, BY_MAC } },
    { "a rule counts more than a lease",
      { { INTERFACES, "iface ens192 inet dhcp\n" },
        { RULES, RULE },
        { "/var/lib/dhcp/dhclient.leases",
          "lease {\n  interface \"ens192\";\n"
          "  option dhcp-client-identifier 1:0:50:56:aa:bb:dd;\n}\n" } },
      .want = { NULL, NULL } },
    { "VLAN and alias rely on the card",
      { { INTERFACES, "iface ens192.10 inet static\n address 10.0.0.1/24\n"
                      "iface ens192:0 inet static\n address 10.0.1.1/24\n" } },
      .want = { LINK_PATH, BY_DRIVER } },
    { "a leftover beside the card in use",
      { { RHEL "ens192", "DEVICE=ens192\nONBOOT=yes\n" },
        { RHEL "ens33", "DEVICE=ens33\nONBOOT=no\n" } },
      .want = { LINK_PATH, BY_DRIVER },
      .note = "ens33: configured, but not started" },
    { "several cards without addresses",
      { { INTERFACES, "iface ens192 inet dhcp\niface ens224 inet dhcp\n" } },
      .want = { NULL, NULL },
      .note = "ens192, ens224" },
    { "several cards, one known",
      { { INTERFACES,
          "iface ens192 inet dhcp\niface ens224 inet dhcp\niface ens256 inet dhcp\n" } },
      .nic_mac = MAC,
      .want = { LINK_PATH, BY_MAC },
      .note = "is ens224, ens256 is not known" },
    { "two cards, one known: the other is the one that is left",
      { { INTERFACES, "iface ens192 inet dhcp\niface ens224 inet dhcp\n" },
        { "/etc/systemd/network/70-lan.link", BY_MAC } },
      .want = { "/etc/systemd/network/98-h2k-ens224.link",
                LINK_HEAD "Driver=virtio_net\n\n[Link]\nName=ens224\n" } },
    { "two cards, one known, and nothing that has an order",
      { { INTERFACES, "iface ens192 inet dhcp\niface ens224 inet dhcp\n" }, { RULES, RULE } },
      .old_udev = true,
      .want = { NULL, NULL },
      .note = "is ens224 is not known" },
    { "net.ifnames=0",
      { { INTERFACES, "iface eth0 inet dhcp\n" },
        { "/boot/grub/grub.cfg", "linux /vmlinuz root=UUID=1 net.ifnames=0 quiet\n" } },
      .want = { NULL, NULL } },
    { "Debian 8 keeps the kernel's names",
      { { INTERFACES, "auto eth0\niface eth0 inet dhcp\n" }, { DEBIAN_8 } },
      .want = { NULL, NULL } },
    { "Debian 8 reads rules, and no .link files",
      { { INTERFACES, STATIC "    hwaddress ether " MAC "\n" }, { DEBIAN_8 } },
      .want = { RULES, RULE } },
    { "Debian 8 where it is told to read them",
      { { INTERFACES, STATIC },
        { DEBIAN_8 },
        { "/boot/grub/grub.cfg", "linux /vmlinuz root=UUID=1 net.ifnames=1 quiet\n" } },
      .want = { LINK_PATH, BY_DRIVER } },
    { "eth0 with predictable names",
      { { INTERFACES, "iface eth0 inet dhcp\n" }, { "/boot/grub/grub.cfg", "linux /vmlinuz\n" } },
      .want = { "/etc/systemd/network/10-h2k-eth0.link",
                LINK_HEAD "Driver=virtio_net\n\n[Link]\nName=eth0\n" } },
    { "old udev, MAC known",
      { { INTERFACES, STATIC } },
      .nic_mac = MAC,
      .old_udev = true,
      .want = { RULES, RULE } },
    { "old udev, rules for another card",
      { { INTERFACES, STATIC }, { RULES, "# first" } },
      .nic_mac = MAC,
      .old_udev = true,
      .want = { RULES, "# first\n" RULE } },
    { "old udev, MAC unknown",
      { { INTERFACES, STATIC } },
      .old_udev = true,
      .want = { RULES, "SUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"virtio_net\", "
                       "ATTR{type}==\"1\", KERNEL==\"eth*\", NAME=\"ens192\"\n" } },
    { "networkd by name",
      { { UNIT, "[Match]\nName=ens192\n\n[Network]\nDHCP=no\nAddress=10.0.0.5/24\n" } },
      .want = { LINK_PATH, BY_DRIVER } },
    { "networkd by the old driver",
      { { UNIT, "[Match]\nDriver=vmxnet3\n\n[Network]\nAddress=10.0.0.5/24\n" } },
      .want = { UNIT, "[Match]\nDriver=virtio_net\n\n[Network]\nAddress=10.0.0.5/24\n" } },
    { "networkd by MAC",
      { { UNIT, "[Match]\nMACAddress=" MAC "\n\n[Network]\nDHCP=no\nAddress=10.0.0.5/24\n" } },
      .want = { NULL, NULL } },
    { "networkd by any name",
      { { UNIT, "[Match]\nName=en*\n\n[Network]\nDHCP=yes\n" } },
      .want = { NULL, NULL } },
    { "networkd by slot, nothing else known",
      { { UNIT, "[Match]\nPath=pci-0000:0b:00.0\n[Network]\nAddress=10.0.0.5/24\n" } },
      .want = { NULL, NULL },
      .note = UNIT " matches a slot" },
    { "netplan by id",
      { { NETPLAN, "network:\n  version: 2\n  ethernets:\n    ens192:\n"
                   "      addresses: [10.0.0.5/24]\n" } },
      .want = { LINK_PATH, BY_DRIVER } },
    { "netplan by MAC with set-name",
      { { NETPLAN, "network:\n  version: 2\n  ethernets:\n    ens192:\n"
                   "      match: {macaddress: \"" MAC "\"}\n      set-name: ens192\n"
                   "      addresses: [10.0.0.5/24]\n" } },
      .want = { NULL, NULL } },
    { "netplan by the old driver",
      { { NETPLAN, "network:\n  ethernets:\n    lan:\n      match:\n        driver: \"vmxnet3\"\n"
                   "      addresses: [10.0.0.5/24] # driver: e1000\n" } },
      .want = { NETPLAN, "network:\n  ethernets:\n    lan:\n      match:\n"
                         "        driver: \"virtio_net\"\n"
                         "      addresses: [10.0.0.5/24] # driver: e1000\n" } },
    { "NetworkManager by name",
      { { NM, "[connection]\nid=lan\ninterface-name=ens192\n[ipv4]\nmethod=manual\n" } },
      .want = { LINK_PATH, BY_DRIVER } },
    { "NetworkManager by MAC and name",
      { { NM, "[connection]\nid=lan\ninterface-name=ens192\n[ethernet]\n"
              "mac-address=00:50:56:AA:BB:CC\n[ipv4]\nmethod=manual\n" } },
      .want = { LINK_PATH, BY_MAC } },
    { "NetworkManager by the old driver",
      { { NM, "[connection]\nid=lan\n[match]\ndriver=vmxnet3;\n[ipv4]\nmethod=manual\n" } },
      .want = { NM, "[connection]\nid=lan\n[match]\ndriver=virtio_net;\n"
                    "[ipv4]\nmethod=manual\n" } },
    { "one name, and a card that is found by its address",
      { { INTERFACES, "auto ens192\niface ens192 inet dhcp\n" },
        { NM, "[connection]\nid=lan\n[ethernet]\nmac-address=" MAC "\n" } },
      .want = { NULL, NULL },
      .note = "which card is ens192" },
    { "networkd by names that a virtio card has not",
      { { UNIT, "[Match]\nName=!docker* ens*\n\n[Network]\nDHCP=yes\n" } },
      .want = { LINK_PATH, BY_DRIVER } },
    { "netplan by names that a virtio card has not",
      { { NETPLAN, "network: {ethernets: {all: {match: {name: \"ens1*\"}, dhcp4: true}}}\n" } },
      .want = { LINK_PATH, BY_DRIVER } },
    { "netplan by the old driver, with a name",
      { { NETPLAN, "network:\n  ethernets:\n    lan:\n      match: {driver: vmxnet3}\n"
                   "      set-name: ens192\n" } },
      .want = { NETPLAN, "network:\n  ethernets:\n    lan:\n      match: {driver: virtio_net}\n"
                         "      set-name: ens192\n" } },
    { "devices of NetworkManager by the old driver",
      { { "/etc/NetworkManager/conf.d/a.conf",
          "[device-a]\nmatch-device=driver:vmxnet3\nmanaged=1\n[keyfile]\n"
          "unmanaged-devices=interface-name:x;except:driver:hv_netvsc\n" } },
      .want = { "/etc/NetworkManager/conf.d/a.conf",
                "[device-a]\nmatch-device=driver:virtio_net\nmanaged=1\n[keyfile]\n"
                "unmanaged-devices=interface-name:x;except:driver:virtio_net\n" } },
    { "networkd for guests of VMware only",
      { { UNIT, "[Match]\nName=en*\nVirtualization=vmware\n\n[Network]\nDHCP=yes\n" } },
      .want = { UNIT, "[Match]\nName=en*\nVirtualization=kvm\n\n[Network]\nDHCP=yes\n" } },
    { "ifcfg with HWADDR, which udev reads",
      { { RHEL "ens192", "DEVICE=ens192\nHWADDR=00:50:56:AA:BB:CC\nIPADDR=10.0.0.5\n" },
        RENAME_DEVICE },
      .want = { NULL, NULL } },
    { "ifcfg with words that nobody knows",
      { { RHEL "ens192", "DEVICE=ens192\nHWADDR=00:50:56:AA:BB:CC\nBOOTPROTO=weird\n"
                         "VMWARE_X=1\nCLONED_MAC=" MAC "\n" },
        RENAME_DEVICE },
      .want = { NULL, NULL } },
    { "ifcfg with HWADDR, which nobody reads",
      { { RHEL "ens192", "DEVICE=ens192\nHWADDR=00:50:56:AA:BB:CC\nIPADDR=10.0.0.5\n" } },
      .want = { LINK_PATH, BY_MAC } },
    { "another address: ifcfg",
      { { RHEL "ens192", "DEVICE=ens192\n#HWADDR=00:50:56:AA:BB:CC\n"
                         "HWADDR=\"00:50:56:AA:BB:CC\" # first\nMACADDR=" MAC "\n" },
        RENAME_DEVICE },
      .nic_mac = NEW_MAC,
      .want = { RHEL "ens192", "DEVICE=ens192\n#HWADDR=00:50:56:AA:BB:CC\n"
                               "HWADDR=\"52:54:00:AB:00:01\" # first\nMACADDR=" MAC "\n" } },
    { "another address: rules",
      { { INTERFACES, STATIC }, { RULES, RULE } },
      .nic_mac = "52:54:00:00:00:01",
      .want = { RULES, "SUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", "
                       "ATTR{address}==\"52:54:00:00:00:01\", ATTR{type}==\"1\", "
                       "KERNEL==\"eth*\", NAME=\"ens192\"\n" } },
    { "another address: .link, which also gives one",
      { { INTERFACES, STATIC }, { LINK_PATH, BY_MAC "MACAddress=" MAC "\n" } },
      .nic_mac = "52:54:00:00:00:01",
      .want = { LINK_PATH, LINK_HEAD "MACAddress=52:54:00:00:00:01\nPath=*\n\n[Link]\nName=ens192\n"
                                     "MACAddress=" MAC "\n" } },
    { "another address: netplan",
      { { NETPLAN, "network:\n  ethernets:\n    ens192:\n"
                   "      match: {macaddress: \"" MAC "\"}\n      set-name: ens192\n" } },
      .nic_mac = "52:54:00:00:00:01",
      .want = { NETPLAN, "network:\n  ethernets:\n    ens192:\n      match: {macaddress: "
                         "\"52:54:00:00:00:01\"}\n      set-name: ens192\n" } },
    { "another address: a file is named after the old one",
      { { SUSE "eth0", "IPADDR='10.0.0.5/24'\n" },
        { SUSE "eth-id-" MAC, "IPADDR='10.0.0.5/24'\n" },
        { "/etc/iftab", "eth0 mac " MAC "\n" },
        { "/boot/grub/grub.cfg", "linux /vmlinuz net.ifnames=0\n" } },
      .nic_mac = "52:54:00:00:00:01",
      .nic = "eth0",
      .want = { "/etc/iftab", "eth0 mac 52:54:00:00:00:01\n" },
      .note = "ifcfg-eth-id-" MAC " is for the old address of eth0" },
    { "SUSE: a file for a slot",
      { { SUSE "eth-bus-pci-0000:0b:00.0", "IPADDR='10.0.0.5/24'\n" } },
      .want = { NULL, NULL },
      .note = "names a slot" },
    { "SUSE: a bond of a slot and an interface",
      { { SUSE "bond0", "BONDING_MASTER='yes'\nBONDING_SLAVE0='bus-pci-0000:0b:00.0'\n" } },
      .want = { NULL, NULL },
      .note = "names a slot" },
    { "modprobe loads the old driver (EL5)",
      { { RHEL "eth0", "DEVICE=eth0\nHWADDR=" MAC "\nIPADDR=10.0.0.5\n" },
        RENAME_DEVICE,
        { "/etc/modprobe.conf", "alias eth0 vmxnet # one\nalias eth1\tpcnet32\n"
                                "alias scsi_hostadapter mptbase\nalias eth2 bnx2\n" } },
      .old_udev = true,
      .want = { "/etc/modprobe.conf", "alias eth0 virtio_net # one\nalias eth1\tvirtio_net\n"
                                      "alias scsi_hostadapter mptbase\nalias eth2 bnx2\n" } },
    { "udev without ATTR{}: HWADDR is the name's rule (EL5)",
      { { RHEL "lan", "DEVICE=lan\nIPADDR=10.0.0.5" },
        RENAME_DEVICE,
        { "/etc/udev/rules.d/50-udev.rules", "KERNEL==\"sd*\", SYSFS{vendor}==\"x\"\n" } },
      .nic_mac = MAC,
      .nic = "lan",
      .old_udev = true,
      .want = { RHEL "lan", "DEVICE=lan\nIPADDR=10.0.0.5\nHWADDR=" MAC "\n" } },
    { "udev without ATTR{}: eth0 is the kernel's",
      { { RHEL "eth0", "DEVICE=eth0\nIPADDR=10.0.0.5" },
        RENAME_DEVICE,
        { "/etc/udev/rules.d/50-udev.rules", "KERNEL==\"sd*\", SYSFS{vendor}==\"x\"\n" } },
      .old_udev = true,
      .want = { NULL, NULL } },
    { "settings of ethtool in ifcfg",
      { { RHEL "ens192", "DEVICE=ens192\nHWADDR=" MAC "\nETHTOOL_OPTS=\"-G ens192 rx 4096\"\n"
                         "ONBOOT=yes\n" },
        RENAME_DEVICE },
      .want = { RHEL "ens192", "DEVICE=ens192\nHWADDR=" MAC "\n"
                               "#ETHTOOL_OPTS=\"-G ens192 rx 4096\"\nONBOOT=yes\n" } },
    { "settings of ethtool that virtio has too",
      { { RHEL "ens192", "DEVICE=ens192\nHWADDR=" MAC "\nETHTOOL_OPTS=\"-K ${DEVICE} tso off\"\n" },
        RENAME_DEVICE },
      .want = { NULL, NULL } },
    { "ethtool before the interface is up",
      { { INTERFACES, STATIC "  pre-up /sbin/ethtool -G ens192 rx 4096\n"
                             "  up ethtool -K ens192 lro off || true\n  up ip route add x\n" },
        { RULES, RULE } },
      .want = { INTERFACES, STATIC "  pre-up /sbin/ethtool -G ens192 rx 4096 || true\n"
                                   "  up ethtool -K ens192 lro off || true\n"
                                   "  up ip route add x\n" } },
    { "static addresses that cloud-init wrote",
      { { NETPLAN, "# To disable cloud-init's network configuration capabilities ...\n"
                   "network:\n  ethernets:\n    ens192:\n      addresses: [10.0.0.5/24]\n" },
        { RULES, RULE },
        { "/var/lib/dhcp/dhclient.ens192.leases",
          "lease {\n  interface \"ens192\";\n"
          "  option dhcp-client-identifier 1:0:50:56:aa:bb:cc;\n}\n" },
        { "/etc/cloud/cloud.cfg", "#network: {config: disabled}\n" } },
      .want = { "/etc/cloud/cloud.cfg.d/99-h2k-network.cfg",
                "# the static addresses stay as they are (h2k)\n"
                "network: {config: disabled}\n" } },
    { "cloud-init writes no network configuration",
      { { NETPLAN, "# To disable cloud-init's network configuration capabilities ...\n"
                   "network: {ethernets: {ens192: {addresses: [10.0.0.5/24]}}}\n" },
        { RULES, RULE },
        { "/etc/cloud/cloud.cfg", "" },
        { "/etc/cloud/cloud.cfg.d/a.cfg", "network:\n  config: \"disabled\"\n" } },
      .want = { NULL, NULL } },
    { "cloud-init wrote no static address",
      { { NETPLAN, "network: {ethernets: {ens192: {dhcp4: true}}}\n" },
        { RULES, RULE },
        { "/etc/cloud/cloud.cfg", "" } },
      .want = { NULL, NULL } },
    { "mdev takes no name away",
      { { INTERFACES, "iface eth0 inet dhcp\n" }, { "/etc/mdev.conf", "# @/sbin/nameif\n" } },
      .old_udev = true,
      .want = { NULL, NULL } },
    { "mdev with nameif",
      { { INTERFACES, "iface lan inet dhcp\n" },
        { "/etc/mdev.conf", "-SUBSYSTEM=net;.* root:root 600 @/sbin/nameif -s\n" } },
      .nic_mac = MAC,
      .nic = "lan",
      .old_udev = true,
      .want = { "/etc/mactab", "lan " MAC "\n" } },
    { "mdev alone cannot give a name",
      { { INTERFACES, "iface lan inet dhcp\n" }, { "/sbin/mdev", "" } },
      .old_udev = true,
      .want = { NULL, NULL },
      .note = "nothing in this guest gives a card that name" },
    { "eudev reads rules, whatever folders packages have left",
      { { INTERFACES, STATIC },
        { "/sbin/udevd", "" },
        { "/usr/lib/systemd/network/80-vm.network", "" } },
      .nic_mac = MAC,
      .old_udev = true,
      .want = { RULES, RULE } },
    { "net.ifnames=0 in an entry of the boot loader specification",
      { { RHEL "eth0", "DEVICE=eth0\n" },
        { "/boot/grub/grub.cfg", "blscfg\n" },
        { "/boot/loader/entries/a.conf", "options root=UUID=1 net.ifnames=0\n" } },
      .want = { NULL, NULL } },
};

static struct tree tree;
static struct plan *plan;

static void make_plan(const struct fix_opts *opts)
{
    struct fix_context ctx = { .opts = opts };
    struct facts *facts = facts_new();
    struct err err = ERR_NONE;
    const char *why = NULL;
    char text[1024];

    facts->os = OS_LINUX;
    linux_net(tree.root, facts);
    facts_set(&facts->boot_config, "/boot/grub/grub.cfg");
    ctx.facts = facts;
    plan = plan_new(tree.root);
    plan->fixer = fixer_network.name;
    assert_true(fixer_network.applies(&ctx, &why));
    if (fixer_network.plan(&ctx, plan, &err) < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
    facts_free(facts);
}

static void expect_note(const char *part)
{
    bool found = false;

    if (!part)
        assert_int_equal(plan->notes.n, 0);
    for (size_t i = 0; part && i < plan->notes.n; i++)
        found |= strstr(plan->notes.items[i], part) != NULL;
    assert_true(!part || found);
}

static void names_stay_and_nothing_else_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct nic_option nic = { .name = mem_strdup(cases[i].nic ? cases[i].nic : "ens192"),
                                  .mac = mem_strdup(cases[i].nic_mac) };
        struct fix_opts opts = { .nics = &nic, .n_nics = cases[i].nic_mac != NULL };
        size_t n_want = cases[i].want.path != NULL;
        struct err err = ERR_NONE;

        print_message("case: %s\n", cases[i].label);
        tree_open(&tree, NULL);
        if (!cases[i].old_udev)
            tree_put(&tree, "/usr/lib/systemd/network/99-default.link", "", 0644);
        for (size_t j = 0; j < ARRAY_SIZE(cases[i].have) && cases[i].have[j].path; j++)
            tree_put(&tree, cases[i].have[j].path, cases[i].have[j].text, 0600);
        make_plan(&opts);
        expect_note(cases[i].note);
        for (size_t j = plan->n; j > 0; j--)
            if (plan->changes[j - 1].action == CHANGE_WRITE)
                n_want--;
        assert_int_equal(n_want, 0);
        assert_int_equal(plan_apply(plan, &err), 0);
        if (cases[i].want.path)
            tree_expect(&tree, cases[i].want.path, cases[i].want.text);
        plan_free(plan);

        make_plan(&opts); /* what was made is enough */
        assert_int_equal(plan->n, 0);
        plan_free(plan);
        tree_close(&tree);
        free(nic.name);
        free(nic.mac);
    }
}

/* udev would give it the last card's name when it starts anew behind the initramfs: the rule is for
 * names of the kernel. */
static void a_rule_is_not_enough_beside_the_last_card(void **state)
{
    struct fix_opts opts = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/usr/lib/systemd/network/99-default.link", "", 0644);
    tree_put(&tree, INTERFACES, "iface ens192 inet dhcp\niface ens224 inet dhcp\n", 0644);
    tree_put(&tree, RULES, RULE, 0644);
    make_plan(&opts);
    assert_int_equal(plan->notes.n, 0);
    assert_int_equal(plan_apply(plan, &err), 0);
    tree_expect(&tree, "/etc/systemd/network/97-h2k-ens192.link", BY_MAC);
    tree_expect(&tree, "/etc/systemd/network/98-h2k-ens224.link",
                LINK_HEAD "Driver=virtio_net\n\n[Link]\nName=ens224\n");
    plan_free(plan);
    make_plan(&opts);
    assert_int_equal(plan->n, 0);
    plan_free(plan);
    tree_close(&tree);
}

/* Both addresses are known to the guest, and each is the other's now. */
static void addresses_may_change_places(void **state)
{
    static const char a[] = "00:50:56:00:00:0a", b[] = "00:50:56:00:00:0b";
    struct nic_option nics[] = { { mem_strdup("lan0"), mem_strdup(b) },
                                 { mem_strdup("lan1"), mem_strdup(a) } };
    struct fix_opts opts = { .nics = nics, .n_nics = 2 };
    struct err err = ERR_NONE;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, RHEL "lan0", "DEVICE=lan0\nHWADDR=00:50:56:00:00:0A\n", 0644);
    tree_put(&tree, RHEL "lan1", "DEVICE=lan1\nHWADDR=00:50:56:00:00:0b\n", 0644);
    tree_put(&tree, "/lib/udev/rename_device", "", 0755);
    make_plan(&opts);
    assert_int_equal(plan->n, 2);
    assert_int_equal(plan_apply(plan, &err), 0);
    tree_expect(&tree, RHEL "lan0", "DEVICE=lan0\nHWADDR=00:50:56:00:00:0B\n");
    tree_expect(&tree, RHEL "lan1", "DEVICE=lan1\nHWADDR=00:50:56:00:00:0a\n");
    plan_free(plan);
    make_plan(&opts);
    assert_int_equal(plan->n, 0);
    plan_free(plan);
    tree_close(&tree);
    for (size_t i = 0; i < ARRAY_SIZE(nics); i++) {
        free(nics[i].name);
        free(nics[i].mac);
    }
}

/* Without virtio in the kernel the machine gets an e1000 card. */
static void aliases_name_the_driver_of_the_new_card(void **state)
{
    struct fix_opts opts = { 0 };
    struct fix_context ctx = { .opts = &opts };
    struct facts *facts = facts_new();
    struct fact_kernel *kernel;
    struct err err = ERR_NONE;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/etc/modprobe.conf", "alias eth0 e1000\nalias eth1 vmxnet\n", 0644);
    tree_put(&tree, "/etc/udev/rules.d/70-x.rules",
             "SUBSYSTEM==\"net\", DRIVERS==\"vmxnet3\", NAME=\"lan\"\n", 0644);
    kernel = facts_add_kernel(facts);
    kernel->is_default = true;
    kernel->virtio_known = true;
    ctx.facts = facts;
    plan = plan_new(tree.root);
    plan->fixer = fixer_network.name;
    assert_int_equal(fixer_network.plan(&ctx, plan, &err), 0);
    assert_int_equal(plan_apply(plan, &err), 0);
    tree_expect(&tree, "/etc/modprobe.conf", "alias eth0 e1000\nalias eth1 e1000\n");
    tree_expect(&tree, "/etc/udev/rules.d/70-x.rules",
                "SUBSYSTEM==\"net\", DRIVERS==\"e1000\", NAME=\"lan\"\n");
    plan_free(plan);
    facts_free(facts);
    tree_close(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_stay_and_nothing_else_changes),
        cmocka_unit_test(a_rule_is_not_enough_beside_the_last_card),
        cmocka_unit_test(addresses_may_change_places),
        cmocka_unit_test(aliases_name_the_driver_of_the_new_card),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
