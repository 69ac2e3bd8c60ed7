/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A definition of netplan is changed in its place; all else stays as it is written. */
#include <errno.h>
#include <string.h>

#include "fixers/linux/netplan_edit.h"
#include "tests/unit/unit.h"

#define NEW "dhcp4: false, addresses: [\"10.0.0.2/24\"], routes: [{to: \"0.0.0.0/0\", via: g}"

static const struct {
    const char *label, *text;
    int r;
    const char *want;
} cases[] = {
    { "keys on lines, comments, other interfaces",
      "# Größe\nnetwork:\n  version: 2 # two\n  ethernets:\n    ens0: {dhcp4: yes}\n    ens1:\n"
      "      # ours\n      dhcp4: true  # old\n      mtu: 9000 # large\n      addresses:\n"
      "        - 1.2.3.4/8\n        - 1.2.3.5/8:\n            label: \"x\"\n      # names\n"
      "      nameservers:\n        addresses: [1.1.1.1,\n          1.0.0.1]\n      optional: true\n"
      "\n    # next\n    ens2:\n      dhcp4: true\n",
      1,
      "# Größe\nnetwork:\n  version: 2 # two\n  ethernets:\n    ens0: {dhcp4: yes}\n    ens1:\n"
      "      # ours\n      mtu: 9000 # large\n      # names\n      optional: true\n"
      "      dhcp4: false\n      addresses: [\"10.0.0.2/24\"]\n"
      "      routes: [{to: \"0.0.0.0/0\", via: g}]\n\n    # next\n    ens2:\n"
      "      dhcp4: true\n" },
    { "routes that stay",
      "network:\n ethernets:\n  ens1:\n   routes:\n   - to: default\n     via: 1.1.1.1\n"
      "   - to: 10.1.0.0/16\n     via: \"10.0.0.9\"\n     metric: 100\n   - {to: 0.0.0.0/0, via: "
      "1.1.1.1, table: 7}\n   - to: ::/0\n     via: fe80::1\n   - to: 10.2.0.0/16\n     "
      "scope: link\n     x: [a, {b: \"c d\"}]",
      1,
      "network:\n ethernets:\n  ens1:\n   dhcp4: false\n   addresses: [\"10.0.0.2/24\"]\n"
      "   routes: [{to: \"0.0.0.0/0\", via: g}, {to: 10.1.0.0/16, via: \"10.0.0.9\", metric: 100}, "
      "{to: 0.0.0.0/0, via: 1.1.1.1, table: 7}, {to: 10.2.0.0/16, scope: link, x: [a, {b: \"c "
      "d\"}]}]\n" },
    { "no newline at the end", "network:\n  ethernets:\n    ens1:\n      mtu: 9000", 1,
      "network:\n  ethernets:\n    ens1:\n      mtu: 9000\n      dhcp4: false\n"
      "      addresses: [\"10.0.0.2/24\"]\n      routes: [{to: \"0.0.0.0/0\", via: g}]\n" },
    { "in brackets",
      "network: {ethernets: {ens1: {match: {name: \"ens1\"}, addresses: [a], mtu: 9000}, b: {}}}\n",
      1, "network: {ethernets: {ens1: {match: {name: \"ens1\"}, mtu: 9000, " NEW "]}, b: {}}}\n" },
    { "nothing but brackets", "network:\n  ethernets:\n    ens1: {} # x\n", 1,
      "network:\n  ethernets:\n    ens1: {" NEW "]} # x\n" },
    { "null", "network:\n  ethernets:\n    ens1: ~\n    b: {}\n", 1,
      "network:\n  ethernets:\n    ens1: {" NEW "]}\n    b: {}\n" },
    { "nothing at all", "network:\n  ethernets:\n    ens1:\n    b: {}\n", 1,
      "network:\n  ethernets:\n    ens1: {" NEW "]}\n    b: {}\n" },
    { "a text of several lines before",
      "network:\n  ethernets:\n    ens1:\n      dhcp4: yes\n      x: |\n        a\n        b\n"
      "    b: {}\n",
      1,
      "network:\n  ethernets:\n    ens1:\n      x: |\n        a\n        b\n      dhcp4: false\n"
      "      addresses: [\"10.0.0.2/24\"]\n      routes: [{to: \"0.0.0.0/0\", via: g}]\n"
      "    b: {}\n" },
    { "another place", "network:\n  bonds:\n    ens1: {}\nens1: {}\n", 0, NULL },
    { "empty", "", 0, NULL },
    { "a bond", "network: {ethernets: {ens1: {}}, bonds: {b: {interfaces: [a, ens1]}}}", -EBUSY,
      NULL },
    { "a bridge", "network: {bridges: {b: {interfaces: [ens1]}}}", -EBUSY, NULL },
    { "twice", "network: {ethernets: {ens1: {}, ens1: {}}}", -ENOTSUP, NULL },
    { "an anchor", "network: {ethernets: {ens1: &a {}, ens2: *a}}", -ENOTSUP, NULL },
    { "an alias", "network: {ethernets: {ens2: &a {}, ens1: *a}}", -ENOTSUP, NULL },
    { "an alias inside", "x: &a {}\nnetwork: {ethernets: {ens1: {<<: *a}}}", -ENOTSUP, NULL },
    { "a tag", "network: {ethernets: {ens1: !!map {}}}", -ENOTSUP, NULL },
    { "a list", "network: {ethernets: {ens1: []}}", -ENOTSUP, NULL },
    { "keys that are no words", "network: {ethernets: {ens1: {[a]: b}}}", -ENOTSUP, NULL },
    { "no YAML", "network: {ethernets: {ens1: {}", -EBADMSG, NULL },
    { "zeros", "network: \"\\0\"\n", 0, NULL },
};

static void definitions_change_in_their_place(void **state)
{
    struct netplan_addresses new = { 0 };

    (void)state;
    strlist_add(&new.pairs, "dhcp4: false");
    strlist_add(&new.pairs, "addresses: [\"10.0.0.2/24\"]");
    strlist_add(&new.defaults, "{to: \"0.0.0.0/0\", via: g}");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *made = NULL, *again = NULL;

        print_message("case: %s\n", cases[i].label);
        assert_int_equal(
            netplan_readdress(cases[i].text, strlen(cases[i].text), "ens1", &new, &made),
            cases[i].r);
        if (cases[i].r != 1)
            continue;
        assert_string_equal(made, cases[i].want);
        assert_int_equal(netplan_readdress(made, strlen(made), "ens1", &new, &again), 1);
        assert_string_equal(again, made);
        free(made);
        free(again);
    }
    netplan_addresses_done(&new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definitions_change_in_their_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
