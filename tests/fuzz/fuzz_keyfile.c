/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the text is: every position lies inside it. */
#include <stdint.h>
#include <stdlib.h>

#include "inspect/keyfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct keyfile keyfile;

    keyfile_parse((const char *)data, size, &keyfile);
    for (size_t i = 0; i < keyfile.n; i++)
        if (keyfile.entries[i].value_at.start > size ||
            keyfile.entries[i].value_at.len > size - keyfile.entries[i].value_at.start)
            abort();
    keyfile_done(&keyfile);
    return 0;
}
