/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/utf16.h"
#include "engine/regfile.h"
#include "engine/upcase.h"

#define OLD_HEAD "REGEDIT4"

struct reader {
    const char *at, *start; /* terminated, without a NUL in it */
    bool ansi;              /* REGEDIT4 */
    const struct regfile_map *maps;
    size_t n_maps;
    char *key;    /* of the values that follow; NULL: no map names it */
    bool has_key; /* there was one at all */
    struct regfile_edits *edits;
    struct err *err;
};

static int bad(const struct reader *reader, const char *what)
{
    unsigned line = 1;

    for (const char *at = reader->start; at < reader->at; at++)
        line += *at == '\n';
    (void)err_set(reader->err, EBADMSG, "read a .reg file: line %u: %s", line, what);
    return -EBADMSG;
}

/* ---- the text ---- */

/* Code page 1252 has others than Latin 1 here; 0: none. */
static const uint16_t ansi_80[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

static uint16_t ansi_unit(uint8_t byte)
{
    if (byte >= 0x80 && byte < 0xa0 && ansi_80[byte - 0x80])
        return ansi_80[byte - 0x80];
    return byte;
}

static void ansi_to_utf8(const char *data, size_t len, struct strbuf *ret)
{
    for (size_t i = 0; i < len; i++)
        utf8_encode(ansi_unit((uint8_t)data[i]), ret);
}

/* All of the file as UTF-8, without a mark. */
static void recode(const char *data, size_t len, struct strbuf *ret)
{
    strbuf_puts(ret, "");
    if (len >= 2 && (memcmp(data, "\xff\xfe", 2) == 0 || memcmp(data, "\xfe\xff", 2) == 0))
        utf16_to_utf8(data + 2, len - 2, data[0] == '\xfe', ret);
    else if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
        strbuf_add(ret, data + 3, len - 3);
    else if (strncasecmp(data, OLD_HEAD, len < strlen(OLD_HEAD) ? len : strlen(OLD_HEAD)) != 0 &&
             utf8_is_valid(data, len))
        strbuf_add(ret, data, len);
    else
        ansi_to_utf8(data, len, ret);
}

static void skip_blanks(struct reader *reader)
{
    reader->at += strspn(reader->at, " \t");
}

static bool skip_text(struct reader *reader, const char *text)
{
    size_t len = strlen(text);

    if (strncasecmp(reader->at, text, len) != 0)
        return false;
    reader->at += len;
    return true;
}

/* What may follow in a line: nothing, or a comment. */
static int end_line(struct reader *reader)
{
    skip_blanks(reader);
    if (*reader->at == ';')
        reader->at += strcspn(reader->at, "\n");
    if (*reader->at == '\r')
        reader->at++;
    if (*reader->at && *reader->at != '\n')
        return bad(reader, "there is something after the end of an entry");
    return 0;
}

/* "text", which may go on over the end of a line. */
static int read_quoted(struct reader *reader, struct strbuf *ret)
{
    strbuf_puts(ret, "");
    for (reader->at++; *reader->at != '"'; reader->at++) {
        if (!*reader->at)
            return bad(reader, "a text has no end");
        if (*reader->at == '\\' && (reader->at[1] == '"' || reader->at[1] == '\\'))
            reader->at++;
        strbuf_putc(ret, *reader->at);
    }
    reader->at++;
    return 0;
}

/* ---- values ---- */

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

    return found ? (int)(found - digits) : -1;
}

/* Up to @max digits. */
static int read_hex(struct reader *reader, unsigned max, uint32_t *ret)
{
    uint32_t number = 0;
    unsigned n = 0;

    for (; hex_digit(*reader->at) >= 0; reader->at++, n++) {
        if (n == max)
            return bad(reader, "a number has too many digits");
        number = number << 4 | (uint32_t)hex_digit(*reader->at);
    }
    if (n == 0)
        return bad(reader, "a number is missing");
    *ret = number;
    return 0;
}

/* Blanks, and "\" at the end of a line. */
static int skip_continuation(struct reader *reader)
{
    skip_blanks(reader);
    while (*reader->at == '\\') {
        reader->at++;
        if (end_line(reader) < 0 || *reader->at != '\n')
            return bad(reader, "no line follows");
        reader->at++;
        skip_blanks(reader);
    }
    return 0;
}

static int read_bytes(struct reader *reader, struct strbuf *ret)
{
    uint32_t byte = 0;
    int r = skip_continuation(reader);

    strbuf_puts(ret, "");
    while (r == 0 && hex_digit(*reader->at) >= 0) {
        r = read_hex(reader, 2, &byte);
        if (r < 0)
            return r;
        strbuf_putc(ret, (char)byte);
        skip_blanks(reader);
        if (*reader->at == ',')
            reader->at++;
        r = skip_continuation(reader);
    }
    return r;
}

/* Bytes of text in the old form become what is stored. */
static void widen(struct strbuf *bytes)
{
    struct strbuf wide = { 0 };

    strbuf_puts(&wide, "");
    for (size_t i = 0; i < bytes->len; i++) {
        uint16_t unit = htole16(ansi_unit((uint8_t)bytes->data[i]));

        strbuf_add(&wide, &unit, sizeof(unit));
    }
    strbuf_done(bytes);
    *bytes = wide;
}

/* "hex:..." or "hex(7):...", from behind the "hex". */
static int read_hex_value(struct reader *reader, const char *name, struct hive_value *ret)
{
    CLEANUP_STRBUF struct strbuf bytes = { 0 };
    uint32_t type = REG_BINARY;
    int r;

    if (*reader->at == '(') {
        reader->at++;
        r = read_hex(reader, 8, &type);
        if (r < 0)
            return r;
        if (!skip_text(reader, ")"))
            return bad(reader, "a type has no end");
    }
    if (!skip_text(reader, ":"))
        return bad(reader, "there is no \":\"");
    r = read_bytes(reader, &bytes);
    if (r < 0)
        return r;
    if (reader->ansi && (type == REG_SZ || type == REG_EXPAND_SZ || type == REG_MULTI_SZ))
        widen(&bytes);
    hive_make_data(ret, name, type, bytes.data, bytes.len);
    return 0;
}

static int read_text_value(struct reader *reader, const char *name, struct hive_value *ret)
{
    CLEANUP_STRBUF struct strbuf text = { 0 };
    int r = read_quoted(reader, &text);

    if (r == 0)
        hive_make_text(ret, name, REG_SZ, text.data);
    return r;
}

static int read_value(struct reader *reader, const char *name, struct hive_value *ret)
{
    uint32_t number = 0;
    int r;

    if (*reader->at == '"')
        return read_text_value(reader, name, ret);
    if (skip_text(reader, "hex"))
        return read_hex_value(reader, name, ret);
    if (!skip_text(reader, "dword:"))
        return bad(reader, "the value is of no known kind");
    skip_blanks(reader);
    r = read_hex(reader, 8, &number);
    if (r == 0)
        hive_make_u32(ret, name, number);
    return r;
}

/* ---- entries ---- */

/* Adds an edit of the last key; NULL when it is elsewhere. */
static struct hive_edit *add_edit(struct reader *reader, enum hive_edit_kind kind)
{
    struct hive_edit *edit;

    if (!reader->key)
        return NULL;
    edit = mem_add(&reader->edits->items, &reader->edits->n, sizeof(*edit));
    edit->kind = kind;
    edit->key = mem_strdup(reader->key);
    return edit;
}

/* "name"=value, or @=value */
static int read_entry(struct reader *reader)
{
    CLEANUP_STRBUF struct strbuf name = { 0 };
    struct hive_value value = { 0 };
    struct hive_edit *edit;
    int r = 0;

    if (!reader->has_key)
        return bad(reader, "a value is in no key");
    if (*reader->at == '@')
        reader->at++;
    else
        r = read_quoted(reader, &name);
    if (r < 0)
        return r;
    skip_blanks(reader);
    if (!skip_text(reader, "="))
        return bad(reader, "there is no \"=\"");
    skip_blanks(reader);
    if (*reader->at == '-') {
        reader->at++;
        hive_make_data(&value, strbuf_text(&name), REG_NONE, NULL, 0);
        edit = add_edit(reader, HIVE_UNSET);
    } else {
        r = read_value(reader, strbuf_text(&name), &value);
        edit = r == 0 ? add_edit(reader, HIVE_SET) : NULL;
    }
    if (edit)
        edit->value = value;
    else
        hive_value_done(&value);
    return r < 0 ? r : end_line(reader);
}

/* The key that @name is in the hive; NULL: it is elsewhere. */
static char *map_key(const struct reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->n_maps; i++) {
        const struct regfile_map *map = &reader->maps[i];
        size_t len = strlen(map->name);
        const char *rest;

        if (strlen(name) < len || !upcase_equal_n(name, len, map->name, len) ||
            (name[len] && name[len] != '\\'))
            continue;
        rest = name + len + strspn(name + len, "\\");
        return mem_printf("%s%s%s", map->key, *map->key && *rest ? "\\" : "", rest);
    }
    return NULL;
}

/* [key] or [-key] */
static int read_key(struct reader *reader)
{
    size_t len = strcspn(reader->at, "\r\n");
    const char *end = reader->at + len, *name = reader->at + 1;
    CLEANUP_FREE char *text = NULL;
    bool goes = *name == '-';

    while (end > name && *end != ']')
        end--;
    if (*end != ']')
        return bad(reader, "a key has no end");
    name += goes;
    text = mem_strndup(name, name < end ? (size_t)(end - name) : 0);
    free(reader->key);
    reader->key = map_key(reader, text);
    reader->has_key = true;
    if (reader->key)
        (void)add_edit(reader, goes ? HIVE_DELETE_KEY : HIVE_ADD_KEY);
    else if (reader->edits->n_elsewhere++ == 0)
        reader->edits->elsewhere = TAKE(text);
    if (goes) { /* nothing can follow in it */
        reader->has_key = false;
        free(reader->key);
        reader->key = NULL;
    }
    reader->at = end + 1;
    return end_line(reader);
}

static int read_head(struct reader *reader)
{
    reader->at += strspn(reader->at, " \t\r\n");
    reader->ansi = skip_text(reader, OLD_HEAD);
    if (!reader->ansi && !skip_text(reader, "Windows Registry Editor Version 5.00"))
        return bad(reader, "the file does not begin like one");
    return end_line(reader);
}

static int read_all(struct reader *reader)
{
    int r = read_head(reader);

    while (r == 0) {
        reader->at += strspn(reader->at, " \t\r\n");
        if (!*reader->at)
            return 0;
        if (*reader->at == ';')
            r = end_line(reader);
        else if (*reader->at == '[')
            r = read_key(reader);
        else if (*reader->at == '"' || *reader->at == '@')
            r = read_entry(reader);
        else
            r = bad(reader, "it is neither a key nor a value");
    }
    return r;
}

int regfile_import(const void *data, size_t len, const struct regfile_map *maps, size_t n_maps,
                   struct regfile_edits *ret, struct err *err)
{
    CLEANUP_STRBUF struct strbuf text = { 0 };
    struct regfile_edits edits = { 0 };
    struct reader reader = { .maps = maps, .n_maps = n_maps, .edits = &edits, .err = err };
    int r;

    recode(len > 0 ? data : "", len, &text);
    reader.at = reader.start = text.data;
    if (memchr(text.data, '\0', text.len))
        r = err_set(err, EBADMSG, "read a .reg file: there is a NUL in it");
    else
        r = read_all(&reader);
    free(reader.key);
    if (r < 0) {
        regfile_edits_done(&edits);
        return r;
    }
    *ret = edits;
    return 0;
}

void regfile_edits_done(struct regfile_edits *edits)
{
    for (size_t i = 0; i < edits->n; i++)
        hive_edit_done(&edits->items[i]);
    free(edits->items);
    free(edits->elsewhere);
    *edits = (struct regfile_edits){ 0 };
}
