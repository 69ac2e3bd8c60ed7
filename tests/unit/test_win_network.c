/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which addresses the adapters of Windows are given at the first start, and which cannot be. */
#include <string.h>

#include "fixers/apply.h"
#include "fixers/windows/firstboot.h"
#include "inspect/windows/facts.h"
#include "tests/unit/hive_util.h"
#include "tests/unit/win_scripts.h"

#define SYSTEM "/Windows/System32/config/SYSTEM"

static struct tree tree;
static struct facts *facts;
static struct fix_opts opts;
static struct plan *plan;

static int setup(void **state)
{
    static const struct hive_util_item system[] = {
        { "Select", "Current", REG_DWORD, NULL, 1 },
        { "ControlSet001\\Services\\Tcpip\\Parameters\\Interfaces\\{AB}", "DefaultGatewayMetric",
          REG_SZ, "20", 0 },
    };
    struct strbuf bytes = { 0 };

    (void)state;
    tree_open(&tree, NULL);
    hive_util_make(system, ARRAY_SIZE(system), &bytes);
    tree_put_bytes(&tree, SYSTEM, bytes.data, bytes.len, 0644);
    strbuf_done(&bytes);
    opts = (struct fix_opts){ 0 };
    facts = facts_new();
    facts->os = OS_WINDOWS;
    facts->windows = fact_windows_new();
    facts_set(&facts->windows->system_root, "/Windows");
    facts_set(&facts->windows->system_hive, SYSTEM);
    strlist_add(&facts->windows->control_sets, "ControlSet001");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    plan_free(plan);
    plan = NULL;
    free(opts.nics);
    injections_done(&opts.inject);
    facts_free(facts);
    tree_close(&tree);
    return 0;
}

static void is_nt(uint32_t major, uint32_t minor)
{
    facts->windows->nt_major = major;
    facts->windows->nt_minor = minor;
}

/* Plan anew. */
static int make_plan(struct err *err)
{
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    int r;

    plan_free(plan);
    plan = plan_new(tree.root);
    plan->fixer = "test";
    r = fixer_win_network.plan(&ctx, plan, err);
    assert_int_equal(plan->err.code, 0);
    return r;
}

static struct win_nic *add_nic(const char *name, const char *mac)
{
    struct win_nic *nic = fact_windows_add_nic(facts->windows);

    facts_set(&nic->name, name);
    facts_set(&nic->mac, mac);
    facts_set(&nic->guid, "{AB}");
    facts_set(&nic->device, "PCI\\VEN_15AD&DEV_07B0\\1");
    facts_set(&nic->domain, "example.org");
    nic->is_static = nic->is_present = true;
    strlist_add(&nic->addresses, "192.0.2.5");
    strlist_add(&nic->masks, "255.255.255.128");
    strlist_add(&nic->gateways, "192.0.2.1");
    strlist_add(&nic->dns, "192.0.2.53");
    strlist_add(&nic->wins, "192.0.2.54");
    return nic;
}

static void addresses_are_found_by_mac(void **state)
{
    struct err err = ERR_NONE;
    struct win_nic *nic;

    (void)state;
    is_nt(6, 3);
    add_nic("Caf\xc3\xa9 'x' $(y)", "00:50:56:aa:bb:cc");
    nic = add_nic("Other", "00:50:56:aa:bb:dd");
    strlist_done(&nic->addresses);
    strlist_add(&nic->addresses, "192.0.2.6");
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.ps1",
                   "$records += @{\r\n"
                   "    Name = ('Caf' + [char]233 + ' ' + [char]39 + 'x' + [char]39 + ' ' + "
                   "[char]36 + '(y)')\r\n"
                   "    Guid = ('{AB}')\r\n"
                   "    Device = ('PCI\\VEN_15AD&DEV_07B0\\1')\r\n"
                   "    Mac = ('00-50-56-AA-BB-CC')\r\n"
                   "    Addresses = @(('192.0.2.5/25'))\r\n"
                   "    Gateways = @(('192.0.2.1 20'))\r\n"
                   "    Addresses6 = @()\r\n"
                   "    Routes6 = @()\r\n"
                   "    Dns = @(('192.0.2.53'))\r\n"
                   "    Suffix = ('example.org')\r\n"
                   "    Wins = @(('192.0.2.54'))\r\n"
                   "    Leftovers = @()\r\n"
                   "    Metric = 0\r\n"
                   "    Single = $false\r\n"
                   "    Dhcp = $false\r\n"
                   "    Wanted = $false\r\n}\r\n");
    is_nt(6, 1);
    assert_int_equal(make_plan(&err), 0);
    win_script_has(
        plan, "2000-network.vbs",
        "    Restore (\"Other\"), (\"{AB}\"), (\"00:50:56:aa:bb:dd\"), True, "
        "Array((\"192.0.2.6\")), Array((\"255.255.255.128\")), Array((\"192.0.2.1\")), "
        "Array(20), Array(), Array(), Array((\"192.0.2.53\")), Array(), "
        "(\"example.org\"), Array((\"192.0.2.54\")), Array(), 0, False, False, False\r\n");
    is_nt(5, 2);
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.vbs", "(\"00:50:56:aa:bb:dd\"), False, ");
}

static void unknown_adapters_are_not_guessed(void **state)
{
    struct nic_option *option = mem_alloc(sizeof(*option));
    struct win_nic *other;
    struct err err = ERR_NONE;
    char name[] = "ethernet0", mac[] = "52:54:00:00:00:01";

    (void)state;
    is_nt(10, 0);
    add_nic("Ethernet0", "");
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.ps1", "Mac = ('')"); /* the only one */
    win_script_has(plan, "2000-network.ps1", "    Single = $true\r\n");
    facts_set(&facts->windows->nics[0].mac, "00:50:56:aa:bb:cc"); /* it may have got another */
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.ps1", "    Single = $true\r\n");
    *option = (struct nic_option){ .name = name, .mac = mac };
    opts.nics = option;
    opts.n_nics = 1;
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.ps1", "    Single = $false\r\n"); /* that one and no other */
    opts.n_nics = 0;
    facts_set(&facts->windows->nics[0].mac, "");
    other = add_nic("Ethernet1", "");
    other->is_static = false;
    strlist_done(&other->dns);
    strlist_done(&other->wins);
    facts_set(&other->domain, "");
    assert_int_equal(make_plan(&err), 0);
    assert_int_equal(plan->n, 0);
    assert_int_equal(plan->notes.n, 1);
    assert_non_null(strstr(plan->notes.items[0], "--nic"));
    opts.n_nics = 1;
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.ps1", "Mac = ('52-54-00-00-00-01')");
}

static void what_cannot_be_set_is_told(void **state)
{
    struct win_nic *nic;
    struct err err = ERR_NONE;

    (void)state;
    is_nt(10, 0);
    nic = add_nic("Ethernet0", "00:50:56:aa:bb:cc");
    strlist_add(&nic->addresses, "192.0.2.77");
    strlist_add(&nic->masks, "255.0.255.0");
    strlist_add(&nic->dns, "'; Remove-Item");
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.ps1", "Addresses = @(('192.0.2.5/25'))");
    win_script_has(plan, "2000-network.ps1", "Dns = @(('192.0.2.53'))");
    assert_int_equal(plan->notes.n, 3);
    facts_set(&nic->device, "PCI\\VEN_1AF4&DEV_1000\\1");
    assert_int_equal(make_plan(&err), 0);
    assert_int_equal(plan->n, 0); /* KVM's own card stays */
}

static void name_servers_beside_dhcp_are_kept(void **state)
{
    struct win_nic *nic;
    struct err err = ERR_NONE;

    (void)state;
    is_nt(10, 0);
    nic = add_nic("Ethernet0", "00:50:56:aa:bb:cc");
    nic->is_static = false; /* what it had before is still there */
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.ps1", "    Addresses = @()\r\n    Gateways = @()\r\n");
    win_script_has(plan, "2000-network.ps1", "    Dns = @(('192.0.2.53'))\r\n");
    win_script_has(plan, "2000-network.ps1", "    Dhcp = $true\r\n    Wanted = $false\r\n");
    strlist_done(&nic->dns);
    strlist_done(&nic->wins);
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.ps1", "    Suffix = ('example.org')\r\n");
    facts_set(&nic->domain, "");
    nic->metric = 5;
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.ps1", "    Metric = 5\r\n");
    nic->metric = 0;
    assert_int_equal(make_plan(&err), 0);
    assert_int_equal(plan->n, 0);
}

static struct inject_nic *add_wish(const char *name)
{
    struct inject_nic *nic = mem_add(&opts.inject.nics, &opts.inject.n_nics, sizeof(*nic));

    nic->name = mem_strdup(name);
    return nic;
}

static void wishes_are_for_the_same_adapter_too(void **state)
{
    struct err err = ERR_NONE;
    struct inject_nic *wish;

    (void)state;
    is_nt(6, 1);
    add_nic("Ethernet0", "00:50:56:aa:bb:cc");
    wish = add_wish("Ethernet0");
    wish->dhcp = true;
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.vbs",
                   "(\"{AB}\"), (\"00:50:56:aa:bb:cc\"), True, Array(), ");
    win_script_has(plan, "2000-network.vbs", ", Array(), Array(), 0, True, True, True\r\n");
    is_nt(10, 0);
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.ps1", "    Dhcp = $true\r\n    Wanted = $true\r\n");
    win_script_has(plan, "2000-network.ps1", "-eq $record.Guid -and -not $record.Wanted) {");
}

static void ip6_is_set_or_refused(void **state)
{
    struct err err = ERR_NONE;
    struct inject_nic *wish;

    (void)state;
    is_nt(10, 0);
    add_nic("Ethernet0", "00:50:56:aa:bb:cc");
    wish = add_wish("Ethernet0");
    strlist_add(&wish->addresses, "2001:db8::5/64");
    strlist_add(&wish->gateways, "fe80::1");
    strlist_add(&wish->dns, "2001:db8::53");
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.ps1",
                   "    Addresses = @()\r\n    Gateways = @()\r\n"
                   "    Addresses6 = @(('2001:db8::5/64'))\r\n"
                   "    Routes6 = @(('::/0 fe80::1 0'))\r\n"
                   "    Dns = @(('2001:db8::53'))\r\n");
    /* what a try before has set is taken away first */
    win_script_has(plan, "2000-network.ps1",
                   "    Remove-Manual $index IPv6 $any6\r\n"
                   "    foreach ($address in $record.Addresses6) {");
    is_nt(6, 0);
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.vbs",
                   "True, Array(), Array(), Array(), Array(), Array((\"2001:db8::5/64\")), "
                   "Array((\"::/0 fe80::1 0\")), Array(), Array((\"2001:db8::53\")), ");
    is_nt(5, 2);
    assert_true(make_plan(&err) < 0);
    assert_int_equal(err.status, STATUS_USAGE);
    assert_non_null(strstr(err.text[0], "Ethernet0"));
}

static void ip6_is_carried_over(void **state)
{
    struct win_route *route;
    struct win_nic *nic;
    struct err err = ERR_NONE;

    (void)state;
    is_nt(10, 0);
    nic = add_nic("Ethernet0", "00:50:56:aa:bb:cc");
    strlist_add(&nic->addresses6, "2001:db8::5/64");
    strlist_add(&nic->dns6, "2001:db8::53");
    strlist_add(&nic->dns6, "fe80::1%4");
    route = fact_windows_add_route(nic);
    facts_set(&route->prefix, "::/0");
    facts_set(&route->gateway, "fe80::1");
    route->metric = 7;
    route = fact_windows_add_route(nic);
    facts_set(&route->prefix, "2001:db8:5::/48");
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.ps1",
                   "    Addresses6 = @(('2001:db8::5/64'))\r\n"
                   "    Routes6 = @(('::/0 fe80::1 7'), ('2001:db8:5::/48 :: 0'))\r\n"
                   "    Dns = @(('192.0.2.53'), ('2001:db8::53'))\r\n");
    is_nt(6, 1);
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.vbs",
                   "Array((\"2001:db8::5/64\")), "
                   "Array((\"::/0 fe80::1 7\"), (\"2001:db8:5::/48 :: 0\")), "
                   "Array((\"192.0.2.53\")), Array((\"2001:db8::53\")), ");
    /* nothing but that */
    nic->is_static = false;
    strlist_done(&nic->dns);
    strlist_done(&nic->wins);
    strlist_done(&nic->dns6);
    facts_set(&nic->domain, "");
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.vbs", "Array((\"2001:db8::5/64\")), ");
    assert_int_equal(plan->notes.n, 1);
    assert_non_null(strstr(plan->notes.items[0], "2001:db8::5/64"));
}

static void ip6_that_stays_behind_is_told(void **state)
{
    struct win_nic *nic;
    struct err err = ERR_NONE;

    (void)state;
    is_nt(5, 1);
    nic = add_nic("Ethernet0", "00:50:56:aa:bb:cc");
    assert_int_equal(make_plan(&err), 0);
    assert_int_equal(plan->notes.n, 1); /* what is set: of IPv6 there is nothing */
    nic->ip6_unknown = true;
    assert_int_equal(make_plan(&err), 0);
    assert_int_equal(plan->notes.n, 2);
    assert_non_null(strstr(plan->notes.items[1], "Ethernet0: IPv6"));
}

/* Of two with the same address one is not there any more, and that gets nothing. */
static void an_address_is_given_once(void **state)
{
    char name[] = "old", mac[] = "52:54:00:00:00:01";
    char new_name[] = "Ethernet0", new_mac[] = "52:54:00:00:00:02";
    struct win_nic *nic;
    struct err err = ERR_NONE;

    (void)state;
    is_nt(10, 0);
    nic = add_nic("Old", "00:50:56:aa:bb:dd");
    facts_set(&nic->guid, "{CD}");
    nic->is_present = false;
    (void)add_nic("Ethernet0", "00:50:56:aa:bb:cc");
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.ps1", "    Mac = ('00-50-56-AA-BB-CC')\r\n");
    win_script_has(plan, "2000-network.ps1", "    Leftovers = @(('{CD}'))\r\n");
    win_script_has_no(plan, "2000-network.ps1", "Name = ('Old')");
    assert_int_equal(plan->notes.n, 1); /* nothing is lost */
    strlist_done(&facts->windows->nics[0].addresses);
    strlist_add(&facts->windows->nics[0].addresses, "192.0.2.9");
    assert_int_equal(make_plan(&err), 0);
    assert_int_equal(plan->notes.n, 2); /* that may be */
    assert_non_null(strstr(plan->notes.items[0], "so 192.0.2.9 is not set again"));
    strlist_done(&facts->windows->nics[0].addresses);
    strlist_add(&facts->windows->nics[0].addresses, "192.0.2.5");

    /* also when it is said which adapters they are to be */
    opts.nics = mem_alloc(2 * sizeof(*opts.nics));
    opts.nics[0] = (struct nic_option){ .name = name, .mac = mac };
    opts.nics[1] = (struct nic_option){ .name = new_name, .mac = new_mac };
    opts.n_nics = 2;
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.ps1", "    Mac = ('52-54-00-00-00-02')\r\n");
    win_script_has_no(plan, "2000-network.ps1", "Name = ('Old')");
    assert_non_null(strstr(plan->notes.items[0], "Old: it has an address of Ethernet0"));
    opts.n_nics = 1; /* of one: that is meant */
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.ps1", "    Mac = ('52-54-00-00-00-01')\r\n");
    win_script_has_no(plan, "2000-network.ps1", "Name = ('Ethernet0')");

    /* nothing tells which of them is there: the one that can be found */
    fact_windows_drop_last_nic(facts->windows);
    opts.n_nics = 0;
    facts->windows->nics[0].is_present = true;
    facts_set(&facts->windows->nics[0].mac, "");
    (void)add_nic("Ethernet0", "00:50:56:aa:bb:cc");
    assert_int_equal(make_plan(&err), 0);
    win_script_has(plan, "2000-network.ps1", "    Mac = ('00-50-56-AA-BB-CC')\r\n");
    win_script_has_no(plan, "2000-network.ps1", "Name = ('Old')");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(addresses_are_found_by_mac, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_adapters_are_not_guessed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_set_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(name_servers_beside_dhcp_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(wishes_are_for_the_same_adapter_too, setup, teardown),
        cmocka_unit_test_setup_teardown(ip6_is_set_or_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(ip6_is_carried_over, setup, teardown),
        cmocka_unit_test_setup_teardown(ip6_that_stays_behind_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_is_given_once, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
