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
    parser->iface->master = mem_strdup("");
}

static void add_names(struct strlist *list, const char *text, const struct span *fields, size_t n)
{
    for (size_t i = 1; i < n; i++)
        strlist_take(list, span_dup(text, fields[i]));
}

/*
 * Options of bridges, bonds and VLANs, '_' standing for '-' too: bridge-utils-interfaces(5),
 * ifenslave, vlan, interfaces-bond(5) of ifupdown-ng, ifupdown2, Open vSwitch.
 */
static const struct option {
    const char *name;
    bool lists_ports;
} software_options[] = {
    { "bond-members", true }, { "bond-mode", false }, { "bond-slaves", true },
    { "bridge-ports", true }, { "ovs-bonds", true },  { "ovs-ports", true },
    { "slaves", true },       { "vlan-id", false },   { "vlan-raw-device", true },
    { "vxlan-id", false },
};

/* Words among ports that are none. */
static bool is_port(const char *word)
{
    static const char *const words[] = { "none", "all", "regex", "noregex", "glob" };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(word, words[i]) == 0)
            return false;
    return true;
}

static void add_ports(struct parser *parser, const struct span *fields, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        CLEANUP_FREE char *word = span_dup(parser->text, fields[i]);

        if (is_port(word))
            strlist_take(&parser->iface->ports, TAKE(word));
    }
}

static void replace(char **field, const char *text, struct span value)
{
    free(*field);
    *field = span_dup(text, value);
}

/* An option below "iface": its MAC address and its parts are of interest. */
static void add_option(struct parser *parser, const struct span *fields, size_t n)
{
    size_t at = n > 2 && span_is(parser->text, fields[1], "ether") ? 2 : 1;
    CLEANUP_FREE char *name = span_dup(parser->text, fields[0]);

    if (!parser->iface || n < 2)
        return;
    for (char *c = name; *c; c++)
        if (*c == '_')
            *c = '-';
    if (strcmp(name, "hwaddress") == 0)
        replace(&parser->iface->hwaddress, parser->text, fields[at]);
    else if (strcmp(name, "bond-master") == 0)
        replace(&parser->iface->master, parser->text, fields[1]);
    for (size_t i = 0; i < ARRAY_SIZE(software_options); i++) {
        if (strcmp(name, software_options[i].name) != 0)
            continue;
        parser->iface->is_software = true;
        if (software_options[i].lists_ports)
            add_ports(parser, fields, n);
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
        free(ifupdown->ifaces[i].master);
        strlist_done(&ifupdown->ifaces[i].ports);
    }
    free(ifupdown->ifaces);
    strlist_done(&ifupdown->autos);
    strlist_done(&ifupdown->sources);
    strlist_done(&ifupdown->source_dirs);
    *ifupdown = (struct ifupdown){ 0 };
}
