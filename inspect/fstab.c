/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/fstab.h"

#include <stdlib.h>

#include "engine/base/mem.h"

void fstab_parse(const char *text, size_t len, struct fstab *ret)
{
    struct span line;
    size_t pos = 0;

    *ret = (struct fstab){ 0 };
    while (ret->n < FIELDS_MAX_LINES && line_next(text, len, &pos, &line)) {
        struct span fields[4];
        size_t n = fields_split(text, &line, fields, 4);
        struct fstab_entry *entry;

        if (n < 2)
            continue;
        entry = mem_add(&ret->entries, &ret->n, sizeof(*entry));
        entry->source_at = fields[0];
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
