/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-16, which Windows and UEFI write, and UTF-8, which everything here speaks. */
#ifndef H2K_ENGINE_BASE_UTF16_H
#define H2K_ENGINE_BASE_UTF16_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/strbuf.h"

/* Append the @len bytes of UTF-16 (an odd last one is ignored) as UTF-8. Halves of pairs become
 * U+FFFD, zero units U+0000: who wants an end there cuts first. */
void utf16_to_utf8(const void *bytes, size_t len, bool big_endian, struct strbuf *ret);

/* Append @len bytes of UTF-8 as UTF-16LE, without a terminator. What is no UTF-8 becomes U+FFFD. */
void utf16_from_utf8(const char *text, size_t len, struct strbuf *ret);

/* The character at @text, of which @len > 0 bytes are left. Returns how many bytes it has; 0: this
 * is no UTF-8 (overlong forms and surrogates are none). */
size_t utf8_decode(const char *text, size_t len, unsigned *ret);

/* Are these @len bytes UTF-8? */
bool utf8_is_valid(const char *text, size_t len);

/* Append a character as UTF-8. */
void utf8_encode(unsigned c, struct strbuf *ret);

#endif
