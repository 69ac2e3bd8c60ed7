/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/package_texts.h"

#include <string.h>

#include "engine/base/cleanup.h"

/* ---- dpkg ---- */

struct stanza {
    struct package_spans package;
    bool is_installed;
};

/* "install ok installed", "hold ok installed": the third word counts. */
static bool status_is_installed(const char *text, struct span value)
{
    struct span words[3];

    return fields_split(text, &value, words, 3) == 3 && span_is(text, words[2], "installed");
}

/* Is the line "@name: value"? The value without the blanks in front. */
static bool field_is(const char *text, const struct span *line, const char *name, size_t name_len,
                     struct span *ret)
{
    size_t skip = name_len;

    if (line->len < name_len || memcmp(text + line->start, name, name_len) != 0)
        return false;
    while (skip < line->len &&
           (text[line->start + skip] == ' ' || text[line->start + skip] == '\t'))
        skip++;
    ret->start = line->start + skip;
    ret->len = line->len - skip;
    return true;
}

static void read_field(const char *text, const struct span *line, struct stanza *stanza)
{
    struct span value;

    /* most lines are of long descriptions: the first byte decides */
    switch (text[line->start]) {
    case 'P':
        (void)field_is(text, line, "Package:", 8, &stanza->package.name);
        break;
    case 'V':
        (void)field_is(text, line, "Version:", 8, &stanza->package.version);
        break;
    case 'A':
        (void)field_is(text, line, "Architecture:", 13, &stanza->package.arch);
        break;
    case 'S':
        if (field_is(text, line, "Status:", 7, &value))
            stanza->is_installed = status_is_installed(text, value);
        break;
    default:
        break;
    }
}

static void end_stanza(struct stanza *stanza, package_fn fn, void *arg)
{
    if (stanza->is_installed && stanza->package.name.len > 0)
        fn(arg, &stanza->package);
    memset(stanza, 0, sizeof(*stanza));
}

void dpkg_status_parse(const char *text, size_t len, package_fn fn, void *arg)
{
    struct stanza stanza = { 0 };
    struct span line;
    size_t pos = 0;

    while (line_next(text, len, &pos, &line)) {
        if (line.len > 0)
            read_field(text, &line, &stanza);
        else
            end_stanza(&stanza, fn, arg);
    }
    end_stanza(&stanza, fn, arg);
}

/* ---- apk, pacman ---- */

void apk_installed_parse(const char *text, size_t len, package_fn fn, void *arg)
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
