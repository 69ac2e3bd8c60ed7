/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the block is: with all values replaced it is as large as before, and read back, or it is
 * refused. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/grubenv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct edits edits = { 0 };
    struct span name, value;
    size_t pos = 0, len = 0, n = 0;
    char *out;

    (void)grubenv_is(text, size);
    free(grubenv_get(text, size, "saved_entry"));
    while (grubenv_next(text, size, &pos, &name, &value))
        edits_add(&edits, value, "UUID=1");
    out = grubenv_apply(&edits, text, size, &len);
    if (out && size > 0 && text[size - 1] == '#' && len != size)
        abort();
    pos = 0;
    while (out && grubenv_next(out, len, &pos, &name, &value)) {
        n++;
        if (!span_is(out, value, "UUID=1"))
            abort();
    }
    if (out && n != edits.n)
        abort();
    free(out);
    edits_done(&edits);
    return 0;
}
