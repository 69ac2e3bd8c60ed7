/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/fields.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"
#include "engine/base/strbuf.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool line_next(const char *text, size_t len, size_t *pos, struct span *ret)
{
    const char *end;

    if (*pos >= len)
        return false;
    end = memchr(text + *pos, '\n', len - *pos);
    ret->start = *pos;
    ret->len = (end ? (size_t)(end - text) : len) - *pos;
    *pos += ret->len + (end != NULL);
    if (ret->len > 0 && text[ret->start + ret->len - 1] == '\r')
        ret->len--;
    return true;
}

bool field_next(const char *text, const struct span *line, size_t *pos, struct span *ret)
{
    size_t end = line->start + line->len;
    size_t at = *pos;

    while (at < end && is_blank(text[at]))
        at++;
    if (at >= end)
        return false;
    ret->start = at;
    while (at < end && !is_blank(text[at]))
        at++;
    ret->len = at - ret->start;
    *pos = at;
    return true;
}

size_t fields_split(const char *text, const struct span *line, struct span *ret, size_t max)
{
    size_t pos = line->start;
    struct span field;
    size_t n = 0;

    while (n < max && field_next(text, line, &pos, &field)) {
        if (text[field.start] == '#')
            break;
        ret[n++] = field;
    }
    return n;
}

char *span_dup(const char *text, struct span span)
{
    return mem_strndup(span.len > 0 ? text + span.start : "", span.len);
}

bool span_is(const char *text, struct span span, const char *word)
{
    return strlen(word) == span.len && memcmp(text + span.start, word, span.len) == 0;
}

/* The byte of an octal escape "\ooo" at @at, or -1. A NUL is not one: it would end the string. */
static int octal_at(const char *at, size_t left)
{
    int value;

    if (left < 4 || at[0] != '\\')
        return -1;
    for (size_t i = 1; i < 4; i++)
        if (at[i] < '0' || at[i] > '7')
            return -1;
    value = (at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0');
    return value > 0 && value < 256 ? value : -1;
}

/* Cut the quotes off "x", 'x', TAG="x", TAG='x': where the quoted part begins, or span.len. */
static size_t quote_start(const char *text, struct span span)
{
    const char *at = text + span.start;
    const char *equal = memchr(at, '=', span.len);
    size_t open = 0;

    if (span.len > 0 && at[0] != '"' && at[0] != '\'' && equal)
        open = (size_t)(equal - at) + 1;
    if (open + 1 < span.len && (at[open] == '"' || at[open] == '\'') &&
        at[span.len - 1] == at[open])
        return open;
    return span.len;
}

char *span_unescape(const char *text, struct span span, bool unquote)
{
    const char *at = text + span.start;
    size_t quote = unquote ? quote_start(text, span) : span.len;
    size_t end = quote < span.len ? span.len - 1 : span.len;
    struct strbuf out = { 0 };

    strbuf_reserve(&out, span.len);
    for (size_t i = 0; i < end && at[i] != '\0';) {
        int octal = octal_at(at + i, end - i);

        if (i == quote) {
            i++;
            continue;
        }
        if (octal >= 0)
            strbuf_putc(&out, (char)octal);
        else
            strbuf_putc(&out, at[i]);
        i += octal >= 0 ? 4 : 1;
    }
    return strbuf_take(&out);
}

char *field_escape(const char *value)
{
    struct strbuf out = { 0 };

    for (const char *c = value; *c; c++) {
        if (strchr(" \t\n\r\\", *c) || (*c == '#' && c == value))
            strbuf_printf(&out, "\\%03o", (unsigned char)*c);
        else
            strbuf_putc(&out, *c);
    }
    return strbuf_take(&out);
}

/* The element of a comma list that is @name or begins with "name=", NULL when there is none. */
static const char *list_find(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = list; at && len > 0;) {
        if (strncmp(at, name, len) == 0 && (at[len] == '\0' || at[len] == ',' || at[len] == '='))
            return at;
        at = strchr(at, ',');
        if (at)
            at++;
    }
    return NULL;
}

bool list_has(const char *list, const char *name)
{
    return list_find(list, name) != NULL;
}

char *list_value(const char *list, const char *name)
{
    const char *at = list_find(list, name);

    if (!at || at[strlen(name)] != '=')
        return NULL;
    at += strlen(name) + 1;
    return mem_strndup(at, strcspn(at, ","));
}

void edits_add(struct edits *edits, struct span at, const char *with)
{
    struct edit *edit = mem_add(&edits->items, &edits->n, sizeof(*edit));

    edit->at = at;
    edit->with = mem_strdup(with);
}

/* The place of an edit in the text, and which one it is. */
struct place {
    size_t start, index;
};

static int by_start(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;

    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return x->index < y->index ? -1 : 1; /* two insertions at one place stay in order */
}

char *edits_apply(const struct edits *edits, const char *text, size_t len, size_t *ret_len)
{
    struct place *places = mem_alloc(edits->n * sizeof(*places));
    struct strbuf out = { 0 };
    size_t done = 0;

    for (size_t i = 0; i < edits->n; i++)
        places[i] = (struct place){ .start = edits->items[i].at.start, .index = i };
    if (edits->n > 1)
        qsort(places, edits->n, sizeof(*places), by_start);
    for (size_t i = 0; i < edits->n; i++) {
        const struct edit *edit = &edits->items[places[i].index];
        struct span at = edit->at;

        if (at.start < done || at.start > len || at.len > len - at.start)
            continue;
        strbuf_add(&out, text + done, at.start - done);
        strbuf_puts(&out, edit->with);
        done = at.start + at.len;
    }
    if (len > done)
        strbuf_add(&out, text + done, len - done);
    free(places);
    if (ret_len)
        *ret_len = out.len;
    return strbuf_take(&out);
}

void edits_done(struct edits *edits)
{
    for (size_t i = 0; i < edits->n; i++)
        free(edits->items[i].with);
    free(edits->items);
    *edits = (struct edits){ 0 };
}
