/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses that the user asks for, in the file that the guest reads; planned twice. */
#include "fixers/apply.h"
#include "fixers/fixer.h"
#include "inspect/linux.h"
#include "tests/unit/facts_file.h"
#include "tests/unit/tree.h"

#define STATIC                                                                                     \
    "network:\n- {name: ens1, addresses: [10.0.0.2/24, 10.0.0.3/24, 'fd00::2/64', 'fd00::3/64'], " \
    "gateways: [10.0.0.1, 'fd00::1'], dns: [10.0.0.53, 'fd00::53'], search: [a.b, c]}\n"
#define ONE                                                                                        \
    "network: [{name: ens1, addresses: [10.0.0.2/23, 'fd00::2/64'], gateways: 10.0.0.1, "          \
    "dns: [10.0.0.53, 10.0.0.54]}]\n"
#define DHCP "network: [{name: ens1, dhcp: true}]\n"

static const struct {
    const char *label, *config;
    const char *have[3][2]; /* files of the guest */
    const char *path, *want;
    const char *error;
    const char *also[5][2]; /* further files that change */
} cases[] = {
    { "networkd",
      STATIC,
      { { "/etc/systemd/network/50-a.network", "[Match]\nName=ens1\n" } },
      .path = "/etc/systemd/network/05-h2k-ens1.network",
      .want = "[Match]\nName=ens1\n\n[Network]\nDHCP=no\nAddress=10.0.0.2/24\nAddress=10.0.0.3/24\n"
              "Address=fd00::2/64\nAddress=fd00::3/64\nGateway=10.0.0.1\nGateway=fd00::1\n"
              "DNS=10.0.0.53\nDNS=fd00::53\nDomains=a.b c\n" },
    { "networkd, DHCP",
      DHCP,
      { { "/etc/systemd/network/50-a.network", "[Match]\nName=ens9\n" } },
      .path = "/etc/systemd/network/05-h2k-ens1.network",
      .want = "[Match]\nName=ens1\n\n[Network]\nDHCP=yes\n" },
    { "netplan",
      STATIC,
      { { "/etc/netplan/a.yaml", "network: {version: 2, ethernets: {ens9: {dhcp4: true}}}\n" } },
      .path = "/etc/netplan/95-h2k-ens1.yaml",
      .want =
          "network:\n  version: 2\n  ethernets:\n    ens1:\n      dhcp4: false\n"
          "      addresses: [\"10.0.0.2/24\", \"10.0.0.3/24\", \"fd00::2/64\", \"fd00::3/64\"]\n"
          "      nameservers: {addresses: [\"10.0.0.53\", \"fd00::53\"], search: [a.b, c]}\n"
          "      routes: [{to: \"0.0.0.0/0\", via: \"10.0.0.1\"}, {to: \"::/0\", via: "
          "\"fd00::1\"}]\n" },
    { "netplan has it",
      DHCP,
      { { "/etc/netplan/a.yaml",
          "network: {version: 2, ethernets: {ens1: {mtu: 9000, addresses: [10.0.0.2/24]}}}\n" } },
      .path = "/etc/netplan/a.yaml",
      .want = "network: {version: 2, ethernets: {ens1: {mtu: 9000, dhcp4: true}}}\n" },
    { "netplan has it in two files, by a name that it gives",
      DHCP,
      { { "/etc/netplan/a.yaml",
          "network:\n  ethernets:\n    lan:\n      match: {macaddress: 00:50:56:00:00:01}\n"
          "      set-name: ens1\n      addresses: [10.0.0.2/24]\n" },
        { "/etc/netplan/b.yaml",
          "network:\n  ethernets:\n    lan:\n      # more\n      gateway4: 10.0.0.1\n" },
        { "/etc/netplan/c.yaml",
          "network:\n  ethernets:\n    other:\n      addresses: [10.0.0.2/24]\n" } },
      .path = "/etc/netplan/a.yaml",
      .want = "network:\n  ethernets:\n    lan:\n      match: {macaddress: 00:50:56:00:00:01}\n"
              "      set-name: ens1\n      dhcp4: true\n",
      .also = { { "/etc/netplan/b.yaml",
                  "network:\n  ethernets:\n    lan:\n      # more\n      dhcp4: true\n" } } },
    { "netplan has a pattern for it",
      DHCP,
      { { "/etc/netplan/a.yaml",
          "network:\n  ethernets:\n    all:\n      match: {name: en*}\n      dhcp4: false\n" } },
      .path = "/etc/systemd/network/05-h2k-ens1.network",
      .want = "[Match]\nName=ens1\n\n[Network]\nDHCP=yes\n" },
    { "... and NetworkManager",
      DHCP,
      { { "/etc/netplan/a.yaml",
          "network:\n  renderer: NetworkManager\n  ethernets:\n    all:\n      match: {driver: "
          "[e1000, virtio_net]}\n" } },
      .path = "/etc/NetworkManager/system-connections/h2k-ens1.nmconnection",
      .want = "[connection]\nid=h2k-ens1\ntype=ethernet\ninterface-name=ens1\nautoconnect-priority="
              "999\n"
              "\n[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=auto\n" },
    { "netplan has a card",
      DHCP,
      { { "/etc/netplan/a.yaml",
          "network:\n  ethernets:\n    lan:\n      match: {macaddress: 00:50:56:00:00:01}\n" } },
      .error = "/etc/netplan/a.yaml configures a card by its address" },
    { "netplan has a bond of it",
      DHCP,
      { { "/etc/netplan/a.yaml",
          "network:\n  ethernets:\n    ens1: {}\n  bonds:\n    bond0:\n      interfaces: [ens2, "
          "ens1]\n" } },
      .error = "ens1 is part of a bond or bridge in /etc/netplan/a.yaml" },
    { "netplan has it in words of its own",
      DHCP,
      { { "/etc/netplan/a.yaml", "network:\n  ethernets:\n    ens1: &x\n      dhcp4: true\n" } },
      .error = "in a way that cannot be edited" },
    { "NetworkManager",
      STATIC,
      { { "/etc/NetworkManager/system-connections/a.nmconnection",
          "[connection]\ntype=ethernet\ninterface-name=ens1\n[ipv4]\nmethod=auto\n" } },
      .path = "/etc/NetworkManager/system-connections/h2k-ens1.nmconnection",
      .want =
          "[connection]\nid=h2k-ens1\ntype=ethernet\ninterface-name=ens1\nautoconnect-priority="
          "999\n"
          "\n[ipv4]\nmethod=manual\naddress1=10.0.0.2/24\naddress2=10.0.0.3/24\ngateway=10.0.0.1\n"
          "dns=10.0.0.53;\ndns-search=a.b;c;\n"
          "\n[ipv6]\nmethod=manual\naddress1=fd00::2/64\naddress2=fd00::3/64\ngateway=fd00::1\n"
          "dns=fd00::53;\ndns-search=a.b;c;\n" },
    { "ifcfg",
      STATIC,
      { { "/etc/sysconfig/network-scripts/ifcfg-ens1",
          "# ours\nDEVICE=ens1\nHWADDR=00:50:56:00:00:01\nBOOTPROTO=dhcp\nONBOOT=no\nDNS1=1.1.1.1\n"
          "PEERDNS=no\nIPADDR=1.2.3.4\nNETMASK=255.0.0.0\nIPV6INIT=no\n" } },
      .path = "/etc/sysconfig/network-scripts/ifcfg-ens1",
      .want =
          "# ours\nDEVICE=ens1\nHWADDR=00:50:56:00:00:01\nPEERDNS=no\nONBOOT=yes\nBOOTPROTO=none\n"
          "IPADDR=10.0.0.2\nPREFIX=24\nIPADDR1=10.0.0.3\nPREFIX1=24\nIPV6INIT=yes\n"
          "IPV6ADDR=fd00::2/64\nIPV6ADDR_SECONDARIES=\"fd00::3/64\"\nGATEWAY=10.0.0.1\n"
          "IPV6_DEFAULTGW=fd00::1\nDNS1=10.0.0.53\nDNS2=fd00::53\nDOMAIN=\"a.b c\"\n" },
    { "a new ifcfg",
      DHCP,
      { { "/etc/sysconfig/network-scripts/ifcfg-ens9", "DEVICE=ens9\nBOOTPROTO=dhcp\n" } },
      .path = "/etc/sysconfig/network-scripts/ifcfg-ens1",
      .want = "DEVICE=ens1\nTYPE=Ethernet\nONBOOT=yes\nBOOTPROTO=dhcp\n" },
    { "ifcfg of a bond",
      DHCP,
      { { "/etc/sysconfig/network-scripts/ifcfg-ens1", "DEVICE=ens1\nMASTER=bond0\nSLAVE=yes\n" } },
      .error = "part of a bond" },
    { "SUSE",
      STATIC,
      { { "/etc/sysconfig/network/ifcfg-ens1",
          "# ours\nIPADDR='1.2.3.4/8'\nIPADDR_x='1.2.3.5'\nPREFIXLEN_x=8\nBOOTPROTO='static'\n"
          "STARTMODE='hotplug'\nMTU='9000'\nZONE=public\nLABEL_x=old\nETHTOOL_OPTIONS='a\nb'\n" },
        { "/etc/sysconfig/network/ifroute-ens1",
          "# ours\ndefault 1.1.1.1 - ens1\n10.9.0.0/16 10.0.0.9 - ens1\n" },
        { "/etc/sysconfig/network/config",
          "## Type: string\nNETCONFIG_DNS_POLICY=\"auto\"\nNETCONFIG_DNS_STATIC_SERVERS=\"\"\n"
          "NETCONFIG_DNS_STATIC_SEARCHLIST=\"old\"\n" } },
      .path = "/etc/sysconfig/network/ifcfg-ens1",
      .want = "# ours\nMTU='9000'\nZONE=public\nETHTOOL_OPTIONS='a\nb'\nSTARTMODE='hotplug'\n"
              "BOOTPROTO='static'\nIPADDR='10.0.0.2/24'\nIPADDR_1='10.0.0.3/24'\nIPADDR_2='fd00::2/"
              "64'\n"
              "IPADDR_3='fd00::3/64'\n",
      .also = { { "/etc/sysconfig/network/ifroute-ens1",
                  "# ours\n10.9.0.0/16 10.0.0.9 - ens1\ndefault 10.0.0.1 - ens1\n"
                  "default fd00::1 - ens1\n" },
                { "/etc/sysconfig/network/config",
                  "## Type: string\nNETCONFIG_DNS_POLICY=\"auto\"\n"
                  "NETCONFIG_DNS_STATIC_SERVERS=\"10.0.0.53 fd00::53\"\n"
                  "NETCONFIG_DNS_STATIC_SEARCHLIST=\"a.b c\"\n" } } },
    { "SUSE, DHCP; a route of nobody else",
      DHCP,
      { { "/etc/sysconfig/network/ifcfg-ens1",
          "IPADDR='1.2.3.4/8'\nBOOTPROTO=static\nSTARTMODE=off\n" },
        { "/etc/sysconfig/network/routes", "default 1.1.1.1 - -\n10.9.0.0/16 10.0.0.9 - -\n" } },
      .path = "/etc/sysconfig/network/ifcfg-ens1",
      .want = "STARTMODE='auto'\nBOOTPROTO='dhcp'\n",
      .also = { { "/etc/sysconfig/network/routes", "10.9.0.0/16 10.0.0.9 - -\n" } } },
    { "SUSE, a route that may be another's",
      "network: [{name: ens1, addresses: 10.0.0.2/24, gateways: 'fd00::1'}]\n",
      { { "/etc/sysconfig/network/ifcfg-ens1", "BOOTPROTO=dhcp\n" },
        { "/etc/sysconfig/network/ifcfg-ens2", "BOOTPROTO=static\nIPADDR=1.2.3.4/8\n" },
        { "/etc/sysconfig/network/routes",
          "default 1.1.1.1 - -\ndefault fd00::2 - -\ndefault 2.2.2.2 - ens2\n"
          "0.0.0.0 3.3.3.3 0.0.0.0 ens1\n" } },
      .path = "/etc/sysconfig/network/ifcfg-ens1",
      .want = "STARTMODE='auto'\nBOOTPROTO='static'\nIPADDR='10.0.0.2/24'\n",
      .also = { { "/etc/sysconfig/network/routes",
                  "default 1.1.1.1 - -\ndefault 2.2.2.2 - ens2\n" },
                { "/etc/sysconfig/network/ifroute-ens1", "default fd00::1 - ens1\n" } } },
    { "SUSE before netconfig",
      "network: [{name: ens1, addresses: 10.0.0.2/24, dns: 10.0.0.53},\n"
      "{name: ens1, addresses: 10.0.0.2/24, dns: 10.0.0.54}]\n",
      { { "/etc/sysconfig/network/ifcfg-ens1", "BOOTPROTO=dhcp\n" },
        { "/etc/resolv.conf", "search old\nnameserver 1.1.1.1\n" } },
      .path = "/etc/sysconfig/network/ifcfg-ens1",
      .want = "STARTMODE='auto'\nBOOTPROTO='static'\nIPADDR='10.0.0.2/24'\n",
      .also = { { "/etc/resolv.conf",
                  "search old\nnameserver 10.0.0.53\nnameserver 10.0.0.54\n" } } },
    { "SUSE's bridge",
      DHCP,
      { { "/etc/sysconfig/network/ifcfg-ens1", "BOOTPROTO=none\n" },
        { "/etc/sysconfig/network/ifcfg-lan", "BRIDGE=yes\nBRIDGE_PORTS='ens0 ens1'\n" } },
      .error = "ens1 is part of what /etc/sysconfig/network/ifcfg-lan makes" },
    { "SUSE's card",
      DHCP,
      { { "/etc/sysconfig/network/ifcfg-eth-id-00:50:56:00:00:01", "BOOTPROTO=static\n" } },
      .error = "configures a card by its address" },
    { "wicked without files",
      DHCP,
      { { "/etc/sysconfig/network/config", "NETCONFIG_DNS_POLICY=auto\n" },
        { "/usr/sbin/wicked", "" } },
      .path = "/etc/sysconfig/network/ifcfg-ens1",
      .want = "STARTMODE='auto'\nBOOTPROTO='dhcp'\n" },
    { "ifupdown",
      STATIC,
      { { "/etc/network/interfaces",
          "# all\nauto lo\niface lo inet loopback\n\nallow-hotplug ens1\niface ens1 inet static\n"
          "    # main\n    address 1.2.3.4/8\n    gateway 1.1.1.1\n\nauto ens2\n"
          "iface ens2 inet dhcp\n" } },
      .path = "/etc/network/interfaces",
      .want =
          "# all\nauto lo\niface lo inet loopback\n\nallow-hotplug ens1\n    # main\n\nauto ens2\n"
          "iface ens2 inet dhcp\n\niface ens1 inet static\n    address 10.0.0.2/24\n"
          "    gateway 10.0.0.1\niface ens1 inet static\n    address 10.0.0.3/24\n"
          "iface ens1 inet6 static\n    address fd00::2/64\n    gateway fd00::1\n"
          "iface ens1 inet6 static\n    address fd00::3/64\n"
          "    dns-nameservers 10.0.0.53 fd00::53\n    dns-search a.b c\n",
      .also = { { "/etc/resolv.conf",
                  "search a.b c\nnameserver 10.0.0.53\nnameserver fd00::53\n" } } },
    { "ifupdown with resolvconf",
      "network: [{name: ens1, addresses: 10.0.0.2/24, dns: 10.0.0.53}]\n",
      { { "/etc/network/interfaces", "auto lo\niface lo inet loopback\n" },
        { "/sbin/resolvconf", "" } },
      .path = "/etc/network/interfaces",
      .want = "auto lo\niface lo inet loopback\n\nauto ens1\niface ens1 inet static\n"
              "    address 10.0.0.2/24\n    dns-nameservers 10.0.0.53\n" },
    { "ifupdown, DHCP",
      DHCP,
      { { "/etc/network/interfaces",
          "auto lo ens1\niface lo inet loopback\niface ens1 inet static\n\taddress 1.2.3.4/8\n" } },
      .path = "/etc/network/interfaces",
      .want = "auto lo ens1\niface lo inet loopback\n\niface ens1 inet dhcp\n" },
    { "ifupdown, new",
      DHCP,
      { { "/etc/network/interfaces", "auto lo\niface lo inet loopback\n" } },
      .path = "/etc/network/interfaces",
      .want = "auto lo\niface lo inet loopback\n\nauto ens1\niface ens1 inet dhcp\n" },
    { "in a file of its own",
      DHCP,
      { { "/etc/network/interfaces", "auto lo\niface lo inet loopback\nsource interfaces.d/*\n" },
        { "/etc/network/interfaces.d/a", "auto ens1\niface ens1 inet dhcp\n" } },
      .error = "ens1 is configured in /etc/network/interfaces.d/a" },
    { "a port of a bridge",
      DHCP,
      { { "/etc/network/interfaces", "auto br0\niface br0 inet dhcp\n bridge_ports ens1\n" } },
      .error = "a bond, bridge or VLAN" },
    { "netctl",
      STATIC,
      { { "/etc/netctl/lan",
          "Description='x'\nInterface=ens1\nConnection=ethernet\nIP=dhcp\nDNS=('1.1.1.1'\n  "
          "'1.0.0.1')\nSkipNoCarrier=yes\n" } },
      .path = "/etc/netctl/lan",
      .want = "Description='x'\nInterface=ens1\nConnection=ethernet\nSkipNoCarrier=yes\nIP=static\n"
              "Address=('10.0.0.2/24' '10.0.0.3/24')\nGateway='10.0.0.1'\nIP6=static\n"
              "Address6=('fd00::2/64' 'fd00::3/64')\nGateway6='fd00::1'\n"
              "DNS=('10.0.0.53' 'fd00::53')\nDNSSearch='a.b c'\n" },
    { "a new profile of netctl",
      DHCP,
      { { "/etc/netctl/lan", "Interface=ens9\nConnection=ethernet\nIP=dhcp\n" },
        { "/usr/lib/systemd/system/netctl@.service", "[Install]\nWantedBy=multi-user.target\n" } },
      .path = "/etc/netctl/h2k_ens1",
      .want = "Interface=ens1\nConnection=ethernet\nIP=dhcp\n",
      .also = { { "/etc/systemd/system/multi-user.target.wants/netctl@h2k_ens1.service",
                  "[Install]\nWantedBy=multi-user.target\n" } } },
    { "netifrc",
      STATIC,
      { { "/etc/conf.d/net",
          "# ours\nconfig_ens1=\"1.2.3.4/8\n1.2.3.5/8\"\nroutes_ens1=\"default via 1.1.1.1\"\n"
          "config_ens10=\"dhcp\"\nmtu_ens1=9000\n" } },
      .path = "/etc/conf.d/net",
      .want = "# ours\nconfig_ens10=\"dhcp\"\nmtu_ens1=9000\n"
              "config_ens1=\"10.0.0.2/24\n10.0.0.3/24\nfd00::2/64\nfd00::3/64\"\n"
              "routes_ens1=\"default via 10.0.0.1\ndefault via fd00::1\"\n"
              "dns_servers_ens1=\"10.0.0.53 fd00::53\"\ndns_search_ens1=\"a.b c\"\n" },
    { "netifrc, another interface",
      DHCP,
      { { "/etc/conf.d/net", "config_eth9=\"dhcp\"\n" }, { "/etc/init.d/net.lo", "#!\n" } },
      .path = "/etc/conf.d/net",
      .want = "config_eth9=\"dhcp\"\nconfig_ens1=\"dhcp\"\n",
      .also = { { "/etc/init.d/net.ens1", "#!\n" },
                { "/etc/runlevels/default/net.ens1", "#!\n" } } },
    { "etcnet",
      STATIC,
      { { "/etc/net/ifaces/ens1/options",
          "TYPE=eth\nBOOTPROTO=dhcp\nNM_CONTROLLED=no\nDISABLED=yes\n" },
        { "/etc/net/ifaces/ens1/ipv4route", "default via 1.1.1.1\n10.9.0.0/16 via 10.0.0.9\n" },
        { "/etc/net/ifaces/ens1/resolv.conf", "nameserver 1.1.1.1\n" } },
      .path = "/etc/net/ifaces/ens1/options",
      .want = "TYPE=eth\nNM_CONTROLLED=no\nONBOOT=yes\nBOOTPROTO=static\nCONFIG_IPV4=yes\n"
              "CONFIG_IPV6=yes\n",
      .also = { { "/etc/net/ifaces/ens1/ipv4address", "10.0.0.2/24\n10.0.0.3/24\n" },
                { "/etc/net/ifaces/ens1/ipv4route",
                  "10.9.0.0/16 via 10.0.0.9\ndefault via 10.0.0.1\n" },
                { "/etc/net/ifaces/ens1/ipv6address", "fd00::2/64\nfd00::3/64\n" },
                { "/etc/net/ifaces/ens1/ipv6route", "default via fd00::1\n" },
                { "/etc/net/ifaces/ens1/resolv.conf",
                  "search a.b c\nnameserver 10.0.0.53\nnameserver fd00::53\n" } } },
    { "connman",
      ONE,
      { { "/var/lib/connman/ethernet_005056000001_cable/settings", "[x]\n" },
        { "/var/lib/connman/a.config", "[service_a]\nDeviceName=ens9\n" } },
      .path = "/var/lib/connman/h2k-ens1.config",
      .want = "[service_h2k_ens1]\nType=ethernet\nDeviceName=ens1\n"
              "IPv4=10.0.0.2/255.255.254.0/10.0.0.1\nIPv6=fd00::2/64\n"
              "Nameservers=10.0.0.53,10.0.0.54\n" },
    { "connman, DHCP",
      DHCP,
      { { "/var/lib/connman/ethernet_005056000001_cable/settings", "[x]\n" } },
      .path = "/var/lib/connman/h2k-ens1.config",
      .want = "[service_h2k_ens1]\nType=ethernet\nDeviceName=ens1\nIPv4=dhcp\n" },
    { "connman has it",
      DHCP,
      { { "/var/lib/connman/a.config", "[service_a]\nDeviceName=ens1\n" } },
      .error = "ens1 is configured in /var/lib/connman/a.config" },
    { "connman, too many",
      STATIC,
      { { "/var/lib/connman/a.config", "[service_a]\nDeviceName=ens9\n" } },
      .error = "connman has room for one address of a kind" },
    { "dhcpcd",
      ONE,
      { { "/etc/dhcpcd.conf",
          "hostname\ninterface ens9\nstatic ip_address=1.1.1.1/8\ninterface ens1\nmetric 3\n"
          "static ip_address=1.2.3.4/8\nstatic routers=1.1.1.1\n\nprofile x\nstatic a=b\n" } },
      .path = "/etc/dhcpcd.conf",
      .want = "hostname\ninterface ens9\nstatic ip_address=1.1.1.1/8\ninterface ens1\n"
              "static ip_address=10.0.0.2/23\nstatic ip6_address=fd00::2/64\n"
              "static routers=10.0.0.1\nstatic domain_name_servers=10.0.0.53 10.0.0.54\n"
              "metric 3\n\nprofile x\nstatic a=b\n" },
    { "dhcpcd, DHCP",
      DHCP,
      { { "/etc/dhcpcd.conf", "interface ens1\nstatic ip_address=1.2.3.4/8\n" } },
      .path = "/etc/dhcpcd.conf",
      .want = "interface ens1\n" },
    { "dhcpcd, new",
      "network: [{name: ens1, addresses: 10.0.0.2/24}]\n",
      { { "/etc/dhcpcd.conf", "interface ens9\nmetric 3\n" } },
      .path = "/etc/dhcpcd.conf",
      .want = "interface ens9\nmetric 3\n\ninterface ens1\nstatic ip_address=10.0.0.2/24\n" },
    { "dhcpcd, too much",
      STATIC,
      { { "/etc/dhcpcd.conf", "interface ens1\n" } },
      .error = "dhcpcd.conf has room for one address of a kind" },
    { "dhcpcd, no place",
      "network: [{name: ens1, addresses: 'fd00::2/64', gateways: 'fd00::1'}]\n",
      { { "/etc/dhcpcd.conf", "interface ens1\n" } },
      .error = "no place for a gateway of IPv6" },
    { "Slackware",
      "network: [{name: eth1, addresses: 10.0.0.2/23, gateways: 10.0.0.1, dns: 10.0.0.53}]\n",
      { { "/etc/rc.d/rc.inet1.conf",
          "# eth0:\nIPADDR[0]=\"1.2.3.4\"\nNETMASK[0]=\"\"\n# eth1:\nIPADDR[1]=\"\"\n"
          "NETMASK[1]=\"\"\nUSE_DHCP[1]=\"yes\"\nDHCP_HOSTNAME[1]=\"x\"\nGATEWAY=\"1.1.1.1\"\n" } },
      .path = "/etc/rc.d/rc.inet1.conf",
      .want = "# eth0:\nIPADDR[0]=\"1.2.3.4\"\nNETMASK[0]=\"\"\n# eth1:\nIPADDR[1]=\"10.0.0.2\"\n"
              "NETMASK[1]=\"255.255.254.0\"\nUSE_DHCP[1]=\"\"\nDHCP_HOSTNAME[1]=\"x\"\n"
              "GATEWAY=\"10.0.0.1\"\n",
      .also = { { "/etc/resolv.conf", "nameserver 10.0.0.53\n" } } },
    { "Slackware 15",
      STATIC,
      { { "/etc/rc.d/rc.inet1.conf", "IFNAME[0]=\"ens1\"\nIPADDRS[0]=\"\"\nUSE_DHCP[0]="
                                     "\"yes\"\nGATEWAY=\"\"\nGATEWAY6=\"\"\n" },
        { "/etc/resolv.conf", "domain x\n# y\n" } },
      .path = "/etc/rc.d/rc.inet1.conf",
      .want = "IFNAME[0]=\"ens1\"\nIPADDRS[0]=\"10.0.0.2/24 10.0.0.3/24\"\n"
              "IP6ADDRS[0]=\"fd00::2/64 fd00::3/64\"\nUSE_DHCP[0]=\"\"\nGATEWAY=\"10.0.0.1\"\n"
              "GATEWAY6=\"fd00::1\"\n",
      .also = { { "/etc/resolv.conf",
                  "# y\nsearch a.b c\nnameserver 10.0.0.53\nnameserver fd00::53\n" } } },
    { "Slackware has it not",
      DHCP,
      { { "/etc/rc.d/rc.inet1.conf", "USE_DHCP[0]=\"yes\"\n" } },
      .error = "ens1 is not in rc.inet1.conf" },
    { "no way that is known",
      DHCP,
      { { "/etc/wicked/ifconfig/a.xml", "<interface><name>ens1</name><ipv4:dhcp><enabled>true</"
                                        "enabled></ipv4:dhcp></interface>\n" } },
      .error = "how this guest configures its network" },
    { "nothing", DHCP, { { "/etc/hosts", "" } }, .error = "by nothing that was found" },
};

static int make_plan(const struct tree *tree, const char *config, struct plan **ret,
                     struct err *err)
{
    struct facts *facts = facts_of_text("");
    struct fix_opts opts = { 0 };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    int r = injections_parse(&opts.inject, config, strlen(config), "x", err);

    facts->os = OS_LINUX;
    facts_set(&facts->init_system, "systemd");
    linux_net(tree->root, facts);
    strlist_add(&opts.only, "inject");
    if (r == 0)
        r = fixers_plan(&ctx, tree->root, ret, err);
    injections_done(&opts.inject);
    strlist_done(&opts.only);
    facts_free(facts);
    return r;
}

/* Nothing else is written; folders may be made. */
static void expect_files(const struct plan *plan, size_t one)
{
    size_t n = 0, want = 1;

    while (want <= ARRAY_SIZE(cases[one].also) && cases[one].also[want - 1][0])
        want++;
    for (size_t i = 0; i < plan->n; i++) {
        print_message("  %s %s\n", change_name(&plan->changes[i]), plan->changes[i].path);
        n += plan->changes[i].action != CHANGE_MKDIR;
    }
    assert_int_equal(n, want);
}

static void addresses_go_where_the_guest_looks(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = ERR_NONE;
        struct plan *plan = NULL;
        struct tree tree;
        int r;

        print_message("case: %s\n", cases[i].label);
        tree_open(&tree, NULL);
        for (size_t f = 0; f < ARRAY_SIZE(cases[i].have) && cases[i].have[f][0]; f++)
            tree_put(&tree, cases[i].have[f][0], cases[i].have[f][1], 0644);
        r = make_plan(&tree, cases[i].config, &plan, &err);
        if (cases[i].error) {
            assert_true(r < 0);
            assert_int_equal(err.status, STATUS_USAGE);
            if (!strstr(err.text[0], cases[i].error))
                assert_string_equal(err.text[0], cases[i].error);
            tree_close(&tree);
            continue;
        }
        assert_int_equal(r, 0);
        expect_files(plan, i);
        assert_int_equal(plan_apply(plan, &err), 0);
        plan_free(plan);
        tree_expect(&tree, cases[i].path, cases[i].want);
        for (size_t f = 0; f < ARRAY_SIZE(cases[i].also) && cases[i].also[f][0]; f++)
            tree_expect(&tree, cases[i].also[f][0], cases[i].also[f][1]);
        assert_int_equal(make_plan(&tree, cases[i].config, &plan, &err), 0);
        assert_int_equal(plan->n, 0);
        plan_free(plan);
        tree_close(&tree);
    }
}

static void mistakes_are_told(void **state)
{
    static const char *const wrong[][2] = {
        { "network: [{dhcp: true}]\n", "needs its name" },
        { "network: [{name: 'a b', dhcp: true}]\n", "needs its name" },
        { "network: [{name: averyveryverylongname, dhcp: true}]\n", "needs its name" },
        { "network: [{name: e}]\n", "either dhcp or addresses" },
        { "network: [{name: e, dhcp: true, addresses: 10.0.0.1/8}]\n", "either dhcp or addresses" },
        { "network: [{name: e, addresses: 10.0.0.1}]\n", "no address with its prefix" },
        { "network: [{name: e, addresses: 10.0.0.1/33}]\n", "no address with its prefix" },
        { "network: [{name: e, addresses: 'fd00::1/129'}]\n", "no address with its prefix" },
        { "network: [{name: e, addresses: 10.0.0.1/8, gateways: x}]\n", "\"x\" is no address" },
        { "network: [{name: e, addresses: 10.0.0.1/8, gateways: [10.0.0.2, 10.0.0.3]}]\n",
          "one gateway of a kind" },
        { "network: [{name: e, dhcp: true, search: 'a;b'}]\n", "no domain" },
        { "network: [{name: e, dhcp: true, mtu: 9000}]\n", "mtu" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct injections inject = { 0 };
        struct err err = ERR_NONE;
        char text[4 * ERR_TEXT];

        print_message("case: %s", wrong[i][0]);
        assert_true(injections_parse(&inject, wrong[i][0], strlen(wrong[i][0]), "x", &err) < 0);
        assert_int_equal(err.status, STATUS_USAGE);
        assert_non_null(strstr(err_text(&err, text, sizeof(text)), wrong[i][1]));
        injections_done(&inject);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_go_where_the_guest_looks),
        cmocka_unit_test(mistakes_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
