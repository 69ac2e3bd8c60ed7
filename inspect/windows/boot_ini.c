/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/windows/boot_ini.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "inspect/fields.h"

enum section { SECTION_OTHER, SECTION_LOADER, SECTION_SYSTEMS };

static const struct {
    const char *name;
    enum section section;
} sections[] = {
    { "[boot loader]", SECTION_LOADER },
    { "[flexboot]", SECTION_LOADER }, /* of NT's first versions */
    { "[operating systems]", SECTION_SYSTEMS },
};

/* "NAME(N)" at *@at, which moves behind it. */
static bool arc_part(const char **at, const char *name, uint32_t *ret)
{
    size_t len = strlen(name);
    CLEANUP_FREE char *digits = NULL;
    uint64_t number;
    size_t n;

    if (strncasecmp(*at, name, len) != 0 || (*at)[len] != '(')
        return false;
    n = strspn(*at + len + 1, "0123456789");
    digits = mem_strndup(*at + len + 1, n);
    if ((*at)[len + 1 + n] != ')' || io_parse_u64(digits, UINT32_MAX, &number) < 0)
        return false;
    *ret = (uint32_t)number;
    *at += len + 1 + n + 1;
    return true;
}

/* "multi(0)", "scsi(0)" or "signature(5cbea03e)" begins it; the number of the first says nothing
 * about where the disk is. */
static bool parse_arc(const char *at, struct arc_path *ret)
{
    static const char *const adapters[] = { "multi", "scsi" };
    uint32_t ignored;
    bool found = false;

    for (size_t i = 0; i < ARRAY_SIZE(adapters) && !found; i++)
        found = arc_part(&at, adapters[i], &ignored);
    if (!found && strncasecmp(at, "signature(", 10) == 0 && strchr(at, ')')) {
        at = strchr(at, ')') + 1;
        found = true;
    }
    if (!found || !arc_part(&at, "disk", &ignored) || !arc_part(&at, "rdisk", &ret->rdisk) ||
        !arc_part(&at, "partition", &ret->partition))
        return false;
    ret->is_arc = true;
    ret->folder = mem_strdup(at);
    for (char *c = ret->folder; *c; c++)
        if (*c == '\\')
            *c = '/';
    return true;
}

static void arc_done(struct arc_path *path)
{
    free(path->folder);
    *path = (struct arc_path){ .is_arc = false };
}

/* Without blanks and quotes at its ends. Free it. */
static char *trimmed(const char *text, size_t len)
{
    while (len > 0 && isspace((unsigned char)text[0])) {
        text++;
        len--;
    }
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    return mem_strndup(text, len);
}

static void add_line(struct boot_ini *ini, enum section section, const char *line)
{
    const char *equals = strchr(line, '=');
    CLEANUP_FREE char *name = equals ? trimmed(line, (size_t)(equals - line)) : NULL;
    struct arc_path path = { .is_arc = false };

    if (!equals)
        return;
    if (section == SECTION_LOADER && strcasecmp(name, "default") == 0 && !ini->has_default) {
        CLEANUP_FREE char *value = trimmed(equals + 1, strlen(equals + 1));

        ini->has_default = true;
        if (!parse_arc(value, &ini->default_path))
            ini->default_path.folder = mem_strdup(value);
    }
    if (section == SECTION_SYSTEMS && ini->n_entries < BOOT_INI_ENTRIES_MAX) {
        struct boot_ini_entry *entry;

        if (!parse_arc(name, &path))
            path.folder = mem_strdup(name);
        entry = mem_add(&ini->entries, &ini->n_entries, sizeof(*entry));
        entry->path = path;
        entry->line = mem_strdup(line);
    }
}

void boot_ini_parse(const char *text, size_t len, struct boot_ini *ret)
{
    enum section section = SECTION_OTHER;
    size_t pos = 0;
    struct span span;

    *ret = (struct boot_ini){ .n_entries = 0 };
    if (len > BOOT_INI_MAX)
        len = BOOT_INI_MAX;
    while (line_next(text, len, &pos, &span)) {
        CLEANUP_FREE char *raw = span_dup(text, span);
        CLEANUP_FREE char *line = trimmed(raw, strlen(raw));

        if (*line == ';')
            continue;
        if (*line != '[') {
            add_line(ret, section, line);
            continue;
        }
        section = SECTION_OTHER;
        for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
            if (strcasecmp(line, sections[i].name) == 0)
                section = sections[i].section;
    }
}

void boot_ini_done(struct boot_ini *ini)
{
    arc_done(&ini->default_path);
    for (size_t i = 0; i < ini->n_entries; i++) {
        arc_done(&ini->entries[i].path);
        free(ini->entries[i].line);
    }
    free(ini->entries);
    *ini = (struct boot_ini){ .n_entries = 0 };
}

const struct arc_path *boot_ini_default(const struct boot_ini *ini)
{
    if (ini->has_default)
        return &ini->default_path;
    return ini->n_entries > 0 ? &ini->entries[0].path : NULL;
}
