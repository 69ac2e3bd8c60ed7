/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/windows/nsi.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/le.h"
#include "inspect/windows/guid.h"

#define LUID_LEN 8U
#define IP6_LEN 16U
#define ROUTE_KEY_LEN 72U
#define ETHERNET 6U

/* Of what can be set: at least the fields that are read, at most what is likely. */
#define ADDRESS_LEN_MIN 20U
#define ROUTE_LEN_MIN 24U
#define ROW_LEN_MAX 128U
#define CARD_LEN_MIN 0x484U

/* ---- keys ---- */

uint64_t nsi_luid(uint32_t type, uint32_t index)
{
    return (uint64_t)(type & 0xffff) << 48 | (uint64_t)(index & 0xffffff) << 24;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* @len bytes in hexadecimal digits. */
static bool key_bytes(const char *name, uint8_t *ret, size_t len)
{
    if (strlen(name) != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = digit(name[2 * i]), low = digit(name[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* ---- data ---- */

/* Length of what can be set; 0: the data are not that and a mask. */
static size_t half_of(size_t len, size_t at_least)
{
    size_t half = len / 2;

    return len % 8 == 0 && half >= at_least && half <= ROW_LEN_MAX ? half : 0;
}

/* The field at @at; @unset when it is not set. */
static uint32_t field(const uint8_t *data, size_t half, size_t at, uint32_t unset)
{
    return get_le32(data + half + at) == 0 ? unset : get_le32(data + at);
}

/* ---- addresses ---- */

/* What cannot be given to an adapter by hand, or would be there without. */
static bool is_of_network(const uint8_t *ip)
{
    static const uint8_t zeros[IP6_LEN - 1];

    if (memcmp(ip, zeros, sizeof(zeros)) == 0 && ip[15] <= 1)
        return true; /* none, loopback */
    return ip[0] == 0xff || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
}

static void prefix_text(const uint8_t *ip, unsigned bits, char ret[NSI_PREFIX_TEXT])
{
    char text[INET6_ADDRSTRLEN];

    (void)inet_ntop(AF_INET6, ip, text, sizeof(text));
    (void)snprintf(ret, NSI_PREFIX_TEXT, "%s/%u", text, bits);
}

/* NL_PREFIX_ORIGIN and NL_SUFFIX_ORIGIN: by hand, or as the stack decides of what is set so. */
static enum nsi_kind kind_of_origin(uint32_t origin)
{
    if (origin == 1 || origin == 16)
        return NSI_MANUAL;
    return origin >= 2 && origin <= 5 ? NSI_OTHER : NSI_UNKNOWN;
}

enum nsi_kind nsi_ip6_address(const char *name, const void *data, size_t len,
                              struct nsi_address *ret)
{
    uint8_t key[LUID_LEN + IP6_LEN];
    const uint8_t *at = data;
    size_t half = half_of(len, ADDRESS_LEN_MIN);
    enum nsi_kind prefix, suffix;

    memset(ret, 0, sizeof(*ret));
    if (!key_bytes(name, key, sizeof(key)))
        return NSI_UNKNOWN;
    ret->luid = get_le64(key);
    if (is_of_network(key + LUID_LEN))
        return NSI_OTHER;
    if (half == 0 || at[half + 16] == 0 || at[16] == 0 || at[16] > 128)
        return NSI_UNKNOWN;
    prefix_text(key + LUID_LEN, at[16], ret->text);
    prefix = kind_of_origin(field(at, half, 8, 16));
    suffix = kind_of_origin(field(at, half, 12, 16));
    if (prefix == NSI_UNKNOWN || suffix == NSI_UNKNOWN)
        return NSI_UNKNOWN;
    return prefix == NSI_MANUAL && suffix == NSI_MANUAL ? NSI_MANUAL : NSI_OTHER;
}

/* ---- routes ---- */

static bool is_zero(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (data[i] != 0)
            return false;
    return true;
}

/* Are there bits behind the prefix? */
static bool has_host_bits(const uint8_t *ip, unsigned bits)
{
    size_t at = bits / 8;

    if (at < IP6_LEN && (uint8_t)(ip[at] << bits % 8) != 0)
        return true;
    return at + 1 < IP6_LEN && !is_zero(ip + at + 1, IP6_LEN - at - 1);
}

/* The key of a row: a number, the destination (16 bytes), its length (1), what narrows it to
 * sources, all zeros, the interface twice, and the next hop. */
enum nsi_kind nsi_ip6_route(const char *name, const void *data, size_t len, struct nsi_route *ret)
{
    uint8_t key[ROUTE_KEY_LEN];
    const uint8_t *prefix = key + 4, *hop = key + 56;
    size_t half = half_of(len, ROUTE_LEN_MIN);
    unsigned bits;

    memset(ret, 0, sizeof(*ret));
    if (!key_bytes(name, key, sizeof(key)))
        return NSI_UNKNOWN;
    bits = key[20];
    ret->luid = get_le64(key + 40);
    if (!is_zero(key, 4) || !is_zero(key + 21, 19) ||
        (get_le64(key + 48) != ret->luid && get_le64(key + 48) != 0) || bits > 128 ||
        has_host_bits(prefix, bits) || half == 0 || hop[0] == 0xff)
        return NSI_UNKNOWN;
    if (bits > 0 && is_of_network(prefix))
        return NSI_OTHER;
    prefix_text(prefix, bits, ret->prefix);
    if (!is_zero(hop, IP6_LEN))
        (void)inet_ntop(AF_INET6, hop, ret->gateway, sizeof(ret->gateway));
    ret->metric = field(data, half, 12, 0);
    if (ret->metric > 9999) /* what can be given; all ones: none was */
        ret->metric = 0;
    return NSI_MANUAL;
}

/* ---- cards ---- */

bool nsi_card(const char *name, const void *data, size_t len, struct nsi_card *ret)
{
    const uint8_t *at = data, *mac;
    uint8_t key[LUID_LEN];
    char guid[37];

    memset(ret, 0, sizeof(*ret));
    if (!key_bytes(name, key, sizeof(key)) || len % 2 != 0 || len / 2 < CARD_LEN_MIN)
        return false;
    ret->luid = get_le64(key);
    mac = at + 0x442;
    if (ret->luid >> 48 != ETHERNET || get_le32(at + 0x40c) != ETHERNET ||
        get_le16(at + 0x440) != 6 || is_zero(mac, 6) || mac[0] & 1)
        return false;
    guid_text(at + 0x410, guid);
    (void)snprintf(ret->guid, sizeof(ret->guid), "{%s}", guid);
    (void)snprintf(ret->mac, sizeof(ret->mac), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
                   mac[2], mac[3], mac[4], mac[5]);
    return true;
}
