/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the bytes of values mean. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/utf16.h"
#include "engine/hive.h"

/* Units up to the first terminator from @from on, or to the end. */
static size_t text_units(const struct hive_value *value, size_t from)
{
    const uint8_t *at = value->data;
    size_t n = 0;

    while ((from + n) * 2 + 2 <= value->len && get_le16(at + 2 * (from + n)) != 0)
        n++;
    return n;
}

char *hive_value_text(const struct hive_value *value)
{
    struct strbuf text = { 0 };

    if (value->type != REG_SZ && value->type != REG_EXPAND_SZ)
        return NULL;
    utf16_to_utf8(value->data, 2 * text_units(value, 0), false, &text);
    return strbuf_take(&text);
}

bool hive_value_list(const struct hive_value *value, struct strlist *ret)
{
    CLEANUP_FREE char *text = hive_value_text(value);

    if (text) {
        if (*text)
            strlist_take(ret, TAKE(text));
        return true;
    }
    if (value->type != REG_MULTI_SZ)
        return false;
    for (size_t at = 0, n = text_units(value, 0); n > 0; at += n + 1, n = text_units(value, at)) {
        struct strbuf item = { 0 };

        utf16_to_utf8((const uint8_t *)value->data + 2 * at, 2 * n, false, &item);
        strlist_take(ret, strbuf_take(&item));
    }
    return true;
}

bool hive_value_u32(const struct hive_value *value, uint32_t *ret)
{
    if (value->type == REG_DWORD && value->len == 4) {
        *ret = get_le32(value->data);
        return true;
    }
    if (value->type == REG_QWORD && value->len == 8 && get_le64(value->data) <= UINT32_MAX) {
        *ret = get_le32(value->data);
        return true;
    }
    return false;
}

void hive_make_data(struct hive_value *ret, const char *name, uint32_t type, const void *data,
                    size_t len)
{
    struct strbuf copy = { 0 };

    strbuf_add(&copy, data ? data : "", len);
    *ret = (struct hive_value){
        .name = mem_strdup(name),
        .type = type,
        .len = len,
        .data = strbuf_take(&copy),
    };
}

static void add_text(const char *text, struct strbuf *ret)
{
    utf16_from_utf8(text, strlen(text), ret);
    strbuf_add(ret, "\0", 2);
}

void hive_make_text(struct hive_value *ret, const char *name, uint32_t type, const char *text)
{
    CLEANUP_STRBUF struct strbuf data = { 0 };

    add_text(text, &data);
    hive_make_data(ret, name, type, data.data, data.len);
}

void hive_make_list(struct hive_value *ret, const char *name, const struct strlist *texts)
{
    CLEANUP_STRBUF struct strbuf data = { 0 };

    for (size_t i = 0; i < texts->n; i++)
        add_text(texts->items[i], &data);
    add_text("", &data);
    hive_make_data(ret, name, REG_MULTI_SZ, data.data, data.len);
}

void hive_make_u32(struct hive_value *ret, const char *name, uint32_t number)
{
    uint8_t data[4];

    put_le32(data, number);
    hive_make_data(ret, name, REG_DWORD, data, sizeof(data));
}
