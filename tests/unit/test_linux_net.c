/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which interface names a guest relies on, by every network program's files. */
#include <errno.h>
#include <stdio.h>

#include "inspect/linux.h"
#include "inspect/wicked.h"
#include "tests/unit/tree.h"

#define MAC "00:50:56:aa:bb:cc"
#define RHEL "/etc/sysconfig/network-scripts/ifcfg-"
#define SUSE "/etc/sysconfig/network/ifcfg-"
#define NM "/etc/NetworkManager/system-connections/"
#define UNITS "/etc/systemd/network/"
#define INTERFACES "/etc/network/interfaces"

static const struct {
    const char *label;
    struct {
        const char *path, *text;
    } have[4];
    const char *want; /* stacks, then "name mac|- static|dynamic" of each interface */
} cases[] = {
    { "Red Hat: card by HWADDR",
      { { RHEL "eth0", "DEVICE=\"eth0\"\nHWADDR=\"00:50:56:AA:BB:CC\"\nIPADDR=10.0.0.5\n" } },
      "ifcfg: eth0 " MAC " static" },
    { "Red Hat: a profile without DEVICE is for any interface",
      { { RHEL "Wired_connection_1", "TYPE=Ethernet\nBOOTPROTO=dhcp\nNAME=\"Wired 1\"\n" } },
      "ifcfg:" },
    { "Red Hat: bond of two, with a VLAN on it",
      { { RHEL "lan", "DEVICE=lan\nBONDING_OPTS=\"mode=1\"\nIPADDR=10.0.0.5\n" },
        { RHEL "eth0", "DEVICE=eth0\nMASTER=lan\nSLAVE=yes\n" },
        { RHEL "eth1", "DEVICE=eth1\nMASTER=lan\nSLAVE=yes\n" },
        { RHEL "lan.10", "DEVICE=lan.10\nVLAN=yes\nIPADDR=10.1.0.5\n" } },
      "ifcfg: eth0 - dynamic eth1 - dynamic" },
    { "Red Hat: bridge, alias, VLAN with PHYSDEV, team",
      { { RHEL "ens192", "DEVICE=ens192\nBRIDGE=lan\n" },
        { RHEL "lan", "DEVICE=lan\nTYPE=Bridge\n" },
        { RHEL "ens224:0", "DEVICE=ens224:0\nIPADDR=10.0.0.5\n" },
        { RHEL "prod", "DEVICE=prod\nVLAN=yes\nPHYSDEV=ens256\nVLAN_ID=7\n" } },
      "ifcfg: ens192 - dynamic ens224 - static ens256 - dynamic" },
    { "Red Hat: copies that nobody reads",
      { { RHEL "eth0.bak", "DEVICE=eth9\n" }, { RHEL "eth0", "DEVICE=eth0\n" } },
      "ifcfg: eth0 - dynamic" },
    { "SUSE: the file's name",
      { { SUSE "eth0", "BOOTPROTO='static'\nIPADDR='10.0.0.5/24'\n" },
        { SUSE "eth0.rpmsave", "" },
        { SUSE "vlan10", "ETHERDEVICE='eth1'\nVLAN_ID='10'\n" } },
      "ifcfg: eth0 - static eth1 - dynamic" },
    { "SUSE: a file by the card's address",
      { { SUSE "eth-id-" MAC, "BOOTPROTO='dhcp'\n" },
        { SUSE "eth-bus-pci-0000:0b:00.0", "BOOTPROTO='dhcp'\n" } },
      "ifcfg: ? " MAC " dynamic" },
    { "cards without a name: Red Hat, NetworkManager, netplan",
      { { RHEL "Wired", "HWADDR=00:50:56:00:00:01\nIPADDR=10.0.0.5\n" },
        { NM "a", "[ethernet]\nmac-address=00:50:56:00:00:02\n" },
        { "/etc/netplan/a.yaml",
          "network: {ethernets: {a: {match: {macaddress: '00:50:56:00:00:03'}}}}\n" } },
      "netplan,networkmanager,ifcfg: ? 00:50:56:00:00:03 dynamic ? 00:50:56:00:00:02 dynamic "
      "? 00:50:56:00:00:01 static" },
    { "cards without a name: networkd, until a rule gives one",
      { { UNITS "a.network", "[Match]\nMACAddress=00:50:56:00:00:01 00:50:56:00:00:02\n"
                             "[Network]\nAddress=10.0.0.5/24\n" },
        { INTERFACES, "iface lan inet manual\n" },
        { UNITS "a.link", "[Match]\nMACAddress=00:50:56:00:00:01\n[Link]\nName=lan\n" } },
      "networkd: lan 00:50:56:00:00:01 dynamic ? 00:50:56:00:00:02 static" },
    { "SUSE: bond and bridge",
      { { SUSE "prod", "BONDING_MASTER='yes'\nBONDING_SLAVE0='eth0'\nBONDING_SLAVE_1='eth1'\n" },
        { SUSE "lan", "BRIDGE='yes'\nBRIDGE_PORTS='eth2 eth3'\n" } },
      "ifcfg: eth2 - dynamic eth3 - dynamic eth0 - dynamic eth1 - dynamic" },
    { "NetworkManager: a bond, its members, a VLAN",
      { { NM "bond.nmconnection",
          "[connection]\ntype=bond\ninterface-name=prod\n[ipv4]\nmethod=manual\n" },
        { NM "a.nmconnection", "[connection]\ntype=ethernet\ninterface-name=ens192\n"
                               "controller=prod\n[ethernet]\nmac-address=" MAC "\n" },
        { NM "v.nmconnection",
          "[connection]\ntype=vlan\ninterface-name=v7\n[vlan]\nparent=ens224\n" } },
      "networkmanager: ens192 " MAC " dynamic ens224 - dynamic" },
    { "NetworkManager: names in the match, a master by its name",
      { { NM "a", "[connection]\ninterface-name=lan\n[ipv4]\nmethod=manual\n" },
        { NM "b", "[connection]\nmaster=lan\n[match]\ninterface-name=ens192;!ens3;en*;\n" } },
      "networkmanager: ens192 - dynamic" },
    { "networkd: matches add up, a bond has a name of its own",
      { { UNITS "1.network", "[Match]\nName=ens192\nName=ens224 en*\n[Network]\nBond=prod\n" },
        { UNITS "2.netdev", "[NetDev]\nName=prod\nKind=bond\n" },
        { UNITS "3.network", "[Match]\nName=prod\n[Network]\nAddress=10.0.0.5/24\n" } },
      "networkd: ens192 - dynamic ens224 - dynamic" },
    { "ifupdown: words that are no ports, a bond by its members",
      { { INTERFACES, "iface vmbr0 inet static\n bridge_ports regex en.* ens192 none\n"
                      "iface ens224 inet manual\n bond-master prod\n"
                      "iface prod inet static\n address 10.0.0.5/24\n" },
        { "/sbin/ifup", "" } },
      "ifupdown: ens192 - dynamic ens224 - dynamic" },
    { "ifupdown-ng: a bond and a VLAN",
      { { INTERFACES, "iface lan\n bond-members eth0 eth1\n address 10.0.0.5/24\n"
                      "iface office\n vlan-raw-device eth2\n vlan-id 7\n" },
        { "/sbin/ifup", "" } },
      "ifupdown: eth0 - dynamic eth1 - dynamic eth2 - dynamic" },
    { "Red Hat: what is not started at boot, as far as its card is not known",
      { { RHEL "ens192", "DEVICE=ens192\nONBOOT=yes\nIPADDR=10.0.0.5\n" },
        { RHEL "ens192:1", "DEVICE=ens192:1\nONBOOT=no\nIPADDR=10.0.0.6\n" },
        { RHEL "ens33", "DEVICE=ens33\nONBOOT=No\nBOOTPROTO=dhcp\n" },
        { RHEL "ens34", "DEVICE=ens34\nONBOOT=no\nHWADDR=" MAC "\n" } },
      "ifcfg: ens192 - static ens34 " MAC " dynamic" },
    { "Red Hat: members are started with their bond",
      { { RHEL "bond0", "DEVICE=bond0\nTYPE=Bond\nONBOOT=yes\nIPADDR=10.0.0.5\n" },
        { RHEL "ens192", "DEVICE=ens192\nONBOOT=no\nMASTER=bond0\nSLAVE=yes\n" },
        { RHEL "ens33", "DEVICE=ens33\nONBOOT=no\n" } },
      "ifcfg: ens192 - dynamic" },
    { "Red Hat: nothing is started at boot",
      { { RHEL "ens192", "DEVICE=ens192\nONBOOT=no\n" },
        { RHEL "bond0", "DEVICE=bond0\nTYPE=Bond\nONBOOT=yes\n" } },
      "ifcfg: ens192 - dynamic" },
    { "SUSE: what is not started at boot",
      { { SUSE "eth0", "STARTMODE='auto'\n" },
        { SUSE "eth1", "STARTMODE='off'\n" },
        { SUSE "eth2", "STARTMODE='manual'\n" } },
      "ifcfg: eth0 - dynamic" },
    { "NetworkManager: what is not started at boot",
      { { NM "a", "[connection]\ninterface-name=ens192\n[ipv4]\nmethod=manual\n" },
        { NM "b", "[connection]\ninterface-name=ens33\nautoconnect=false\n" } },
      "networkmanager: ens192 - static" },
    { "NetworkManager: what was in use once",
      { { NM "a", "[connection]\ninterface-name=ens192\nuuid=a-1\n" },
        { NM "b", "[connection]\ninterface-name=ens33\nuuid=b-2\n" },
        { NM "c", "[connection]\ninterface-name=ens224\nuuid=c-3\n" },
        { "/var/lib/NetworkManager/timestamps",
          "[timestamps]\nb-2=1690000000\na-1=1712345678\nz-9=1712345978\n" } },
      "networkmanager: ens192 - dynamic ens224 - dynamic" },
    { "Red Hat: what was in use once",
      { { RHEL "ens192", "DEVICE=ens192\nUUID=\"a-1\"\nONBOOT=yes\n" },
        { RHEL "ens33", "DEVICE=ens33\nUUID=\"b-2\"\nONBOOT=yes\n" },
        { "/var/lib/NetworkManager/timestamps",
          "[timestamps]\nb-2=1690000000\na-1=1712345678\n" } },
      "ifcfg: ens192 - dynamic" },
    { "ifupdown: what is not started at boot",
      { { INTERFACES, "source interfaces.d/*\nauto lo\nauto br0\niface br0 inet dhcp\n"
                      " bridge_ports ens224\niface ens224 inet manual\niface ens33 inet dhcp\n" },
        { "/etc/network/interfaces.d/a", "allow-hotplug ens192\niface ens256 inet manual\n" },
        { "/etc/network/interfaces.d/b", "iface ens192 inet static\n address 10.0.0.5/24\n"
                                         "auto ens256.7\niface ens256.7 inet dhcp\n" },
        { "/sbin/ifup", "" } },
      "ifupdown: ens224 - dynamic ens256 - dynamic ens192 - static" },
    { "ifupdown: started by a pattern",
      { { INTERFACES, "auto /ens*\niface ens192 inet dhcp\niface ens224 inet dhcp\n"
                      "iface usb0 inet dhcp\n" },
        { "/sbin/ifup", "" } },
      "ifupdown: ens192 - dynamic ens224 - dynamic" },
    { "wicked's XML",
      { { "/etc/wicked/ifconfig/lan.xml",
          "<config><interface><name>eth0</name><ipv4:static><address/></ipv4:static></interface>"
          "<interface><name>prod</name><bond><slaves><slave><device>eth1</device></slave></slaves>"
          "</bond></interface></config>" } },
      "wicked: eth0 - static eth1 - dynamic" },
    { "dhcpcd",
      { { "/etc/dhcpcd.conf",
          "hostname\ninterface eth0\nstatic ip_address=10.0.0.5/24\n"
          "interface eth1\nmetric 5\nprofile x\nstatic ip_address=10.1.0.5\n" } },
      "dhcpcd: eth0 - static eth1 - dynamic" },
    { "connman: settings belong to the card",
      { { "/var/lib/connman/ethernet_005056aabbcc_cable/settings", "[x]\nName=Wired\n" },
        { "/var/lib/connman/a.config",
          "[service_a]\nType=ethernet\nDeviceName=eth0\nIPv4=10.0.0.5/24/10.0.0.1\n" },
        { "/var/lib/connman/ethernet_005056000001_cable/settings",
          "[ethernet_005056000001_cable]\nIPv4.method=manual\n" } },
      "connman: eth0 - static ? 00:50:56:00:00:01 static ? " MAC " dynamic" },
    { "netctl",
      { { "/etc/netctl/lan", "Interface=eth0\nConnection=ethernet\nIP=static\n" },
        { "/etc/netctl/prod",
          "Interface=prod\nConnection=bond\nBindsToInterfaces=('eth1' eth2)\nIP=dhcp\n" } },
      "netctl: eth0 - static eth1 - dynamic eth2 - dynamic" },
    { "netifrc",
      { { "/etc/conf.d/net", "config_eth0=\"10.0.0.5/24\nfe80::1\"\nslaves_prod=\"eth1 eth2\"\n"
                             "config_prod=( \"10.1.0.5/24\" )\nconfig_eth3_10=\"dhcp\"\n" } },
      "netifrc: eth0 - static eth1 - dynamic eth2 - dynamic eth3 - dynamic" },
    { "etcnet, and a table of names",
      { { "/etc/net/ifaces/eth0/options", "TYPE=eth\nBOOTPROTO=static\n" },
        { "/etc/net/ifaces/breth/options", "TYPE=bri\nHOST='eth1'\n" },
        { "/etc/net/ifaces/default/options", "TYPE=eth\n" },
        { "/etc/net/iftab", "eth1 mac " MAC "\n" } },
      "etcnet: eth1 " MAC " dynamic eth0 - static" },
    { "what kudzu found",
      { { RHEL "eth0", "DEVICE=eth0\n" },
        { RHEL "eth1", "DEVICE=eth1\n" },
        { "/etc/sysconfig/hwconf",
          "-\nclass: NETWORK\nbus: PCI\ndevice: eth1\ndriver: e1000\n"
          "network.hwaddr: 00:50:56:AA:BB:CC\n-\nclass: HD\ndevice: eth0\n-\nclass: NETWORK\n"
          "network.hwaddr: 00:50:56:00:00:01\ndevice: eth0" } },
      "ifcfg: eth0 00:50:56:00:00:01 dynamic eth1 " MAC " dynamic" },
    { "Slackware",
      { { "/etc/rc.d/rc.inet1.conf",
          "IPADDR[0]=\"10.0.0.5\"\n#IPADDR[1]=\"10.1.0.5\"\nUSE_DHCP[1]=\"\"\n"
          "USE_DHCP[2]='yes'\nIFNAME[2]=lan # x\nIFNAME[3]=\"office\"\nBRNICS[3]=\"eth3 eth4\"\n"
          "IPADDR[3]=\"10.3.0.5\"\nIPADDR[99]=\"10.9.0.5\"\nIPADDR[\nIPADDR[1]" } },
      "rcinet1: eth0 - static lan - dynamic eth3 - dynamic eth4 - dynamic" },
    { "BusyBox's table of names, cloud-init's addresses",
      { { INTERFACES, "iface eth0 inet dhcp\niface eth1 inet dhcp\n" },
        { "/etc/mactab", "eth0 mac=" MAC "\n" },
        { "/etc/cloud/cloud.cfg.d/50.cfg",
          "network:\n  ethernets:\n    eth1: {match: {macaddress: \"00:50:56:00:00:01\"}}\n" } },
      ": eth0 " MAC " dynamic eth1 00:50:56:00:00:01 dynamic" },
    { "cloud-init's version 1: names of cards, not of what is on them",
      { { INTERFACES, "iface ens192 inet static\niface ens224 inet dhcp\niface lan7 inet dhcp\n" },
        { "/etc/cloud/cloud.cfg.d/50-curtin-networking.cfg",
          "network:\n  version: 1\n  config:\n  - type: physical\n    name: ens192\n"
          "    mac_address: '" MAC "'\n    subnets:\n    - {type: static, address: 10.0.0.5/24}\n"
          "  - mac_address: 00:50:56:00:00:02\n    name: lan7\n    type: bond\n" },
        { "/var/lib/cloud/seed/nocloud-net/network-config",
          "version: 1\nconfig:\n- {type: physical, name: ens224, mac_address: "
          "\"00:50:56:00:00:01\"}\n- {type: nameserver, address: 10.0.0.1}\n" } },
      ": ens192 " MAC " static ens224 00:50:56:00:00:01 dynamic lan7 - dynamic" },
    { "cloud-init's answer as it keeps it",
      { { INTERFACES, "iface ens192 inet dhcp\n" },
        { "/var/lib/cloud/instance/network-config.json",
          "{\"version\": 2, \"ethernets\": {\"a\": {\"match\": {\"macaddress\": \"" MAC
          "\"}, \"set-name\": \"ens192\"}}}\n" } },
      ": ens192 " MAC " dynamic" },
};

static void names_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct facts *facts = facts_new();
        struct strbuf got = { 0 };
        struct tree tree;

        print_message("case: %s\n", cases[i].label);
        tree_open(&tree, NULL);
        for (size_t k = 0; k < ARRAY_SIZE(cases[i].have) && cases[i].have[k].path; k++)
            tree_put(&tree, cases[i].have[k].path, cases[i].have[k].text, 0600);
        linux_net(tree.root, facts);
        strbuf_printf(&got, "%s:", facts->network_stack);
        for (size_t k = 0; k < facts->n_nics; k++)
            strbuf_printf(&got, " %s %s %s", *facts->nics[k].name ? facts->nics[k].name : "?",
                          *facts->nics[k].mac ? facts->nics[k].mac : "-",
                          facts->nics[k].is_static ? "static" : "dynamic");
        assert_string_equal(strbuf_text(&got), cases[i].want);
        strbuf_done(&got);
        tree_close(&tree);
        facts_free(facts);
    }
}

static void wicked_finds_cards_by_their_address(void **state)
{
    static const char text[] =
        "<!DOCTYPE x [<!ENTITY e \"eth9\">]>\n"
        "<x><interface><name namespace=\"ethernet\"><permanent-address> " MAC
        " </permanent-address></name><link><master>br0</master></link></interface>"
        "<interface><name>&e;</name></interface><interface/></x>";
    struct wicked wicked;

    (void)state;
    assert_int_equal(wicked_parse(text, sizeof(text) - 1, &wicked), 0);
    assert_int_equal(wicked.n, 2);
    assert_string_equal(wicked.ifaces[0].mac, MAC);
    assert_string_equal(wicked.ifaces[0].name, "");
    assert_false(wicked.ifaces[0].is_software);
    assert_string_equal(wicked.ifaces[1].name, ""); /* no entity is expanded */
    wicked_done(&wicked);
    assert_int_equal(wicked_parse("", 0, &wicked), -EBADMSG);
    wicked_done(&wicked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(wicked_finds_cards_by_their_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
