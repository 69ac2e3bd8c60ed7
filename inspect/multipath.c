/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/multipath.h"

#include <string.h>

#include "engine/base/cleanup.h"

#define LETTERS_MAX 3U

/* kpartx puts one of these before a partition's number. */
static const char *const separators[] = { "-part", "_part", "p" };

static bool is_number(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= 3 && text[0] != '0' && strspn(text, "0123456789") == len;
}

/* NULL: it is no partition's number that stands there. */
static const char *partition(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(separators); i++) {
        size_t len = strlen(separators[i]);

        if (strncmp(text, separators[i], len) == 0)
            return is_number(text + len) ? text + len : NULL;
    }
    return NULL;
}

bool multipath_name(const char *name, const char **ret_part)
{
    const char *rest = name, *part;
    size_t len;

    if (strncmp(name, "mpath", 5) == 0) {
        len = strspn(name + 5, "abcdefghijklmnopqrstuvwxyz");
        part = len > 1 && name[5 + len - 1] == 'p' && is_number(name + 5 + len) ? name + 5 + len
                                                                                : NULL;
        if (len - (part != NULL) == 0 || len - (part != NULL) > LETTERS_MAX)
            return false;
        rest = name + 5 + len;
        if (!part && is_number(rest))
            part = rest;
    } else { /* a WWID: "3", and 16 or 32 digits of an NAA name */
        len = strspn(name, "0123456789abcdef");
        if (name[0] != '3' || (len != 17 && len != 33))
            return false;
        rest = name + len;
        part = NULL;
    }
    if (!part)
        part = *rest ? partition(rest) : rest;
    *ret_part = part ? part : "";
    return part != NULL;
}
