/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small questions about strings. */
#ifndef H2K_ENGINE_BASE_TEXT_H
#define H2K_ENGINE_BASE_TEXT_H

#include <stdbool.h>
#include <string.h>

/* Does @text end with @suffix, with something before it? */
static inline bool text_has_suffix(const char *text, const char *suffix)
{
    size_t len = strlen(text), suffix_len = strlen(suffix);

    return len > suffix_len && strcmp(text + len - suffix_len, suffix) == 0;
}

/* Does @path lie in @folder, at any depth? */
static inline bool path_is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    return strncmp(path, folder, len) == 0 && path[len] == '/';
}

#endif
