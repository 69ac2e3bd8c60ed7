/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/ifupdown.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"

#define MAX_FIELDS 64

struct parser {
    const char *text;
    struct ifupdown *out;
    struct ifupdown_iface *iface; /* whose options follow; NULL: none */
};

static void add_iface(struct parser *parser, const struct span *fields, size_t n)
{
    parser->iface = NULL;
    if (n < 2)
        return;
    parser->iface = mem_add(&parser->out->ifaces, &parser->out->n, sizeof(*parser->iface));
    parser->iface->name_at = fields[1];
    parser->iface->name = span_dup(parser->text, fields[1]);
    parser->iface->family = n > 2 ? span_dup(parser->text, fields[2]) : mem_strdup("");
    parser->iface->method = n > 3 ? span_dup(parser->text, fields[3]) : mem_strdup("");
    parser->iface->hwaddress = mem_strdup("");
}

static void add_names(struct strlist *list, const char *text, const struct span *fields, size_t n)
{
    for (size_t i = 1; i < n; i++)
        strlist_take(list, span_dup(text, fields[i]));
}

/* Options that name what the interface is made of, with '-' or '_' (bridge-utils-interfaces(5),
 * ifenslave, vlan). */
static bool names_ports(const char *text, struct span option)
{
    static const char *const names[] = { "bridge_ports",   "bridge-ports", "bond_slaves",
                                         "bond-slaves",    "slaves",       "vlan_raw_device",
                                         "vlan-raw-device" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (span_is(text, option, names[i]))
            return true;
    return false;
}

/* An option below "iface": its MAC address and its parts are of interest. */
static void add_option(struct parser *parser, const struct span *fields, size_t n)
{
    size_t at = n > 2 && span_is(parser->text, fields[1], "ether") ? 2 : 1;

    if (!parser->iface || n < 2)
        return;
    if (names_ports(parser->text, fields[0])) {
        add_names(&parser->iface->ports, parser->text, fields, n);
    } else if (span_is(parser->text, fields[0], "hwaddress")) {
        free(parser->iface->hwaddress);
        parser->iface->hwaddress = span_dup(parser->text, fields[at]);
    }
}

static void read_line(struct parser *parser, const struct span *fields, size_t n)
{
    const char *text = parser->text;
    struct strlist *list = NULL;

    if (span_is(text, fields[0], "iface")) {
        add_iface(parser, fields, n);
        return;
    }
    if (span_is(text, fields[0], "auto") ||
        (fields[0].len > 6 && memcmp(text + fields[0].start, "allow-", 6) == 0))
        list = &parser->out->autos;
    else if (span_is(text, fields[0], "source"))
        list = &parser->out->sources;
    else if (span_is(text, fields[0], "source-directory"))
        list = &parser->out->source_dirs;
    if (list || span_is(text, fields[0], "mapping") || span_is(text, fields[0], "rename") ||
        (fields[0].len > 8 && memcmp(text + fields[0].start, "no-auto-", 8) == 0)) {
        parser->iface = NULL;
        if (list)
            add_names(list, text, fields, n);
        return;
    }
    add_option(parser, fields, n);
}

void ifupdown_parse(const char *text, size_t len, struct ifupdown *ret)
{
    struct parser parser = { .text = text, .out = ret };
    struct span line;
    size_t pos = 0, n_lines = 0;

    *ret = (struct ifupdown){ 0 };
    while (n_lines++ < FIELDS_MAX_LINES && line_next(text, len, &pos, &line)) {
        struct span fields[MAX_FIELDS], more;
        size_t n = fields_split(text, &line, fields, MAX_FIELDS);

        /* a '\' at the end: the next line goes on with this one */
        while (n > 0 && span_is(text, fields[n - 1], "\\") && line_next(text, len, &pos, &more)) {
            n--;
            n += fields_split(text, &more, fields + n, MAX_FIELDS - n);
        }
        if (n > 0)
            read_line(&parser, fields, n);
    }
}

void ifupdown_done(struct ifupdown *ifupdown)
{
    for (size_t i = 0; i < ifupdown->n; i++) {
        free(ifupdown->ifaces[i].name);
        free(ifupdown->ifaces[i].family);
        free(ifupdown->ifaces[i].method);
        free(ifupdown->ifaces[i].hwaddress);
        strlist_done(&ifupdown->ifaces[i].ports);
    }
    free(ifupdown->ifaces);
    strlist_done(&ifupdown->autos);
    strlist_done(&ifupdown->sources);
    strlist_done(&ifupdown->source_dirs);
    *ifupdown = (struct ifupdown){ 0 };
}
