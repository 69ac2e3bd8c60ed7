/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/dpkg_status.h"

#include <string.h>

struct stanza {
    struct dpkg_package package;
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

static size_t end_stanza(struct stanza *stanza,
                         void (*fn)(void *arg, const struct dpkg_package *package), void *arg)
{
    size_t n = stanza->is_installed && stanza->package.name.len > 0;

    if (n)
        fn(arg, &stanza->package);
    memset(stanza, 0, sizeof(*stanza));
    return n;
}

size_t dpkg_status_parse(const char *text, size_t len,
                         void (*fn)(void *arg, const struct dpkg_package *package), void *arg)
{
    struct stanza stanza = { 0 };
    struct span line;
    size_t pos = 0, n = 0;

    while (line_next(text, len, &pos, &line)) {
        if (line.len > 0)
            read_field(text, &line, &stanza);
        else
            n += end_stanza(&stanza, fn, arg);
    }
    return n + end_stanza(&stanza, fn, arg);
}
