/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A growing, always terminated byte buffer. Zero-initialise; release with strbuf_done(). */
#ifndef H2K_ENGINE_BASE_STRBUF_H
#define H2K_ENGINE_BASE_STRBUF_H

#include <stddef.h>

struct strbuf {
    char *data; /* NULL while nothing was added; else data[len] == 0 */
    size_t len; /* bytes, without the terminator */
    size_t room;
};

#define CLEANUP_STRBUF __attribute__((cleanup(strbuf_done)))

void strbuf_add(struct strbuf *buf, const void *data, size_t len);
void strbuf_puts(struct strbuf *buf, const char *text);
void strbuf_putc(struct strbuf *buf, char c);
void strbuf_printf(struct strbuf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strbuf_reserve(struct strbuf *buf, size_t more); /* room for @more bytes without moving */
char *strbuf_take(struct strbuf *buf); /* the text, to free(); never NULL; empties @buf */
const char *strbuf_text(const struct strbuf *buf); /* never NULL */
void strbuf_done(struct strbuf *buf);

#endif
