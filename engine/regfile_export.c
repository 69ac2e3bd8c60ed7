/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/utf16.h"
#include "engine/hive_parts.h"
#include "engine/regfile.h"

#define LINE_FULL 77U /* a line of bytes that is so long, or longer, is ended */

/* The text is made in UTF-8 and recoded at the end. */

static void add_quoted(const char *text, struct strbuf *ret)
{
    strbuf_putc(ret, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            strbuf_putc(ret, '\\');
        strbuf_putc(ret, *text);
    }
    strbuf_putc(ret, '"');
}

/* Units of UTF-16 from @from on. */
static size_t columns(const struct strbuf *text, size_t from)
{
    size_t n = 0;

    for (size_t i = from; i < text->len; i++) {
        uint8_t byte = (uint8_t)text->data[i];

        n += (byte & 0xc0) != 0x80;
        n += byte >= 0xf0;
    }
    return n;
}

static void add_hex(const struct hive_value *value, size_t line, struct strbuf *ret)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = value->data;
    size_t column;

    if (value->type == REG_BINARY)
        strbuf_puts(ret, "hex:");
    else
        strbuf_printf(ret, "hex(%x):", value->type);
    column = columns(ret, line);
    for (size_t i = 0; i < value->len; i++) {
        strbuf_putc(ret, digits[at[i] >> 4]);
        strbuf_putc(ret, digits[at[i] & 0xf]);
        if (i + 1 == value->len)
            break;
        strbuf_putc(ret, ',');
        column += 3;
        if (column >= LINE_FULL) {
            strbuf_puts(ret, "\\\r\n  ");
            column = 2;
        }
    }
}

/* The text of a REG_SZ, when a line can hold all of it; NULL: it cannot. */
static char *line_of(const struct hive_value *value)
{
    struct strbuf back = { 0 };
    char *text;
    bool same;

    if (value->type != REG_SZ || value->len < 2)
        return NULL;
    text = hive_value_text(value);
    utf16_from_utf8(text, strlen(text), &back);
    strbuf_add(&back, "\0", 2);
    same = back.len == value->len && memcmp(back.data, value->data, back.len) == 0 &&
           !strpbrk(text, "\r\n");
    strbuf_done(&back);
    if (same)
        return text;
    free(text);
    return NULL;
}

static void add_value(const struct hive_value *value, struct strbuf *ret)
{
    CLEANUP_FREE char *text = line_of(value);
    size_t line = ret->len;

    if (*value->name)
        add_quoted(value->name, ret);
    else
        strbuf_putc(ret, '@');
    strbuf_putc(ret, '=');
    if (text)
        add_quoted(text, ret);
    else if (value->type == REG_DWORD && value->len == 4)
        strbuf_printf(ret, "dword:%08x", get_le32(value->data));
    else
        add_hex(value, line, ret);
    strbuf_puts(ret, "\r\n");
}

/* @total: bytes of values so far. */
static int add_key(struct hive *hive, const struct hive_key *key, const char *name, uint64_t *total,
                   struct strbuf *ret, struct err *err)
{
    struct hive_values values = { 0 };
    int r = hive_key_values(hive, key, &values, err);

    for (size_t i = 0; i < values.n; i++)
        *total += values.items[i].len;
    if (r == 0 && *total > hive->base.bins_size) /* no two have the same bytes */
        r = hive_damaged(hive, err, "values overlap in the key", key->offset);
    if (r == 0 && strpbrk(name, "\r\n"))
        r = err_set(err, EILSEQ, "the name of a key has a line break");
    if (r == 0) {
        strbuf_printf(ret, "[%s]\r\n", name);
        for (size_t i = 0; i < values.n; i++)
            add_value(&values.items[i], ret);
        strbuf_puts(ret, "\r\n");
    }
    hive_values_done(&values);
    return r;
}

static int add_tree(struct hive *hive, const struct hive_key *top, const char *as,
                    struct strbuf *ret, struct err *err)
{
    CLEANUP_HIVE_WALK struct hive_walk walk = { 0 };
    struct hive_key key;
    uint64_t total = 0;
    int r = hive_walk_start(&walk, hive, top, err);

    while (r >= 0) {
        CLEANUP_FREE char *name = NULL;

        r = hive_walk_next(&walk, &key, err);
        if (r <= 0)
            return r;
        name = mem_printf("%s%s%s", as, walk.path.len > 0 ? "\\" : "", strbuf_text(&walk.path));
        r = add_key(hive, &key, name, &total, ret, err);
    }
    return r;
}

int regfile_export(struct hive *hive, const char *key, const char *as, struct strbuf *ret,
                   struct err *err)
{
    CLEANUP_STRBUF struct strbuf text = { 0 };
    struct hive_key top;
    int r = hive_find(hive, key, &top, err);

    if (r <= 0)
        return r;
    strbuf_puts(&text, "Windows Registry Editor Version 5.00\r\n\r\n");
    r = add_tree(hive, &top, as, &text, err);
    if (r < 0)
        return err_wrap(err, "export the key \"%s\"", key);
    strbuf_add(ret, "\xff\xfe", 2);
    utf16_from_utf8(text.data, text.len, ret);
    return 1;
}
