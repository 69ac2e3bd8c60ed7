/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/base/strbuf.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"

void strbuf_reserve(struct strbuf *buf, size_t more)
{
    size_t need = buf->len + more + 1;

    if (need <= buf->room)
        return;
    buf->room = need < 2 * buf->room ? 2 * buf->room : need;
    buf->data = mem_realloc(buf->data, buf->room);
    buf->data[buf->len] = '\0';
}

void strbuf_add(struct strbuf *buf, const void *data, size_t len)
{
    strbuf_reserve(buf, len);
    if (len)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void strbuf_puts(struct strbuf *buf, const char *text)
{
    strbuf_add(buf, text, strlen(text));
}

void strbuf_putc(struct strbuf *buf, char c)
{
    strbuf_add(buf, &c, 1);
}

void strbuf_printf(struct strbuf *buf, const char *fmt, ...)
{
    va_list args;
    char *text;

    va_start(args, fmt);
    text = mem_vprintf(fmt, args);
    va_end(args);
    strbuf_puts(buf, text);
    free(text);
}

char *strbuf_take(struct strbuf *buf)
{
    char *text = buf->data ? buf->data : mem_strdup("");

    *buf = (struct strbuf){ 0 };
    return text;
}

const char *strbuf_text(const struct strbuf *buf)
{
    return buf->data ? buf->data : "";
}

void strbuf_done(struct strbuf *buf)
{
    free(buf->data);
    *buf = (struct strbuf){ 0 };
}
