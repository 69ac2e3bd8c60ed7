/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/grubenv.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"
#include "engine/base/strbuf.h"

static const char signature[] = "# GRUB Environment Block\n";

bool grubenv_is(const char *text, size_t len)
{
    return len >= sizeof(signature) - 1 && memcmp(text, signature, sizeof(signature) - 1) == 0;
}

bool grubenv_next(const char *text, size_t len, size_t *pos, struct span *ret_name,
                  struct span *ret_value)
{
    struct span line;

    while (line_next(text, len, pos, &line)) {
        const char *start = text + line.start;
        const char *equal = memchr(start, '=', line.len);

        if (!equal || *start == '#')
            continue;
        *ret_name = (struct span){ line.start, (size_t)(equal - start) };
        *ret_value = (struct span){ line.start + ret_name->len + 1, line.len - ret_name->len - 1 };
        return true;
    }
    return false;
}

char *grubenv_get(const char *text, size_t len, const char *name)
{
    struct span found, value;
    size_t pos = 0;

    while (grubenv_next(text, len, &pos, &found, &value))
        if (span_is(text, found, name))
            return span_dup(text, value);
    return NULL;
}

/* How many '#' fill the block's end. */
static size_t padding(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && text[len - 1 - n] == '#')
        n++;
    return n;
}

char *grubenv_apply(const struct edits *edits, const char *text, size_t len, size_t *ret_len)
{
    size_t fill = padding(text, len);
    struct strbuf out = { 0 };
    char *body = edits_apply(edits, text, len - fill, ret_len);

    if (fill == 0 && len % 512 != 0) /* not padded at all: read, but never written by GRUB */
        return body;
    if (*ret_len > len || (*ret_len > 0 && body[*ret_len - 1] != '\n')) {
        free(body);
        return NULL;
    }
    strbuf_add(&out, body, *ret_len);
    while (out.len < len)
        strbuf_putc(&out, '#');
    free(body);
    *ret_len = out.len;
    return strbuf_take(&out);
}
