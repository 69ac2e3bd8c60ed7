/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files in which each interface has some lines: dhcpcd.conf(5), Slackware's rc.inet1.conf(5). */
#include <ctype.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/text.h"
#include "fixers/linux/inject_network.h"
#include "inspect/fields.h"

static void put_line(struct strbuf *text, const char *old, struct span line)
{
    strbuf_add(text, old + line.start, line.len);
    strbuf_putc(text, '\n');
}

/* ---- dhcpcd: "interface NAME", then what is for it ---- */

static int make_dhcpcd(const struct inject_nic *nic, struct strbuf *lines, struct err *err)
{
    const char *ip4 = NULL, *ip6 = NULL, *gateway = inject_gateway(nic, false);
    int r = inject_one_address(nic, false, "dhcpcd.conf", &ip4, err);

    if (r == 0)
        r = inject_one_address(nic, true, "dhcpcd.conf", &ip6, err);
    if (r == 0 && inject_gateway(nic, true))
        r = err_status(err, STATUS_USAGE, "%s: dhcpcd.conf has no place for a gateway of IPv6",
                       nic->name);
    if (r < 0)
        return r;
    if (ip4)
        strbuf_printf(lines, "static ip_address=%s\n", ip4);
    if (ip6)
        strbuf_printf(lines, "static ip6_address=%s\n", ip6);
    if (gateway)
        strbuf_printf(lines, "static routers=%s\n", gateway);
    inject_put_joined(lines, "static domain_name_servers=", &nic->dns, " ", "\n");
    inject_put_joined(lines, "static domain_search=", &nic->search, " ", "\n");
    return 0;
}

/* Does a line begin what is for something else? */
static bool is_block(const char *text, struct span word)
{
    static const char *const words[] = { "interface", "profile", "ssid", "arping" };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (span_is(text, word, words[i]))
            return true;
    return false;
}

int inject_write_dhcpcd(const struct inject_nic *nic, const char *old, struct strbuf *text,
                        struct err *err)
{
    CLEANUP_STRBUF struct strbuf lines = { 0 };
    bool is_its = false, is_put = false;
    struct span line, words[3];
    size_t pos = 0;
    int r = make_dhcpcd(nic, &lines, err);

    while (r == 0 && line_next(old, strlen(old), &pos, &line)) {
        size_t n = fields_split(old, &line, words, ARRAY_SIZE(words));

        if (n > 0 && is_block(old, words[0]))
            is_its =
                n > 1 && span_is(old, words[0], "interface") && span_is(old, words[1], nic->name);
        else if (is_its && n > 0 &&
                 (span_is(old, words[0], "static") || span_is(old, words[0], "inform")))
            continue;
        put_line(text, old, line);
        if (is_its && !is_put) {
            strbuf_puts(text, strbuf_text(&lines));
            is_put = true;
        }
    }
    if (r == 0 && !is_put && lines.len > 0)
        strbuf_printf(text, "%sinterface %s\n%s", text->len ? "\n" : "", nic->name,
                      strbuf_text(&lines));
    return r;
}

/* ---- Slackware: NAME[index]="value"; without IFNAME[n] it is about eth0, eth1 ... ---- */

#define MAX_INDEX 32

/* "IPADDR[3]=..." -> its name and 3; -1: it is no such line. */
static int index_of(const char *line, char name[32])
{
    size_t len = strcspn(line, "[= \t");
    int number = 0;

    if (len == 0 || len >= 32 || line[len] != '[' || !isdigit((unsigned char)line[len + 1]))
        return -1;
    (void)snprintf(name, 32, "%.*s", (int)len, line);
    for (line += len + 1; isdigit((unsigned char)*line) && number < MAX_INDEX; line++)
        number = number * 10 + (*line - '0');
    return *line == ']' && line[1] == '=' && number < MAX_INDEX ? number : -1;
}

/* The index that the interface has in the file; -1: none. */
static int find_index(const char *old, const char *nic, bool *ret_has_lists)
{
    bool is_there[MAX_INDEX] = { false }, is_named[MAX_INDEX] = { false };
    struct span span;
    size_t pos = 0;
    int found = -1;

    while (line_next(old, strlen(old), &pos, &span)) {
        CLEANUP_FREE char *line = span_dup(old, span);
        char name[32];
        int n = index_of(line, name);

        if (n < 0)
            continue;
        is_there[n] = true;
        *ret_has_lists |= strcmp(name, "IPADDRS") == 0;
        if (strcmp(name, "IFNAME") == 0) {
            char *value = strchr(line, '=') + 1;

            value += strspn(value, "\"'");
            value[strcspn(value, "\"' \t#")] = '\0';
            is_named[n] = *value != '\0';
            if (strcmp(value, nic) == 0)
                found = n;
        }
    }
    for (int n = 0; found < 0 && n < MAX_INDEX; n++) {
        CLEANUP_FREE char *name = mem_printf("eth%d", n);

        if (is_there[n] && !is_named[n] && strcmp(name, nic) == 0)
            found = n;
    }
    return found;
}

static int make_rcinet1(const struct inject_nic *nic, int index, bool has_lists,
                        struct strbuf *lines, struct err *err)
{
    CLEANUP_STRLIST struct strlist all4 = { 0 }, all6 = { 0 };
    const char *ip4 = NULL;
    int r = has_lists ? 0 : inject_one_address(nic, false, "rc.inet1.conf", &ip4, err);

    for (size_t i = 0; i < nic->addresses.n; i++)
        strlist_add(inject_is_ip6(nic->addresses.items[i]) ? &all6 : &all4,
                    nic->addresses.items[i]);
    if (r == 0 && !has_lists && all6.n > 0)
        r = err_status(err, STATUS_USAGE, "%s: this rc.inet1.conf has no place for IPv6",
                       nic->name);
    if (r < 0)
        return r;
    if (has_lists) {
        strbuf_printf(lines, "IPADDRS[%d]=\"", index);
        inject_put_joined(lines, "", &all4, " ", "");
        strbuf_printf(lines, "\"\nIP6ADDRS[%d]=\"", index);
        inject_put_joined(lines, "", &all6, " ", "");
        strbuf_puts(lines, "\"\n");
    } else {
        CLEANUP_FREE char *mask = ip4 ? inject_netmask(ip4) : mem_strdup("");

        strbuf_printf(lines, "IPADDR[%d]=\"%.*s\"\nNETMASK[%d]=\"%s\"\n", index,
                      ip4 ? (int)strcspn(ip4, "/") : 0, ip4 ? ip4 : "", index, mask);
    }
    strbuf_printf(lines, "USE_DHCP[%d]=\"%s\"\n", index, nic->dhcp ? "yes" : "");
    return 0;
}

/* The default routes are of all interfaces together. */
static char *new_gateway(const struct inject_nic *nic, const char *line)
{
    const char *gateway = NULL;

    if (strncmp(line, "GATEWAY=", 8) == 0)
        gateway = inject_gateway(nic, false);
    else if (strncmp(line, "GATEWAY6=", 9) == 0)
        gateway = inject_gateway(nic, true);
    return gateway ? mem_printf("%.*s\"%s\"", (int)strcspn(line, "=") + 1, line, gateway) : NULL;
}

int inject_write_rcinet1(const struct inject_nic *nic, const char *old, struct strbuf *text,
                         struct err *err)
{
    static const char *const names[] = { "IPADDR", "NETMASK", "IPADDRS", "IP6ADDRS", "USE_DHCP" };
    CLEANUP_STRBUF struct strbuf lines = { 0 };
    bool has_lists = false, is_put = false;
    int index = find_index(old, nic->name, &has_lists);
    struct span span;
    size_t pos = 0;
    int r;

    if (index < 0)
        return err_status(err, STATUS_USAGE, "%s is not in rc.inet1.conf", nic->name);
    r = make_rcinet1(nic, index, has_lists, &lines, err);
    while (r == 0 && line_next(old, strlen(old), &pos, &span)) {
        CLEANUP_FREE char *line = span_dup(old, span);
        CLEANUP_FREE char *gateway = new_gateway(nic, line);
        char name[32];
        bool is_its = index_of(line, name) == index, is_replaced = false;

        for (size_t i = 0; is_its && i < ARRAY_SIZE(names); i++)
            is_replaced |= strcmp(name, names[i]) == 0;
        if (is_replaced && !is_put)
            strbuf_puts(text, strbuf_text(&lines));
        is_put |= is_replaced;
        if (!is_replaced)
            strbuf_printf(text, "%s\n", gateway ? gateway : line);
    }
    if (r == 0 && !is_put)
        strbuf_puts(text, strbuf_text(&lines));
    return r;
}
