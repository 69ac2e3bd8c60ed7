/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All of a hive as lines of text, and what differs between two. */
#ifndef H2K_TESTS_HIVE_DUMP_H
#define H2K_TESTS_HIVE_DUMP_H

#include <string.h>

#include "engine/hive.h"
#include "engine/hive_parts.h"
#include "tests/unit/unit.h"

#define HIVE_DUMP_BYTES 24 /* of a value's data; the rest as a sum */

static inline void hive_dump_value(const char *key, const struct hive_value *value,
                                   struct strlist *ret)
{
    struct strbuf line = { 0 };
    const uint8_t *at = value->data;
    uint32_t sum = 0;

    strbuf_printf(&line, "%s: %s = %u:", key, value->name, value->type);
    for (size_t i = 0; i < value->len; i++) {
        if (i < HIVE_DUMP_BYTES)
            strbuf_printf(&line, "%02x", at[i]);
        else
            sum = sum * 31 + at[i];
    }
    if (value->len > HIVE_DUMP_BYTES)
        strbuf_printf(&line, "+%zu,%x", value->len - HIVE_DUMP_BYTES, sum);
    strlist_take(ret, strbuf_take(&line));
}

/* A line for each key ("path:") and each value ("path: name = type:data"). */
static inline void hive_dump(struct hive *hive, struct strlist *ret)
{
    struct hive_walk walk = { 0 };
    struct hive_key key;
    struct err err = ERR_NONE;

    assert_int_equal(hive_key_at(hive, hive->root, &key, &err), 0);
    assert_int_equal(hive_walk_start(&walk, hive, &key, &err), 0);
    while (hive_walk_next(&walk, &key, &err) > 0) {
        struct hive_values values = { 0 };

        strlist_take(ret, mem_printf("%s:", strbuf_text(&walk.path)));
        assert_int_equal(hive_key_values(hive, &key, &values, &err), 0);
        for (size_t i = 0; i < values.n; i++)
            hive_dump_value(strbuf_text(&walk.path), &values.items[i], ret);
        hive_values_done(&values);
    }
    assert_int_equal(err.code, 0);
    hive_walk_done(&walk);
    strlist_sort(ret);
}

/* "+line\n" for each that @old lacks, then "-line\n" for each that @new lacks, in order. */
static inline char *hive_diff(struct hive *old, struct hive *new)
{
    struct strlist a = { 0 }, b = { 0 };
    struct strbuf text = { 0 }, gone = { 0 };

    hive_dump(old, &a);
    hive_dump(new, &b);
    for (size_t i = 0, j = 0; i < a.n || j < b.n;) {
        int order = i == a.n ? 1 : j == b.n ? -1 : strcmp(a.items[i], b.items[j]);

        if (order < 0)
            strbuf_printf(&gone, "-%s\n", a.items[i]);
        if (order > 0)
            strbuf_printf(&text, "+%s\n", b.items[j]);
        i += order <= 0;
        j += order >= 0;
    }
    strlist_done(&a);
    strlist_done(&b);
    strbuf_puts(&text, strbuf_text(&gone));
    strbuf_done(&gone);
    return strbuf_take(&text);
}

#endif
