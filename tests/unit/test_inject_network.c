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
#define DHCP "network: [{name: ens1, dhcp: true}]\n"

static const struct {
    const char *label, *config;
    const char *have[3][2]; /* files of the guest */
    const char *path, *want;
    const char *error;
} cases[] = {
    { "networkd",
      STATIC,
      { { "/etc/systemd/network/50-a.network", "[Match]\nName=ens1\n" } },
      "/etc/systemd/network/05-h2k-ens1.network",
      "[Match]\nName=ens1\n\n[Network]\nDHCP=no\nAddress=10.0.0.2/24\nAddress=10.0.0.3/24\n"
      "Address=fd00::2/64\nAddress=fd00::3/64\nGateway=10.0.0.1\nGateway=fd00::1\n"
      "DNS=10.0.0.53\nDNS=fd00::53\nDomains=a.b c\n",
      NULL },
    { "networkd, DHCP",
      DHCP,
      { { "/etc/systemd/network/50-a.network", "[Match]\nName=ens9\n" } },
      "/etc/systemd/network/05-h2k-ens1.network",
      "[Match]\nName=ens1\n\n[Network]\nDHCP=yes\n",
      NULL },
    { "netplan",
      STATIC,
      { { "/etc/netplan/a.yaml", "network: {version: 2, ethernets: {ens9: {dhcp4: true}}}\n" } },
      "/etc/netplan/95-h2k-ens1.yaml",
      "network:\n  version: 2\n  ethernets:\n    ens1:\n      dhcp4: false\n"
      "      addresses: [\"10.0.0.2/24\", \"10.0.0.3/24\", \"fd00::2/64\", \"fd00::3/64\"]\n"
      "      routes:\n        - {to: \"0.0.0.0/0\", via: \"10.0.0.1\"}\n"
      "        - {to: \"::/0\", via: \"fd00::1\"}\n"
      "      nameservers:\n        addresses: [\"10.0.0.53\", \"fd00::53\"]\n"
      "        search: [a.b, c]\n",
      NULL },
    { "netplan has it",
      DHCP,
      { { "/etc/netplan/a.yaml",
          "network: {version: 2, ethernets: {ens1: {addresses: [10.0.0.2/24]}}}\n" } },
      NULL,
      NULL,
      "ens1 is configured in /etc/netplan/a.yaml" },
    { "NetworkManager",
      STATIC,
      { { "/etc/NetworkManager/system-connections/a.nmconnection",
          "[connection]\ntype=ethernet\ninterface-name=ens1\n[ipv4]\nmethod=auto\n" } },
      "/etc/NetworkManager/system-connections/h2k-ens1.nmconnection",
      "[connection]\nid=h2k-ens1\ntype=ethernet\ninterface-name=ens1\nautoconnect-priority=999\n"
      "\n[ipv4]\nmethod=manual\naddress1=10.0.0.2/24\naddress2=10.0.0.3/24\ngateway=10.0.0.1\n"
      "dns=10.0.0.53;\ndns-search=a.b;c;\n"
      "\n[ipv6]\nmethod=manual\naddress1=fd00::2/64\naddress2=fd00::3/64\ngateway=fd00::1\n"
      "dns=fd00::53;\ndns-search=a.b;c;\n",
      NULL },
    { "ifcfg",
      STATIC,
      { { "/etc/sysconfig/network-scripts/ifcfg-ens1",
          "# ours\nDEVICE=ens1\nHWADDR=00:50:56:00:00:01\nBOOTPROTO=dhcp\nONBOOT=no\nDNS1=1.1.1.1\n"
          "PEERDNS=no\nIPADDR=1.2.3.4\nNETMASK=255.0.0.0\nIPV6INIT=no\n" } },
      "/etc/sysconfig/network-scripts/ifcfg-ens1",
      "# ours\nDEVICE=ens1\nHWADDR=00:50:56:00:00:01\nPEERDNS=no\nONBOOT=yes\nBOOTPROTO=none\n"
      "IPADDR=10.0.0.2\nPREFIX=24\nIPADDR1=10.0.0.3\nPREFIX1=24\nIPV6INIT=yes\n"
      "IPV6ADDR=fd00::2/64\nIPV6ADDR_SECONDARIES=\"fd00::3/64\"\nGATEWAY=10.0.0.1\n"
      "IPV6_DEFAULTGW=fd00::1\nDNS1=10.0.0.53\nDNS2=fd00::53\nDOMAIN=\"a.b c\"\n",
      NULL },
    { "a new ifcfg",
      DHCP,
      { { "/etc/sysconfig/network-scripts/ifcfg-ens9", "DEVICE=ens9\nBOOTPROTO=dhcp\n" } },
      "/etc/sysconfig/network-scripts/ifcfg-ens1",
      "DEVICE=ens1\nTYPE=Ethernet\nONBOOT=yes\nBOOTPROTO=dhcp\n",
      NULL },
    { "ifcfg of a bond",
      DHCP,
      { { "/etc/sysconfig/network-scripts/ifcfg-ens1", "DEVICE=ens1\nMASTER=bond0\nSLAVE=yes\n" } },
      NULL,
      NULL,
      "part of a bond" },
    { "ifupdown",
      STATIC,
      { { "/etc/network/interfaces",
          "# all\nauto lo\niface lo inet loopback\n\nallow-hotplug ens1\niface ens1 inet static\n"
          "    # main\n    address 1.2.3.4/8\n    gateway 1.1.1.1\n\nauto ens2\n"
          "iface ens2 inet dhcp\n" } },
      "/etc/network/interfaces",
      "# all\nauto lo\niface lo inet loopback\n\nallow-hotplug ens1\n    # main\n\nauto ens2\n"
      "iface ens2 inet dhcp\n\niface ens1 inet static\n    address 10.0.0.2/24\n"
      "    gateway 10.0.0.1\niface ens1 inet static\n    address 10.0.0.3/24\n"
      "iface ens1 inet6 static\n    address fd00::2/64\n    gateway fd00::1\n"
      "iface ens1 inet6 static\n    address fd00::3/64\n"
      "    dns-nameservers 10.0.0.53 fd00::53\n    dns-search a.b c\n",
      NULL },
    { "ifupdown, DHCP",
      DHCP,
      { { "/etc/network/interfaces",
          "auto lo ens1\niface lo inet loopback\niface ens1 inet static\n\taddress 1.2.3.4/8\n" } },
      "/etc/network/interfaces",
      "auto lo ens1\niface lo inet loopback\n\niface ens1 inet dhcp\n",
      NULL },
    { "ifupdown, new",
      DHCP,
      { { "/etc/network/interfaces", "auto lo\niface lo inet loopback\n" } },
      "/etc/network/interfaces",
      "auto lo\niface lo inet loopback\n\nauto ens1\niface ens1 inet dhcp\n",
      NULL },
    { "in a file of its own",
      DHCP,
      { { "/etc/network/interfaces", "auto lo\niface lo inet loopback\nsource interfaces.d/*\n" },
        { "/etc/network/interfaces.d/a", "auto ens1\niface ens1 inet dhcp\n" } },
      NULL,
      NULL,
      "ens1 is configured in /etc/network/interfaces.d/a" },
    { "a port of a bridge",
      DHCP,
      { { "/etc/network/interfaces", "auto br0\niface br0 inet dhcp\n bridge_ports ens1\n" } },
      NULL,
      NULL,
      "a bond, bridge or VLAN" },
    { "no way that is known",
      DHCP,
      { { "/etc/netctl/a", "Interface=ens1\nConnection=ethernet\nIP=dhcp\n" } },
      NULL,
      NULL,
      "how this guest configures its network" },
    { "nothing", DHCP, { { "/etc/hosts", "" } }, NULL, NULL, "by nothing that was found" },
};

static int make_plan(const struct tree *tree, const char *config, struct plan **ret,
                     struct err *err)
{
    struct facts *facts = facts_of_text("");
    struct fix_opts opts = { 0 };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    int r = injections_parse(&opts.inject, config, strlen(config), "x", err);

    facts->os = OS_LINUX;
    linux_net(tree->root, facts);
    strlist_add(&opts.only, "inject");
    if (r == 0)
        r = fixers_plan(&ctx, tree->root, ret, err);
    injections_done(&opts.inject);
    strlist_done(&opts.only);
    facts_free(facts);
    return r;
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
            assert_non_null(strstr(err.text[0], cases[i].error));
            tree_close(&tree);
            continue;
        }
        assert_int_equal(r, 0);
        assert_int_equal(plan->n, 1);
        assert_int_equal(plan_apply(plan, &err), 0);
        plan_free(plan);
        tree_expect(&tree, cases[i].path, cases[i].want);
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
