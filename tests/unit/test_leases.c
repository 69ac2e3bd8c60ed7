/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "inspect/leases.h"
#include "tests/unit/unit.h"

#define LEASE(name, identifier)                                                                    \
    "lease {\n  interface \"" name "\";\n  fixed-address 192.168.10.20;\n"                         \
    "  option subnet-mask 255.255.255.0;\n  option dhcp-client-identifier " identifier ";\n"       \
    "  renew 1 2024/01/01 00:00:00;\n}\n"

static void dhclient_tells_the_card_in_some_leases(void **state)
{
    static const struct {
        const char *label, *text, *mac; /* mac NULL: nothing is known */
    } cases[] = {
        { "address", LEASE("ens192", "1:0:50:56:aa:b:cc"), "00:50:56:aa:0b:cc" },
        { "the later one counts",
          LEASE("ens192", "1:0:50:56:aa:bb:cc") LEASE("ens192", "1:0:50:56:AA:BB:DD"),
          "00:50:56:aa:bb:dd" },
        { "another interface",
          LEASE("ens192", "1:0:50:56:aa:bb:cc") LEASE("ens224", "1:0:50:56:aa:bb:dd"),
          "00:50:56:aa:bb:cc" },
        { "DUID", LEASE("ens192", "ff:12:34:56:78:0:1:0:1"), NULL },
        { "another kind of hardware", LEASE("ens192", "6:0:50:56:aa:bb:cc"), NULL },
        { "text", LEASE("ens192", "\"host\""), NULL },
        { "too short", LEASE("ens192", "1:0:50:56:aa:bb"), NULL },
        { "too long", LEASE("ens192", "1:0:50:56:aa:bb:cc:dd"), NULL },
        { "digits", LEASE("ens192", "1:000:50:56:aa:bb:cc"), NULL },
        { "none", "lease {\n  interface \"ens192\";\n}\n", NULL },
        { "open at the end",
          "lease {\n  interface \"ens192\";\n option dhcp-client-identifier 1:0:1:2:3:4:5;\n",
          NULL },
        { "of no interface", "lease {\n option dhcp-client-identifier 1:0:1:2:3:4:5;\n}\n", NULL },
        { "empty", "", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct leases leases = { 0 };

        print_message("case: %s\n", cases[i].label);
        leases_add_dhclient(cases[i].text, strlen(cases[i].text), &leases);
        assert_int_equal(leases.n > 0, cases[i].mac != NULL);
        if (cases[i].mac) {
            assert_string_equal(leases.items[0].name, "ens192");
            assert_string_equal(leases.items[0].mac, cases[i].mac);
        }
        leases_done(&leases);
    }
}

static void dhcpcd_keeps_the_answer(void **state)
{
    static const char mac[] = { 0x00, 0x50, 0x56, (char)0xaa, (char)0xbb, (char)0xcc };
    static const char cookie[] = { 0x63, (char)0x82, 0x53, 0x63 };
    char packet[300] = { 2, 1, 6 };
    struct leases leases = { 0 };

    (void)state;
    memcpy(packet + 28, mac, sizeof(mac));
    leases_add_dhcpcd("ens192", packet, sizeof(packet), &leases);
    assert_int_equal(leases.n, 0); /* no cookie */
    memcpy(packet + 236, cookie, sizeof(cookie));
    leases_add_dhcpcd("ens192", packet, 239, &leases);
    assert_int_equal(leases.n, 0);
    leases_add_dhcpcd("ens192", packet, sizeof(packet), &leases);
    assert_int_equal(leases.n, 1);
    assert_string_equal(leases.items[0].mac, "00:50:56:aa:bb:cc");
    packet[0] = 1; /* a question */
    packet[33]++;
    leases_add_dhcpcd("ens192", packet, sizeof(packet), &leases);
    assert_string_equal(leases.items[0].mac, "00:50:56:aa:bb:cc");
    leases_done(&leases);
}

/* Which of two files is the newer one is not known. */
static void leases_that_disagree_tell_nothing(void **state)
{
    static const char one[] = LEASE("ens192", "1:0:50:56:aa:bb:cc");
    static const char other[] = LEASE("ens192", "1:0:50:56:aa:bb:dd");
    struct leases leases = { 0 };

    (void)state;
    leases_add_dhclient(one, strlen(one), &leases);
    leases_add_dhclient(one, strlen(one), &leases);
    assert_string_equal(leases.items[0].mac, "00:50:56:aa:bb:cc");
    leases_add_dhclient(other, strlen(other), &leases);
    assert_int_equal(leases.n, 1);
    assert_string_equal(leases.items[0].mac, "");
    leases_add_dhclient(one, strlen(one), &leases);
    assert_string_equal(leases.items[0].mac, "");
    leases_done(&leases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dhclient_tells_the_card_in_some_leases),
        cmocka_unit_test(dhcpcd_keeps_the_answer),
        cmocka_unit_test(leases_that_disagree_tell_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
