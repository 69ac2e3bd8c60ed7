/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* udev rules that name an interface by the driver or the slot of its card. */
#include <fnmatch.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "fixers/linux/network_match.h"
#include "inspect/udev_rules.h"

#define MAX_TERMS 32

struct rule {
    const char *text;
    struct udev_term terms[MAX_TERMS];
    bool goes[MAX_TERMS]; /* terms that are dropped */
    size_t n;
    char *name; /* that it gives; NULL: none */
    bool is_net, has_mac, has_sysfs;
};

static void rule_done(struct rule *rule)
{
    free(rule->name);
}

static bool is_key(const struct rule *rule, const struct udev_term *term, const char *const *keys,
                   size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (span_is(rule->text, term->key, keys[i]))
            return true;
    return false;
}

/* false: it names nothing, or is too long to be one of these. */
static bool read_rule(const char *text, const struct span *span, struct rule *rule)
{
    static const char *const subsystems[] = { "SUBSYSTEM", "SUBSYSTEMS" };
    size_t pos = span->start;
    struct udev_term term;

    *rule = (struct rule){ .text = text };
    while (udev_term_next(text, span, &pos, &term)) {
        bool compares = span_is(text, term.op, "==");

        if (rule->n == MAX_TERMS)
            return false;
        rule->terms[rule->n++] = term;
        if (!compares && span_is(text, term.key, "NAME")) {
            free(rule->name);
            rule->name = span_dup(text, term.value);
        }
        rule->has_mac |= udev_term_is_mac(text, &term);
        rule->has_sysfs |= term.key.len > 6 && memcmp(text + term.key.start, "SYSFS{", 6) == 0;
        rule->is_net |=
            compares && ((is_key(rule, &term, subsystems, ARRAY_SIZE(subsystems)) &&
                          span_is(text, term.value, "net")) ||
                         (span_is(text, term.key, "KERNEL") && span_is(text, term.value, "eth*")));
    }
    rule->is_net |= rule->has_mac;
    return rule->name && *rule->name;
}

/* A slot of a bus, or what only a card of the old machine has. */
static bool is_place(const struct rule *rule, const struct udev_term *term)
{
    static const char *const keys[] = { "KERNELS",
                                        "ID",
                                        "DEVPATH",
                                        "ENV{ID_PATH}",
                                        "ENV{ID_PATH_TAG}",
                                        "ENV{ID_NET_NAME_PATH}",
                                        "ATTRS{vendor}",
                                        "ATTRS{device}",
                                        "SYSFS{vendor}",
                                        "SYSFS{device}",
                                        "ENV{ID_VENDOR_ID}",
                                        "ENV{ID_MODEL_ID}",
                                        "ENV{ID_NET_NAME_SLOT}" };
    /* what a virtio card may have: a pattern that takes one of them stays */
    static const char *const some[] = { "0000:01:00.0", "pci-0000:01:00.0", "enp1s0", "virtio0",
                                        "0x1af4" };
    CLEANUP_FREE char *value = span_dup(rule->text, term->value);

    if (strchr(value, '*') && span_is(rule->text, term->key, "DEVPATH"))
        return false; /* "*virtual*" and the like: too many ways to write one */
    if (!rule->is_net || !span_is(rule->text, term->op, "==") ||
        !is_key(rule, term, keys, ARRAY_SIZE(keys)))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(some); i++)
        if (fnmatch(value, some[i], 0) == 0)
            return false;
    return true;
}

static const struct match_target *find(const struct match_target *known, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(known[i].name, name) == 0)
            return &known[i];
    return NULL;
}

/* Drop the terms that go: up to the next one, at the end from the one before. */
static void drop_terms(const struct rule *rule, struct edits *edits)
{
    for (size_t i = 0; i < rule->n; i++) {
        size_t last = i;
        struct span at = { rule->terms[i].all.start, 0 };

        if (!rule->goes[i])
            continue;
        while (last + 1 < rule->n && rule->goes[last + 1])
            last++;
        if (last + 1 < rule->n) {
            at.len = rule->terms[last + 1].all.start - at.start;
        } else {
            const struct span *end = &rule->terms[last].all;

            at.start = i > 0 ? rule->terms[i - 1].all.start + rule->terms[i - 1].all.len : at.start;
            at.len = end->start + end->len - at.start;
        }
        edits_add(edits, at, "");
        i = last;
    }
}

/* The place of the old card becomes its address, or the driver of the only one. Returns false when
 * neither is known. */
static bool fix_places(struct rule *rule, const struct match_target *target, bool is_only,
                       const char *driver, struct edits *edits)
{
    bool has_mac = target && target->mac && *target->mac;
    CLEANUP_FREE char *instead = NULL;

    if (has_mac)
        instead =
            mem_printf("%s{address}==\"%s\"", rule->has_sysfs ? "SYSFS" : "ATTR", target->mac);
    else if (target && is_only)
        instead = mem_printf("DRIVERS==\"%s\"", driver);
    for (size_t i = 0; i < rule->n; i++) {
        if (!is_place(rule, &rule->terms[i]))
            continue;
        if (!rule->has_mac && !instead)
            return false;
        rule->goes[i] = rule->has_mac;
        if (!rule->has_mac)
            edits_add(edits, rule->terms[i].all, instead);
        rule->has_mac = true; /* one is enough */
    }
    drop_terms(rule, edits);
    return true;
}

enum match_result match_fix_rules(const char *text, const struct match_target *known,
                                  size_t n_known, bool is_only, const char *driver, char **ret_text)
{
    static const char *const drivers[] = { "DRIVERS", "DRIVER", "ENV{ID_NET_DRIVER}" };
    CLEANUP_EDITS struct edits edits = { 0 };
    size_t pos = 0, len = strlen(text);
    bool sure = true;
    struct span span;

    while (udev_rule_next(text, len, &pos, &span)) {
        CLEANUP(rule_done) struct rule rule = { 0 };

        if (!read_rule(text, &span, &rule))
            continue;
        for (size_t i = 0; i < rule.n; i++)
            if (span_is(text, rule.terms[i].op, "==") &&
                is_key(&rule, &rule.terms[i], drivers, ARRAY_SIZE(drivers)))
                swap_drivers(text, rule.terms[i].value, driver, &edits);
        sure &= fix_places(&rule, find(known, n_known, rule.name), is_only, driver, &edits);
    }
    return match_finish(&edits, text, !sure, ret_text);
}
