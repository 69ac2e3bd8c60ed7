/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tables with a device in each line: writing what was there changes nothing, and a changed
 * device is read back. */
#ifndef H2K_TESTS_FUZZ_TABLE_H
#define H2K_TESTS_FUZZ_TABLE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"
#include "inspect/fields.h"

struct device {
    struct span at;
    char *name;
};

struct devices {
    struct device *items;
    size_t n;
};

typedef void (*devices_of_fn)(const char *text, size_t len, struct devices *ret);

static void devices_add(struct devices *devices, struct span at, const char *name)
{
    *(struct device *)mem_add(&devices->items, &devices->n, sizeof(struct device)) =
        (struct device){ at, mem_strdup(name) };
}

static void devices_done(struct devices *devices)
{
    for (size_t i = 0; i < devices->n; i++)
        free(devices->items[i].name);
    free(devices->items);
}

static void check_table(const char *text, size_t size, devices_of_fn devices_of)
{
    struct edits same = { 0 }, changed = { 0 };
    struct devices before = { 0 }, after = { 0 };
    char *out;
    size_t len;

    devices_of(text, size, &before);
    for (size_t i = 0; i < before.n; i++) {
        char *raw = span_dup(text, before.items[i].at);

        edits_add(&same, before.items[i].at, raw);
        edits_add(&changed, before.items[i].at, "UUID=1");
        free(raw);
    }
    out = edits_apply(&same, text, size, &len);
    if (!memchr(text, 0, size) && (len != size || memcmp(out, text, size) != 0))
        abort();
    free(out);
    out = edits_apply(&changed, text, size, &len);
    devices_of(out, len, &after);
    if (after.n != before.n)
        abort();
    for (size_t i = 0; i < after.n; i++)
        if (strcmp(after.items[i].name, "UUID=1") != 0)
            abort();
    free(out);
    edits_done(&same);
    edits_done(&changed);
    devices_done(&before);
    devices_done(&after);
}

#endif
