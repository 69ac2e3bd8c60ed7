/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/keyfile.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"
#include "engine/base/strbuf.h"

static struct span trimmed(const char *text, struct span span)
{
    while (span.len > 0 && strchr(" \t\r", text[span.start])) {
        span.start++;
        span.len--;
    }
    while (span.len > 0 && strchr(" \t\r", text[span.start + span.len - 1]))
        span.len--;
    return span;
}

/* A value that goes on behind a '\' at the end of the line. */
static char *read_value(const char *text, size_t len, struct span *value, size_t *pos)
{
    struct strbuf out = { 0 };
    struct span part = *value;

    for (;;) {
        struct span line;
        bool more = part.len > 0 && text[part.start + part.len - 1] == '\\';

        if (!more || !line_next(text, len, pos, &line)) {
            strbuf_add(&out, text + part.start, strnlen(text + part.start, part.len));
            break;
        }
        strbuf_add(&out, text + part.start, strnlen(text + part.start, part.len - 1));
        strbuf_putc(&out, ' ');
        part = trimmed(text, line);
        value->len = part.start + part.len - value->start;
    }
    return strbuf_take(&out);
}

void keyfile_parse(const char *text, size_t len, struct keyfile *ret)
{
    char *section = mem_strdup("");
    struct span line;
    size_t pos = 0;

    *ret = (struct keyfile){ 0 };
    while (ret->n < FIELDS_MAX_LINES && line_next(text, len, &pos, &line)) {
        struct span all = trimmed(text, line);
        const char *at = text + all.start;
        const char *equal;
        struct keyfile_entry *entry;
        size_t split;

        if (all.len == 0 || *at == '#' || *at == ';')
            continue;
        if (*at == '[' && at[all.len - 1] == ']' && all.len >= 2) {
            free(section);
            section = span_dup(text, (struct span){ .start = all.start + 1, .len = all.len - 2 });
            continue;
        }
        equal = memchr(at, '=', all.len);
        if (!equal || equal == at)
            continue;
        split = (size_t)(equal - at);
        entry = mem_add(&ret->entries, &ret->n, sizeof(*entry));
        entry->section = mem_strdup(section);
        entry->key =
            span_dup(text, trimmed(text, (struct span){ .start = all.start, .len = split }));
        entry->value_at = trimmed(
            text, (struct span){ .start = all.start + split + 1, .len = all.len - split - 1 });
        entry->value = read_value(text, len, &entry->value_at, &pos);
    }
    free(section);
}

void keyfile_done(struct keyfile *keyfile)
{
    for (size_t i = 0; i < keyfile->n; i++) {
        free(keyfile->entries[i].section);
        free(keyfile->entries[i].key);
        free(keyfile->entries[i].value);
    }
    free(keyfile->entries);
    *keyfile = (struct keyfile){ 0 };
}

const char *keyfile_get(const struct keyfile *keyfile, const char *section, const char *key)
{
    for (size_t i = keyfile->n; i-- > 0;)
        if (strcmp(keyfile->entries[i].section, section) == 0 &&
            strcmp(keyfile->entries[i].key, key) == 0)
            return keyfile->entries[i].value;
    return NULL;
}
