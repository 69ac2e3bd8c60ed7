/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/package_texts.h"

#include <string.h>

#include "engine/base/cleanup.h"

void apk_installed_parse(const char *text, size_t len,
                         void (*fn)(void *arg, const struct package_spans *package), void *arg)
{
    struct package_spans package = { 0 };
    size_t pos = 0;
    bool more;

    do {
        struct span line = { 0 }, value;

        more = line_next(text, len, &pos, &line);
        if (line.len == 0) {
            if (package.name.len > 0)
                fn(arg, &package);
            package = (struct package_spans){ 0 };
            continue;
        }
        if (line.len < 2 || text[line.start + 1] != ':')
            continue;
        value = (struct span){ line.start + 2, line.len - 2 };
        if (text[line.start] == 'P')
            package.name = value;
        else if (text[line.start] == 'V')
            package.version = value;
        else if (text[line.start] == 'A')
            package.arch = value;
    } while (more);
}

bool pacman_desc_parse(const char *text, size_t len, struct package_spans *ret)
{
    struct package_spans package = { 0 };
    const struct {
        const char *title;
        struct span *value;
    } fields[] = {
        { "%NAME%", &package.name },
        { "%VERSION%", &package.version },
        { "%ARCH%", &package.arch },
    };
    struct span line;
    size_t pos = 0;

    while (line_next(text, len, &pos, &line))
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
            if (span_is(text, line, fields[i].title) &&
                !line_next(text, len, &pos, fields[i].value))
                break;
    *ret = package;
    return package.name.len > 0;
}
