/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/crypttab.h"

#include <stdlib.h>

#include "engine/base/mem.h"

void crypttab_parse(const char *text, size_t len, struct crypttab *ret)
{
    struct span line;
    size_t pos = 0;

    *ret = (struct crypttab){ 0 };
    while (ret->n < FIELDS_MAX_LINES && line_next(text, len, &pos, &line)) {
        struct span fields[4] = { 0 };
        size_t n = fields_split(text, &line, fields, 4);
        struct crypttab_entry *entry;

        if (n < 2)
            continue;
        entry = mem_add(&ret->entries, &ret->n, sizeof(*entry));
        entry->device_at = fields[1];
        entry->key_at = fields[2];
        entry->name = span_unescape(text, fields[0], false);
        entry->device = span_unescape(text, fields[1], true);
        entry->key = n > 2 ? span_unescape(text, fields[2], false) : mem_strdup("");
        entry->options = n > 3 ? span_unescape(text, fields[3], false) : mem_strdup("");
    }
}

void crypttab_done(struct crypttab *crypttab)
{
    for (size_t i = 0; i < crypttab->n; i++) {
        free(crypttab->entries[i].name);
        free(crypttab->entries[i].device);
        free(crypttab->entries[i].key);
        free(crypttab->entries[i].options);
    }
    free(crypttab->entries);
    *crypttab = (struct crypttab){ 0 };
}
