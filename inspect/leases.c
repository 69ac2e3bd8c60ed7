/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/leases.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"

#define LEASES_MAX 256
#define MAC_LEN 6
#define ID_ETHERNET 1 /* RFC 1700, hardware types */

void leases_done(struct leases *leases)
{
    for (size_t i = 0; i < leases->n; i++) {
        free(leases->items[i].name);
        free(leases->items[i].mac);
    }
    free(leases->items);
    *leases = (struct leases){ 0 };
}

static char *mac_text(const uint8_t *mac)
{
    return mem_printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                      mac[5]);
}

static struct lease *find(const struct leases *leases, const char *name)
{
    for (size_t i = 0; i < leases->n; i++)
        if (strcmp(leases->items[i].name, name) == 0)
            return &leases->items[i];
    return NULL;
}

/* @replace: a later lease of the same log. Which of two files is the later one is not known. */
static void add(struct leases *leases, const char *name, const char *mac, bool replace)
{
    struct lease *lease = find(leases, name);

    if (!lease && leases->n < LEASES_MAX) {
        lease = mem_add(&leases->items, &leases->n, sizeof(*lease));
        lease->name = mem_strdup(name);
        lease->mac = mem_strdup(mac);
    } else if (lease && strcmp(lease->mac, mac) != 0) {
        free(lease->mac);
        lease->mac = mem_strdup(replace ? mac : "");
    }
}

/* ---- dhclient ---- */

/* The address in "1:0:50:56:aa:bb:cc;", NULL when it is another kind of identifier. Free it. */
static char *read_identifier(const char *text, struct span at)
{
    uint8_t mac[MAC_LEN] = { 0 };
    size_t pos = at.start, end = at.start + at.len;

    for (size_t i = 0; i <= MAC_LEN; i++) {
        unsigned value = 0;
        size_t digits = 0;

        for (; pos < end && digits < 2 && isxdigit((unsigned char)text[pos]); pos++, digits++) {
            int c = tolower((unsigned char)text[pos]);

            value = value * 16 + (unsigned)(isdigit(c) ? c - '0' : c - 'a' + 10);
        }
        if (digits == 0 || pos >= end || text[pos] != (i == MAC_LEN ? ';' : ':') ||
            (i == 0 && value != ID_ETHERNET))
            return NULL;
        if (i > 0)
            mac[i - 1] = (uint8_t)value;
        pos++;
    }
    return mac_text(mac);
}

/* The string in `interface "ens192";`. NULL when it is none. Free it. */
static char *read_name(const char *text, struct span at)
{
    if (at.len < 4 || text[at.start] != '"' || text[at.start + at.len - 1] != ';' ||
        text[at.start + at.len - 2] != '"')
        return NULL;
    return mem_strndup(text + at.start + 1, at.len - 3);
}

void leases_add_dhclient(const char *text, size_t len, struct leases *leases)
{
    CLEANUP_LEASES struct leases own = { 0 };
    CLEANUP_FREE char *name = NULL;
    CLEANUP_FREE char *mac = NULL;
    struct span line;
    size_t pos = 0;

    while (line_next(text, len, &pos, &line)) {
        struct span words[3];
        size_t n = fields_split(text, &line, words, ARRAY_SIZE(words));

        if (n >= 1 && span_is(text, words[0], "}")) {
            if (name && mac)
                add(&own, name, mac, true);
            free(name);
            free(mac);
            name = mac = NULL;
        } else if (n == 2 && span_is(text, words[0], "interface")) {
            free(name);
            name = read_name(text, words[1]);
        } else if (n == 3 && span_is(text, words[0], "option") &&
                   span_is(text, words[1], "dhcp-client-identifier")) {
            free(mac);
            mac = read_identifier(text, words[2]);
        }
    }
    for (size_t i = 0; i < own.n; i++)
        add(leases, own.items[i].name, own.items[i].mac, false);
}

/* ---- dhcpcd ---- */

void leases_add_dhcpcd(const char *name, const char *bytes, size_t len, struct leases *leases)
{
    /* where the fields of RFC 2131, figure 1, lie; the options start with a fixed cookie */
    enum { OP = 0, HTYPE = 1, HLEN = 2, CHADDR = 28, COOKIE = 236 };
    static const char cookie[] = { 0x63, (char)0x82, 0x53, 0x63 };
    CLEANUP_FREE char *mac = NULL;
    const char reply = 2;

    if (len < COOKIE + sizeof(cookie) || memcmp(bytes + COOKIE, cookie, sizeof(cookie)) != 0 ||
        bytes[OP] != reply || bytes[HTYPE] != ID_ETHERNET || bytes[HLEN] != MAC_LEN)
        return;
    mac = mac_text((const uint8_t *)bytes + CHADDR);
    add(leases, name, mac, false);
}
