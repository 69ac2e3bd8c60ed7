/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/fstab.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"

void fstab_parse(const char *text, size_t len, struct fstab *ret)
{
    struct span line;
    size_t pos = 0;

    *ret = (struct fstab){ 0 };
    while (ret->n < FIELDS_MAX_LINES && line_next(text, len, &pos, &line)) {
        struct span fields[4] = { 0 };
        size_t n = fields_split(text, &line, fields, 4);
        struct fstab_entry *entry;

        if (n < 2)
            continue;
        entry = mem_add(&ret->entries, &ret->n, sizeof(*entry));
        entry->source_at = fields[0];
        entry->options_at = fields[3];
        entry->source = span_unescape(text, fields[0], true);
        entry->target = span_unescape(text, fields[1], false);
        entry->type = n > 2 ? span_unescape(text, fields[2], false) : mem_strdup("");
        entry->options = n > 3 ? span_unescape(text, fields[3], false) : mem_strdup("");
    }
}

void fstab_done(struct fstab *fstab)
{
    for (size_t i = 0; i < fstab->n; i++) {
        free(fstab->entries[i].source);
        free(fstab->entries[i].target);
        free(fstab->entries[i].type);
        free(fstab->entries[i].options);
    }
    free(fstab->entries);
    *fstab = (struct fstab){ 0 };
}

/* Types of an entry, by their start, and other starts of libblkid's names that suit them. */
static const struct {
    const char *want, *have;
} families[] = {
    { "ext", "ext" },     { "ntfs", "ntfs" },      { "fuse", "" },
    { "vfat", "vfat" },   { "msdos", "vfat" },     { "fat", "vfat" },
    { "umsdos", "vfat" }, { "swap", "swsuspend" }, /* it holds the image of a hibernated system */
};

bool fstab_type_fits(const char *want, const char *have)
{
    if (!*want || !*have || strcmp(want, "auto") == 0 || strcmp(want, have) == 0)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        if (strncmp(want, families[i].want, strlen(families[i].want)) == 0 &&
            strncmp(have, families[i].have, strlen(families[i].have)) == 0)
            return true;
    return false;
}
