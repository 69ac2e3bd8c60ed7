/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/inf.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/strbuf.h"
#include "engine/base/utf16.h"

static const char blanks[] = " \t\f\v";

/* While a file is read. */
struct reader {
    struct inf *inf;
    const char *at, *end;
    struct inf_section *section; /* NULL before the first one */
    struct inf_line *line;       /* that is built; NULL: none yet */
    size_t n_lines, n_fields;
};

/* ---- from bytes to UTF-8 ---- */

/* One-byte code pages differ above 0x7f, where only texts for people are: Latin-1 will do. */
static void decode(const char *bytes, size_t len, struct strbuf *ret)
{
    if (len >= 2 && memcmp(bytes, "\xff\xfe", 2) == 0)
        utf16_to_utf8(bytes + 2, len - 2, false, ret);
    else if (len >= 2 && memcmp(bytes, "\xfe\xff", 2) == 0)
        utf16_to_utf8(bytes + 2, len - 2, true, ret);
    else if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        strbuf_add(ret, bytes + 3, len - 3);
    else if (utf8_is_valid(bytes, len))
        strbuf_add(ret, bytes, len);
    else
        for (size_t i = 0; i < len; i++)
            utf8_encode((unsigned char)bytes[i], ret);
}

/* ---- lines ---- */

static bool at_line_end(const struct reader *reader)
{
    return reader->at == reader->end || *reader->at == '\n' || *reader->at == '\r';
}

static void skip_blanks(struct reader *reader)
{
    while (reader->at < reader->end && strchr(blanks, *reader->at) && *reader->at)
        reader->at++;
}

/* To the first character of the next line. */
static void next_line(struct reader *reader)
{
    while (!at_line_end(reader))
        reader->at++;
    if (reader->at < reader->end && *reader->at == '\r')
        reader->at++;
    if (reader->at < reader->end && *reader->at == '\n')
        reader->at++;
}

/* A backslash with nothing but blanks or a comment behind it: the line goes on in the next one. */
static bool goes_on(struct reader *reader)
{
    struct reader ahead = *reader;

    if (*reader->at != '\\')
        return false;
    ahead.at++;
    skip_blanks(&ahead);
    if (!at_line_end(&ahead) && *ahead.at != ';')
        return false;
    next_line(&ahead);
    skip_blanks(&ahead);
    reader->at = ahead.at;
    return true;
}

/* Behind the opening quote; a doubled one stands for itself. */
static void read_quoted(struct reader *reader, struct strbuf *text)
{
    for (; !at_line_end(reader); reader->at++) {
        if (*reader->at == '"') {
            reader->at++;
            if (at_line_end(reader) || *reader->at != '"')
                return;
        }
        strbuf_putc(text, *reader->at);
    }
}

static void drop_blanks(struct strbuf *text, size_t from)
{
    while (text->len > from && strchr(blanks, text->data[text->len - 1]))
        text->data[--text->len] = '\0';
}

/* One field, up to a character of @stops, the end of the line or a comment, without the blanks
 * around it; those within quotes stay. */
static char *read_field(struct reader *reader, const char *stops)
{
    struct strbuf text = { 0 };
    size_t fixed = 0; /* what was quoted ends here */

    skip_blanks(reader);
    while (!at_line_end(reader) && *reader->at != ';' && !strchr(stops, *reader->at)) {
        if (goes_on(reader)) {
            drop_blanks(&text, fixed);
        } else if (*reader->at == '"') {
            reader->at++;
            read_quoted(reader, &text);
            fixed = text.len;
        } else {
            strbuf_putc(&text, *reader->at++);
        }
    }
    drop_blanks(&text, fixed);
    return strbuf_take(&text);
}

static int add_field(struct reader *reader, char *text, struct err *err)
{
    strlist_take(&reader->line->fields, text);
    if (++reader->n_fields > INF_FIELDS_MAX)
        return err_set(err, EFBIG, "more than %u fields", INF_FIELDS_MAX);
    return 0;
}

static int read_line(struct reader *reader, struct err *err)
{
    char *text = read_field(reader, ",=");
    bool has_key = !at_line_end(reader) && *reader->at == '=';
    int n = 0;

    if (!*text && !has_key && (at_line_end(reader) || *reader->at == ';')) {
        free(text);
        return 0;
    }
    if (++reader->n_lines > INF_LINES_MAX) {
        free(text);
        return err_set(err, EFBIG, "more than %u lines", INF_LINES_MAX);
    }
    reader->line = mem_add(&reader->section->lines, &reader->section->n_lines,
                           sizeof(*reader->section->lines));
    reader->line->key = has_key ? text : mem_strdup("");
    if (!has_key)
        n = add_field(reader, text, err);
    for (bool first = has_key; n == 0 && !at_line_end(reader) && *reader->at != ';';
         first = false) {
        reader->at++; /* what separates fields */
        if (!first || !at_line_end(reader))
            n = add_field(reader, read_field(reader, ","), err);
    }
    return n;
}

static struct inf_section *find_section(const struct inf *inf, const char *name)
{
    for (size_t i = 0; i < inf->n_sections; i++)
        if (strcasecmp(inf->sections[i].name, name) == 0)
            return &inf->sections[i];
    return NULL;
}

/* "[name]": one that was there before goes on. */
static int read_header(struct reader *reader, struct err *err)
{
    struct inf *inf = reader->inf;
    CLEANUP_FREE char *name = NULL;

    reader->at++;
    name = read_field(reader, "]");
    reader->section = find_section(inf, name);
    if (reader->section)
        return 0;
    if (inf->n_sections == INF_SECTIONS_MAX)
        return err_set(err, EFBIG, "more than %u sections", INF_SECTIONS_MAX);
    reader->section = mem_add(&inf->sections, &inf->n_sections, sizeof(*inf->sections));
    reader->section->name = TAKE(name);
    return 0;
}

static int read_all(struct reader *reader, struct err *err)
{
    int n = 0;

    for (; n == 0 && reader->at < reader->end; next_line(reader)) {
        skip_blanks(reader);
        if (at_line_end(reader) || *reader->at == ';')
            continue;
        if (*reader->at == '[')
            n = read_header(reader, err);
        else if (reader->section)
            n = read_line(reader, err);
    }
    return n;
}

int inf_parse(const void *bytes, size_t len, struct inf **ret, struct err *err)
{
    struct reader reader = { .inf = NULL };
    CLEANUP_STRBUF struct strbuf text = { 0 };
    int n;

    if (len > INF_MAX)
        return err_set(err, EFBIG, "an INF file of %zu bytes", len);
    decode(bytes, len, &text);
    if (memchr(strbuf_text(&text), '\0', text.len))
        return err_set(err, EBADMSG, "no text: it has zero bytes");
    reader.inf = mem_alloc(sizeof(*reader.inf));
    reader.at = strbuf_text(&text);
    reader.end = reader.at + text.len;
    n = read_all(&reader, err);
    if (n == 0)
        n = inf_replace_tokens(reader.inf, err);
    if (n < 0) {
        inf_free(reader.inf);
        return n;
    }
    *ret = reader.inf;
    return 0;
}

void inf_free(struct inf *inf)
{
    for (size_t i = 0; inf && i < inf->n_sections; i++) {
        struct inf_section *section = &inf->sections[i];

        for (size_t k = 0; k < section->n_lines; k++) {
            free(section->lines[k].key);
            strlist_done(&section->lines[k].fields);
        }
        free(section->lines);
        free(section->name);
    }
    if (inf)
        free(inf->sections);
    free(inf);
}

const struct inf_section *inf_section(const struct inf *inf, const char *name)
{
    return find_section(inf, name);
}

const struct inf_line *inf_next(const struct inf_section *section, const char *key, size_t *at)
{
    while (section && *at < section->n_lines) {
        const struct inf_line *line = &section->lines[(*at)++];

        if (strcasecmp(line->key, key) == 0)
            return line;
    }
    return NULL;
}

const char *inf_field(const struct inf_line *line, size_t n)
{
    return line && n < line->fields.n ? line->fields.items[n] : "";
}

const char *inf_value(const struct inf_section *section, const char *key)
{
    size_t at = 0;

    return inf_field(inf_next(section, key, &at), 0);
}

int inf_number(const char *text, uint32_t *ret)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? text + 2 : text;
    unsigned long long number;

    if (!*digits || strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
        return -EINVAL;
    errno = 0;
    number = strtoull(digits, NULL, hex ? 16 : 10);
    if (errno || number > UINT32_MAX)
        return -EINVAL;
    *ret = (uint32_t)number;
    return 0;
}
