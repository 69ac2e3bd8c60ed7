/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parsers of network configuration: keyfile, ifupdown. */
#include <stdlib.h>
#include <string.h>

#include "inspect/ifupdown.h"
#include "inspect/keyfile.h"
#include "tests/unit/unit.h"

static void keyfile_finds_sections_and_values(void **state)
{
    static const char text[] = "top=1\n[Match]\r\nName = ens192 \n; c\n# d\nName=ens224\n"
                               "MACAddress=a \\\n  b\n[Network]\nName=no\nbroken\n=x\n[open\n";
    struct keyfile keyfile;

    (void)state;
    keyfile_parse(text, strlen(text), &keyfile);
    assert_int_equal(keyfile.n, 5);
    assert_string_equal(keyfile_get(&keyfile, "", "top"), "1");
    assert_string_equal(keyfile.entries[1].value, "ens192");
    assert_true(span_is(text, keyfile.entries[1].value_at, "ens192"));
    assert_string_equal(keyfile_get(&keyfile, "Match", "Name"), "ens224");
    assert_string_equal(keyfile_get(&keyfile, "Match", "MACAddress"), "a  b");
    assert_string_equal(keyfile_get(&keyfile, "Network", "Name"), "no");
    assert_null(keyfile_get(&keyfile, "Network", "DHCP"));
    keyfile_done(&keyfile);
}

static void keyfile_value_at_the_end_may_go_on(void **state)
{
    struct keyfile keyfile;

    (void)state;
    keyfile_parse("a=b\\", 4, &keyfile);
    assert_string_equal(keyfile_get(&keyfile, "", "a"), "b\\");
    keyfile_done(&keyfile);
}

static void ifupdown_finds_stanzas(void **state)
{
    static const char text[] = "# c\nsource /etc/network/interfaces.d/*\n"
                               "source-directory more.d\n"
                               "auto lo ens192\nallow-hotplug \\\n ens224\n"
                               "iface lo inet loopback\n"
                               "iface ens192 inet static\n\taddress 10.0.0.2/24\n"
                               "\thwaddress ether 00:50:56:AA:BB:CC\n"
                               "iface ens224 inet6 dhcp\n\thwaddress random\n"
                               "iface vmbr0 inet static\n\tbridge_ports eth7 eth8\n"
                               "mapping x\n\thwaddress 1\niface\n";
    struct ifupdown ifupdown;

    (void)state;
    ifupdown_parse(text, strlen(text), &ifupdown);
    assert_int_equal(ifupdown.n, 4);
    assert_int_equal(ifupdown.ifaces[1].ports.n, 0);
    assert_int_equal(ifupdown.ifaces[3].ports.n, 2);
    assert_string_equal(ifupdown.ifaces[3].ports.items[1], "eth8");
    assert_string_equal(ifupdown.ifaces[1].name, "ens192");
    assert_true(span_is(text, ifupdown.ifaces[1].name_at, "ens192"));
    assert_string_equal(ifupdown.ifaces[1].method, "static");
    assert_string_equal(ifupdown.ifaces[1].hwaddress, "00:50:56:AA:BB:CC");
    assert_string_equal(ifupdown.ifaces[2].family, "inet6");
    assert_string_equal(ifupdown.ifaces[2].hwaddress, "random");
    assert_int_equal(ifupdown.autos.n, 3);
    assert_true(strlist_has(&ifupdown.autos, "ens224"));
    assert_int_equal(ifupdown.sources.n, 1);
    assert_string_equal(ifupdown.sources.items[0], "/etc/network/interfaces.d/*");
    assert_string_equal(ifupdown.source_dirs.items[0], "more.d");
    ifupdown_done(&ifupdown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keyfile_finds_sections_and_values),
        cmocka_unit_test(keyfile_value_at_the_end_may_go_on),
        cmocka_unit_test(ifupdown_finds_stanzas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
