/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * INF files as text: sections of lines "key = field, field" (Microsoft, "General Syntax Rules for
 * INF Files"). Encodings: ASCII or one-byte text, UTF-8, UTF-16 with a mark. Sections of one name
 * are one; names are compared without case; "%token%" is replaced by what [Strings] says.
 */
#ifndef H2K_FIXERS_WINDOWS_INF_H
#define H2K_FIXERS_WINDOWS_INF_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"

#define INF_MAX (1U << 20) /* bytes of a file */
#define INF_SECTIONS_MAX 2048U
#define INF_LINES_MAX 16384U
#define INF_FIELDS_MAX 65536U
#define INF_EXPANDED_MAX (4U << 20) /* bytes that replaced tokens may grow to */

struct inf_line {
    char *key; /* before "=", or "" when the line has none */
    struct strlist fields;
};

struct inf_section {
    char *name;
    struct inf_line *lines;
    size_t n_lines;
};

struct inf {
    struct inf_section *sections;
    size_t n_sections;
};

/* 0, or negative errno and *err: -EFBIG beyond the limits above, -EBADMSG when it is no text. */
int inf_parse(const void *bytes, size_t len, struct inf **ret, struct err *err);
void inf_free(struct inf *inf);

/* Part of inf_parse() (inf_tokens.c): put texts in the place of tokens. -EFBIG. */
int inf_replace_tokens(struct inf *inf, struct err *err);

/* NULL when there is none of that name. */
const struct inf_section *inf_section(const struct inf *inf, const char *name);

/* The first line with that key from *@at on, which moves behind it; NULL: no more.
 * `for (size_t at = 0; (line = inf_next(section, "CopyFiles", &at));)` */
const struct inf_line *inf_next(const struct inf_section *section, const char *key, size_t *at);

/* A field of a line; "" when it has no so many, or @line is NULL. */
const char *inf_field(const struct inf_line *line, size_t n);

/* First field of the first line with that key; "" when there is none, or @section is NULL. */
const char *inf_value(const struct inf_section *section, const char *key);

/* Decimal, or hexadecimal with 0x. -EINVAL when @text is none or has more than 32 bits. */
int inf_number(const char *text, uint32_t *ret);

#endif
