/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/udev_rules.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"

bool udev_rule_next(const char *text, size_t len, size_t *pos, struct span *ret)
{
    struct span line;

    while (line_next(text, len, pos, ret)) {
        size_t at = ret->start, end = ret->start + ret->len;

        while (at < end && (text[at] == ' ' || text[at] == '\t'))
            at++;
        if (at == end || text[at] == '#')
            continue;
        while (ret->len > 0 && text[ret->start + ret->len - 1] == '\\' &&
               line_next(text, len, pos, &line))
            ret->len = line.start + line.len - ret->start;
        return true;
    }
    return false;
}

bool udev_term_next(const char *text, const struct span *rule, size_t *pos, struct udev_term *ret)
{
    size_t end = rule->start + rule->len;
    size_t at = *pos;

    while (at < end && strchr(" \t,\\\r\n", text[at]))
        at++;
    ret->key.start = ret->all.start = at;
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
    ret->all.len = *pos - ret->all.start;
    return at < end;
}

bool udev_term_is_mac(const char *text, const struct udev_term *term)
{
    static const char *const keys[] = { "ATTR{address}", "ATTRS{address}", "SYSFS{address}" };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (span_is(text, term->key, keys[i]))
            return span_is(text, term->op, "==");
    return false;
}

/* IMPORT="/lib/udev/rename_netiface %k eth0" of SLES 10: the last word. Free it. */
static char *renamed(const char *text, struct span value)
{
    CLEANUP_FREE char *command = span_dup(text, value);
    const char *last = strrchr(command, ' ');

    return strstr(command, "rename_netiface ") && last && last[1] ? mem_strdup(last + 1) : NULL;
}

static void read_rule(const char *text, const struct span *rule, struct udev_names *names)
{
    CLEANUP_FREE char *name = NULL;
    struct span mac = { 0 };
    size_t pos = rule->start;
    struct udev_term term;

    while (udev_term_next(text, rule, &pos, &term)) {
        bool compares = span_is(text, term.op, "==");
        bool gives = !compares && span_is(text, term.key, "NAME");

        if (udev_term_is_mac(text, &term))
            mac = term.value;
        if (!gives && !(!compares && span_is(text, term.key, "IMPORT")))
            continue;
        free(name);
        name = gives ? span_dup(text, term.value) : renamed(text, term.value);
    }
    if (mac.len > 0 && name && *name) {
        struct udev_name *added = mem_add(&names->names, &names->n, sizeof(*added));

        added->mac = span_dup(text, mac);
        added->name = TAKE(name);
    }
}

void udev_rules_parse(const char *text, size_t len, struct udev_names *ret)
{
    struct span rule;
    size_t pos = 0;

    *ret = (struct udev_names){ 0 };
    while (ret->n < FIELDS_MAX_LINES && udev_rule_next(text, len, &pos, &rule))
        read_rule(text, &rule, ret);
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
