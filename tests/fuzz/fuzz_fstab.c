/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the text is: a changed device is read back, and writing what was there changes
 * nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/fstab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct edits same = { 0 }, changed = { 0 };
    struct fstab fstab, again;
    char *out;
    size_t len;

    fstab_parse(text, size, &fstab);
    for (size_t i = 0; i < fstab.n; i++) {
        char *raw = span_dup(text, fstab.entries[i].source_at);

        edits_add(&same, fstab.entries[i].source_at, raw);
        edits_add(&changed, fstab.entries[i].source_at, "UUID=1");
        free(raw);
    }
    out = edits_apply(&same, text, size, &len);
    if (!memchr(text, 0, size) && (len != size || memcmp(out, text, size) != 0))
        abort();
    free(out);
    out = edits_apply(&changed, text, size, &len);
    fstab_parse(out, len, &again);
    if (again.n != fstab.n)
        abort();
    for (size_t i = 0; i < again.n; i++)
        if (strcmp(again.entries[i].source, "UUID=1") != 0)
            abort();
    free(out);
    edits_done(&same);
    edits_done(&changed);
    fstab_done(&fstab);
    fstab_done(&again);
    return 0;
}
