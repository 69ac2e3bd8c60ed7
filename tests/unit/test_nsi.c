/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of Windows' network stack: those of Windows 7 and later, and what is none. */
#include <string.h>

#include "engine/base/le.h"
#include "inspect/windows/nsi.h"
#include "tests/unit/unit.h"

#define LUID "0000000700000600" /* as a hive of Windows 7 has it: index 7 of Ethernet */
#define ADDRESS LUID "20010db8000000000000000000000005"
#define ROUTE(prefix, bits, hop)                                                                   \
    "00000000" prefix bits "00000000000000000000000000000000000000" LUID LUID hop
#define NET "20010db8000500000000000000000000"
#define NONE "00000000000000000000000000000000"
#define ROUTER "fe800000000000000000000000000001"

/* What netsh wrote there for an address of IPv4, but for the prefix length: the stack decides of
 * the origins, the lifetimes are infinite, and all of it is set. */
static void fill(uint8_t *data, size_t len)
{
    memset(data, 0xff, len);
    put_le32(data + 8, 16);
    put_le32(data + 12, 16);
    put_le32(data + 16, 64);
}

static void addresses_are_read(void **state)
{
    struct nsi_address address;
    uint8_t data[56];

    (void)state;
    for (size_t len = 40; len <= sizeof(data); len += 8) {
        fill(data, len);
        assert_int_equal(nsi_ip6_address(ADDRESS, data, len, &address), NSI_MANUAL);
        assert_string_equal(address.text, "2001:db8::5/64");
        assert_true(address.luid == nsi_luid(6, 7));
    }
    put_le32(data + 8, 1); /* manual */
    put_le32(data + 12, 1);
    assert_int_equal(nsi_ip6_address(ADDRESS, data, sizeof(data), &address), NSI_MANUAL);
    memset(data + 28 + 8, 0, 8); /* nothing is said of them */
    put_le32(data + 8, 7);
    assert_int_equal(nsi_ip6_address(ADDRESS, data, sizeof(data), &address), NSI_MANUAL);
}

static void addresses_of_the_network_are_left_out(void **state)
{
    static const char *const names[] = {
        LUID ROUTER,
        LUID "febf0000000000000000000000000001",
        LUID "ff020000000000000000000000000001",
        LUID NONE,
        LUID "00000000000000000000000000000001",
    };
    struct nsi_address address;
    uint8_t data[48];

    (void)state;
    fill(data, sizeof(data));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_int_equal(nsi_ip6_address(names[i], data, sizeof(data), &address), NSI_OTHER);
    for (unsigned origin = 2; origin <= 5; origin++) {
        fill(data, sizeof(data));
        put_le32(data + 12, origin);
        assert_int_equal(nsi_ip6_address(ADDRESS, data, sizeof(data), &address), NSI_OTHER);
    }
}

static void what_is_not_known_is_not_guessed(void **state)
{
    struct nsi_address address;
    uint8_t data[48];

    (void)state;
    fill(data, sizeof(data));
    for (size_t len = 0; len < sizeof(data); len++)
        if (len != 40) /* of the first Windows with this store */
            assert_int_equal(nsi_ip6_address(ADDRESS, data, len, &address), NSI_UNKNOWN);
    assert_true(address.luid == nsi_luid(6, 7)); /* but whose it is can be told */
    assert_int_equal(nsi_ip6_address(ADDRESS "0", data, sizeof(data), &address), NSI_UNKNOWN);
    assert_int_equal(nsi_ip6_address(LUID, data, sizeof(data), &address), NSI_UNKNOWN);
    assert_int_equal(
        nsi_ip6_address(LUID "20010db800000000000000000000000g", data, sizeof(data), &address),
        NSI_UNKNOWN);
    assert_true(address.luid == 0);
    data[16] = 0;
    assert_int_equal(nsi_ip6_address(ADDRESS, data, sizeof(data), &address), NSI_UNKNOWN);
    data[16] = 129;
    assert_int_equal(nsi_ip6_address(ADDRESS, data, sizeof(data), &address), NSI_UNKNOWN);
    data[16] = 64;
    data[24 + 16] = 0; /* it is not said */
    assert_int_equal(nsi_ip6_address(ADDRESS, data, sizeof(data), &address), NSI_UNKNOWN);
    fill(data, sizeof(data));
    put_le32(data + 8, 6);
    assert_int_equal(nsi_ip6_address(ADDRESS, data, sizeof(data), &address), NSI_UNKNOWN);
}

static void routes_are_read(void **state)
{
    struct nsi_route route;
    uint8_t data[64];

    (void)state;
    memset(data, 0xff, sizeof(data));
    assert_int_equal(nsi_ip6_route(ROUTE(NONE, "00", ROUTER), data, 56, &route), NSI_MANUAL);
    assert_string_equal(route.prefix, "::/0");
    assert_string_equal(route.gateway, "fe80::1");
    assert_int_equal(route.metric, 0);
    assert_true(route.luid == nsi_luid(6, 7));
    put_le32(data + 12, 25);
    assert_int_equal(nsi_ip6_route(ROUTE(NET, "30", NONE), data, 64, &route), NSI_MANUAL);
    assert_string_equal(route.prefix, "2001:db8:5::/48");
    assert_string_equal(route.gateway, "");
    assert_int_equal(route.metric, 25);
    put_le32(data + 32 + 12, 0); /* it is not said */
    assert_int_equal(nsi_ip6_route(ROUTE(NET, "30", NONE), data, 64, &route), NSI_MANUAL);
    assert_int_equal(route.metric, 0);
    assert_int_equal(
        nsi_ip6_route(ROUTE("ff000000000000000000000000000000", "08", NONE), data, 64, &route),
        NSI_OTHER);
}

static void odd_routes_are_not_guessed(void **state)
{
    static const char *const names[] = {
        ROUTE(NET, "2f", NONE),                                /* bits behind the prefix */
        ROUTE(NET, "81", NONE),                                /* longer than an address */
        ROUTE(NET, "30", "ff020000000000000000000000000001"),  /* to a group */
        "00000001" NET "30" NONE "000000" LUID LUID NONE "00", /* not zero at first */
        "00000000" NET "30"
        "01000000000000000000000000000000000000" LUID LUID NONE,
        "00000000" NET "30"
        "00000000000000000000000000000000000000" LUID "0000000800000600" NONE,
        ROUTE(NET, "30", NONE) "00",
    };
    struct nsi_route route;
    uint8_t data[64];

    (void)state;
    memset(data, 0xff, sizeof(data));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_int_equal(nsi_ip6_route(names[i], data, sizeof(data), &route), NSI_UNKNOWN);
    for (size_t len = 0; len < 48; len++)
        assert_int_equal(nsi_ip6_route(ROUTE(NET, "30", NONE), data, len, &route), NSI_UNKNOWN);
}

static void cards_are_read(void **state)
{
    uint8_t data[0x908] = { 0 };
    struct nsi_card card;

    (void)state;
    put_le32(data + 0x40c, 6);
    put_le32(data + 0x410, 0x698e50a9);
    put_le16(data + 0x440, 6);
    memcpy(data + 0x442, "\x00\x0c\x29\x01\x02\x03", 6);
    assert_true(nsi_card(LUID, data, sizeof(data), &card));
    assert_string_equal(card.guid, "{698e50a9-0000-0000-0000-000000000000}");
    assert_string_equal(card.mac, "00:0c:29:01:02:03");
    assert_false(nsi_card(LUID, data, sizeof(data) - 2, &card));
    assert_false(nsi_card("0000000700008300", data, sizeof(data), &card)); /* a tunnel */
    assert_false(nsi_card(LUID "00", data, sizeof(data), &card));
    data[0x442] = 1; /* of a group */
    assert_false(nsi_card(LUID, data, sizeof(data), &card));
    data[0x442] = 0;
    put_le16(data + 0x440, 8);
    assert_false(nsi_card(LUID, data, sizeof(data), &card));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(addresses_of_the_network_are_left_out),
        cmocka_unit_test(what_is_not_known_is_not_guessed),
        cmocka_unit_test(routes_are_read),
        cmocka_unit_test(odd_routes_are_not_guessed),
        cmocka_unit_test(cards_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
