/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/udev_rules.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"

/* One KEY{attribute} OPERATOR "value" of a rule. */
struct term {
    struct span key, op, value;
};

static bool term_next(const char *text, const struct span *line, size_t *pos, struct term *ret)
{
    size_t end = line->start + line->len;
    size_t at = *pos;

    while (at < end && strchr(" \t,", text[at]))
        at++;
    ret->key.start = at;
    while (at < end && !strchr(" \t=!+-:\"", text[at]))
        at++;
    ret->key.len = at - ret->key.start;
    while (at < end && (text[at] == ' ' || text[at] == '\t'))
        at++;
    ret->op.start = at;
    while (at < end && strchr("=!+-:", text[at]))
        at++;
    ret->op.len = at - ret->op.start;
    while (at < end && (text[at] == ' ' || text[at] == '\t'))
        at++;
    if (ret->key.len == 0 || ret->op.len == 0 || at >= end || text[at] != '"')
        return false;
    ret->value.start = ++at;
    while (at < end && text[at] != '"')
        at++;
    ret->value.len = at - ret->value.start;
    *pos = at + 1;
    return at < end;
}

static void read_rule(const char *text, const struct span *line, struct udev_names *names)
{
    struct span mac = { 0 }, name = { 0 };
    size_t pos = line->start;
    struct term term;

    while (term_next(text, line, &pos, &term)) {
        bool compares = span_is(text, term.op, "==");

        if (compares && (span_is(text, term.key, "ATTR{address}") ||
                         span_is(text, term.key, "ATTRS{address}") ||
                         span_is(text, term.key, "SYSFS{address}")))
            mac = term.value;
        else if (!compares && span_is(text, term.key, "NAME"))
            name = term.value;
    }
    if (mac.len > 0 && name.len > 0) {
        struct udev_name *added = mem_add(&names->names, &names->n, sizeof(*added));

        added->mac = span_dup(text, mac);
        added->name = span_dup(text, name);
    }
}

void udev_rules_parse(const char *text, size_t len, struct udev_names *ret)
{
    struct span line;
    size_t pos = 0;

    *ret = (struct udev_names){ 0 };
    while (ret->n < FIELDS_MAX_LINES && line_next(text, len, &pos, &line))
        if (line.len > 0 && text[line.start] != '#')
            read_rule(text, &line, ret);
}

void udev_names_done(struct udev_names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        free(names->names[i].mac);
        free(names->names[i].name);
    }
    free(names->names);
    *names = (struct udev_names){ 0 };
}
