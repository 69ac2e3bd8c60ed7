/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parsers without an editor: release files, dpkg's status, netplan, udev rules. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/strbuf.h"
#include "inspect/netplan.h"
#include "inspect/os_release.h"
#include "inspect/package_texts.h"
#include "inspect/udev_rules.h"
#include "tests/unit/unit.h"

static const struct {
    const char *label;
    void (*parse)(const char *text, size_t len, struct os_release *ret);
    const char *in, *id, *pretty, *version;
    int major, minor;
} releases[] = {
    { "debian", os_release_parse,
      "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n", "debian",
      "Debian GNU/Linux 12 (bookworm)", "12", 12, 0 },
    { "ubuntu", os_release_parse,
      "ID=ubuntu\nVERSION_ID='22.04'\nPRETTY_NAME=\"Ubuntu 22.04.3 LTS\"\n", "ubuntu",
      "Ubuntu 22.04.3 LTS", "22.04", 22, 4 },
    { "upper-case id, no pretty name", os_release_parse, "ID=Arch\nNAME=Arch\nVERSION=x\n", "arch",
      "Arch x", "x", 0, 0 },
    { "empty", os_release_parse, "", "", "", "", 0, 0 },
    { "huge numbers", os_release_parse, "VERSION_ID=99999999999.5\n", "", "", "99999999999.5", 0,
      5 },
    { "centos", release_line_parse, "CentOS release 6.10 (Final)\n", "centos",
      "CentOS release 6.10 (Final)", "6.10", 6, 10 },
    { "unknown of the family", release_line_parse, "Foo Linux release 9", "", "Foo Linux release 9",
      "9", 9, 0 },
};

static void knows_releases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
        struct os_release release;

        print_message("case: %s\n", releases[i].label);
        releases[i].parse(releases[i].in, strlen(releases[i].in), &release);
        assert_string_equal(release.id, releases[i].id);
        assert_string_equal(release.pretty, releases[i].pretty);
        assert_string_equal(release.version, releases[i].version);
        assert_int_equal(release.major, releases[i].major);
        assert_int_equal(release.minor, releases[i].minor);
        os_release_done(&release);
    }
}

static char list[4096];

static void note(void *arg, const struct package_spans *package)
{
    const char *text = arg;
    size_t len = strlen(list);

    (void)snprintf(list + len, sizeof(list) - len, "%.*s=%.*s:%.*s;", (int)package->name.len,
                   text + package->name.start, (int)package->version.len,
                   text + package->version.start, (int)package->arch.len,
                   text + package->arch.start);
}

static void lists_installed_packages_only(void **state)
{
    static const char text[] =
        "Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2.0-rc1-3\n"
        "Description: x\n Package: no\n Status: install ok installed\n\n"
        "Package: half\nStatus: install ok half-installed\nVersion: 1\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
        "Package: held\nStatus: hold ok installed\nVersion: 3\nArchitecture: all\n\n"
        "Status: install ok installed\nVersion: 1\n\n"
        "Package: last\nStatus: install ok installed\nVersion: 4";
    char *copy = strdup(text);

    (void)state;
    list[0] = '\0';
    dpkg_status_parse(copy, strlen(copy), note, copy);
    assert_string_equal(list, "a=1:2.0-rc1-3:amd64;held=3:all;last=4:;");
    free(copy);
}

/* A description in one line of more bytes than buffers usually have. */
static void long_lines_are_one_line(void **state)
{
    struct strbuf text = { 0 };

    (void)state;
    strbuf_puts(&text, "Package: a\nStatus: install ok installed\nDescription: ");
    for (int i = 0; i < 1000; i++)
        strbuf_puts(&text, "Package: b ");
    strbuf_puts(&text, "\nVersion: 1\n");
    list[0] = '\0';
    dpkg_status_parse(strbuf_text(&text), text.len, note, text.data);
    assert_string_equal(list, "a=1:;");
    strbuf_done(&text);
}

static void netplan_has_ethernets(void **state)
{
    static const char text[] = "network:\n"
                               "  version: 2\n"
                               "  renderer: networkd\n"
                               "  ethernets:\n"
                               "    ens192:\n"
                               "      addresses: [10.0.0.2/24]\n"
                               "      nameservers: {addresses: [1.1.1.1]}\n"
                               "    lan:\n"
                               "      match: {macaddress: '00:50:56:aa:bb:cc'}\n"
                               "      set-name: lan0\n"
                               "      dhcp4: yes\n"
                               "    any:\n"
                               "      match:\n"
                               "        name: en*\n"
                               "      dhcp4: no\n"
                               "  vlans:\n"
                               "    vlan1: {id: 1, link: ens192, addresses: [10.1.1.1/24]}\n";
    struct netplan netplan;

    (void)state;
    assert_int_equal(netplan_parse(text, strlen(text), &netplan), 0);
    assert_int_equal(netplan.n, 3);
    assert_string_equal(netplan.renderer, "networkd");
    assert_string_equal(netplan.ethernets[0].id, "ens192");
    assert_true(netplan.ethernets[0].has_addresses);
    assert_false(netplan.ethernets[0].dhcp);
    assert_false(netplan.ethernets[0].has_match);
    assert_string_equal(netplan.ethernets[1].match_mac, "00:50:56:aa:bb:cc");
    assert_string_equal(netplan.ethernets[1].set_name, "lan0");
    assert_true(netplan.ethernets[1].dhcp);
    assert_false(netplan.ethernets[1].has_addresses);
    assert_string_equal(netplan.ethernets[2].match_name, "en*");
    assert_true(netplan.ethernets[2].has_match);
    assert_false(netplan.ethernets[2].dhcp);
    netplan_done(&netplan);
}

static void cloud_init_has_forms_of_its_own(void **state)
{
    static const char items[] = "config:\n"
                                "- name: ens192\n"
                                "  mac_address: '00:50:56:aa:bb:cc'\n"
                                "  type: physical\n"
                                "  subnets:\n"
                                "  - {type: static, address: 10.0.0.2/24}\n"
                                "- {type: vlan, name: ens192.7, vlan_link: ens192}\n"
                                "- {type: physical, name: ens224, subnets: [{type: dhcp4}]}\n";
    static const struct {
        const char *label, *text;
        size_t n; /* of netplan's own form, which is never without "network" */
    } cases[] = {
        { "version 1", items, 0 },
        { "version 2", "ethernets: {ens192: {match: {macaddress: '00:50:56:aa:bb:cc'}}}\n", 0 },
        { "netplan's", "network: {ethernets: {ens192: {match: {macaddress: '00:50:56:aa:bb:cc'}}}}",
          1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *text = cases[i].text;
        struct netplan netplan;

        print_message("case: %s\n", cases[i].label);
        assert_int_equal(netplan_parse(text, strlen(text), &netplan), 0);
        assert_int_equal(netplan.n, cases[i].n);
        netplan_done(&netplan);
        assert_int_equal(netplan_parse_cloud(text, strlen(text), &netplan), 0);
        assert_int_equal(netplan.n, i == 0 ? 3 : 1);
        assert_string_equal(netplan.ethernets[0].id, "ens192");
        assert_string_equal(netplan.ethernets[0].match_mac, "00:50:56:aa:bb:cc");
        assert_false(netplan.ethernets[0].is_software);
        assert_int_equal(netplan.ethernets[0].has_addresses, i == 0);
        if (i == 0) {
            assert_true(netplan.ethernets[1].is_software);
            assert_false(netplan.ethernets[2].is_software);
            assert_true(netplan.ethernets[2].dhcp);
            assert_false(netplan.ethernets[2].has_addresses);
        }
        netplan_done(&netplan);
    }
}

static void netplan_survives_bad_input(void **state)
{
    static const char *const texts[] = { "",
                                         "a",
                                         "[[[[",
                                         "network: [",
                                         "network:\n\tx",
                                         "network: {ethernets: {a: *x}}",
                                         "? [a]\n: {network: {ethernets: {b: {}}}}",
                                         "network: {ethernets: {{a: b}: c}}" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct netplan netplan;
        int r = netplan_parse(texts[i], strlen(texts[i]), &netplan);

        assert_true(r == 0 || r == -EBADMSG);
        assert_int_equal(netplan.n, 0);
        netplan_done(&netplan);
        r = netplan_parse_cloud(texts[i], strlen(texts[i]), &netplan);
        assert_true(r == 0 || r == -EBADMSG);
        assert_int_equal(netplan.n, 0);
        netplan_done(&netplan);
    }
}

static void udev_rules_name_interfaces(void **state)
{
    static const char text[] = "# SUBSYSTEM==\"net\", ATTR{address}==\"no\", NAME=\"no\"\n"
                               "SUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", "
                               "ATTR{address}==\"00:50:56:AA:BB:CC\","
                               " ATTR{type}==\"1\", KERNEL==\"eth*\", NAME=\"ens192\"\n"
                               "SUBSYSTEM==\"net\",SYSFS{address}==\"b\",NAME:=\"eth1\"\r\n"
                               "KERNEL==\"eth0\", NAME==\"eth9\", ATTR{address}==\"c\"\n"
                               "ATTR{address}==\"open, NAME=\"x\n";
    struct udev_names names;

    (void)state;
    udev_rules_parse(text, strlen(text), &names);
    assert_int_equal(names.n, 2);
    assert_string_equal(names.names[0].mac, "00:50:56:AA:BB:CC");
    assert_string_equal(names.names[0].name, "ens192");
    assert_string_equal(names.names[1].name, "eth1");
    udev_names_done(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_releases),
        cmocka_unit_test(lists_installed_packages_only),
        cmocka_unit_test(long_lines_are_one_line),
        cmocka_unit_test(netplan_has_ethernets),
        cmocka_unit_test(cloud_init_has_forms_of_its_own),
        cmocka_unit_test(netplan_survives_bad_input),
        cmocka_unit_test(udev_rules_name_interfaces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
