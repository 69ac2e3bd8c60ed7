/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small questions about strings. */
#ifndef H2K_ENGINE_BASE_TEXT_H
#define H2K_ENGINE_BASE_TEXT_H

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Does @text end with @suffix, with something before it? */
static inline bool text_has_suffix(const char *text, const char *suffix)
{
    size_t len = strlen(text), suffix_len = strlen(suffix);

    return len > suffix_len && strcmp(text + len - suffix_len, suffix) == 0;
}

/* Does @text end with @end? The second one takes ASCII letters of either case for the same. */
static inline bool text_ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static inline bool text_ends_with_nocase(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcasecmp(text + len - end_len, end) == 0;
}

/* Does @path lie in @folder, at any depth? */
static inline bool path_is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    return strncmp(path, folder, len) == 0 && path[len] == '/';
}

#endif
