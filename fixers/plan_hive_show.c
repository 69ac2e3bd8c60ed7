/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of registry hives for people: the key, and the value before and after. */
#include "fixers/plan_hive_show.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/strbuf.h"
#include "inspect/json_text.h"

#define SHOWN_BYTES 64U /* of binary values */

/* With control characters as escapes: a line of the guest must not look like one of ours. */
static void show_text(struct strbuf *out, const char *text, const char *escaped)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < ' ' || c == 0x7f) {
            strbuf_printf(out, "\\x%02x", c);
            continue;
        }
        if (strchr(escaped, c))
            strbuf_putc(out, '\\');
        strbuf_putc(out, *text);
    }
}

static void show_quoted(struct strbuf *out, const char *text)
{
    strbuf_putc(out, '"');
    show_text(out, text, "\"\\");
    strbuf_putc(out, '"');
}

static void show_key(struct strbuf *out, const char *start, const char *key)
{
    strbuf_puts(out, start);
    show_text(out, key, "");
    strbuf_puts(out, "]\n");
}

static void show_bytes(struct strbuf *out, const struct hive_value *value)
{
    const unsigned char *bytes = value->data;

    if (value->type == REG_BINARY)
        strbuf_puts(out, "hex:");
    else
        strbuf_printf(out, "hex(%x):", value->type);
    for (size_t i = 0; i < value->len && i < SHOWN_BYTES; i++)
        strbuf_printf(out, i ? ",%02x" : "%02x", bytes[i]);
    if (value->len > SHOWN_BYTES)
        strbuf_printf(out, ",... (%zu bytes)", value->len);
}

static void show_list(struct strbuf *out, const struct strlist *list)
{
    strbuf_puts(out, "multi:");
    for (size_t i = 0; i < list->n; i++) {
        if (i)
            strbuf_putc(out, ',');
        show_quoted(out, list->items[i]);
    }
}

/* As regedit's files have it, but text of every kind as text. */
static void show_data(struct strbuf *out, const struct hive_value *value)
{
    CLEANUP_FREE char *text = hive_value_text(value);
    struct strlist list = { 0 };
    uint32_t number;

    if (text) {
        strbuf_puts(out, value->type == REG_EXPAND_SZ ? "expand:" : "");
        show_quoted(out, text);
    } else if (value->type == REG_MULTI_SZ && hive_value_list(value, &list)) {
        show_list(out, &list);
    } else if (value->type == REG_DWORD && hive_value_u32(value, &number)) {
        strbuf_printf(out, "dword:%08x", number);
    } else {
        show_bytes(out, value);
    }
    strlist_done(&list);
}

char *hive_show_value(const struct hive_value *value)
{
    struct strbuf out = { 0 };

    show_data(&out, value);
    return strbuf_take(&out);
}

static void show_line(struct strbuf *out, char sign, const struct hive_value *value, bool hidden)
{
    strbuf_putc(out, sign);
    if (value->name[0])
        show_quoted(out, value->name);
    else
        strbuf_putc(out, '@');
    strbuf_putc(out, '=');
    if (hidden)
        strbuf_puts(out, "(a secret; --show-secrets shows it)");
    else
        show_data(out, value);
    strbuf_putc(out, '\n');
}

char *hive_change_diff(const struct change *change, bool show_secrets)
{
    bool hidden = change->secret && !show_secrets;
    struct strbuf out = { 0 };

    switch (change->edit->kind) {
    case HIVE_ADD_KEY:
        show_key(&out, "+[", change->edit->key);
        return strbuf_take(&out);
    case HIVE_DELETE_KEY:
        show_key(&out, "-[", change->edit->key);
        return strbuf_take(&out);
    case HIVE_SET:
    case HIVE_UNSET:
        break;
    }
    show_key(&out, " [", change->edit->key);
    if (change->was)
        show_line(&out, '-', change->was, hidden);
    if (change->edit->kind == HIVE_SET)
        show_line(&out, '+', &change->edit->value, hidden);
    return strbuf_take(&out);
}

const char *hive_change_name(const struct change *change)
{
    static const char *const names[] = {
        [HIVE_SET] = "set-value",
        [HIVE_UNSET] = "remove-value",
        [HIVE_ADD_KEY] = "add-key",
        [HIVE_DELETE_KEY] = "remove-key",
    };

    return names[change->edit->kind];
}

static void put_data(json_t *object, const char *key, const struct hive_value *value, bool hidden)
{
    CLEANUP_FREE char *text = value && !hidden ? hive_show_value(value) : NULL;

    (void)json_object_set_new(object, key, json_text_or_null(text));
}

void hive_change_json(const struct change *change, bool show_secrets, json_t *object)
{
    const struct hive_edit *edit = change->edit;
    bool hidden = change->secret && !show_secrets;

    (void)json_object_set_new(object, "key", json_text(edit->key));
    if (edit->kind != HIVE_SET && edit->kind != HIVE_UNSET)
        return;
    (void)json_object_set_new(object, "name", json_text(edit->value.name));
    put_data(object, "before", change->was, hidden);
    put_data(object, "after", edit->kind == HIVE_SET ? &edit->value : NULL, hidden);
}
