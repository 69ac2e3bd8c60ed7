/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the file is: never more sections than there is room for. */
#include <stdlib.h>

#include "inspect/uki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct uki_section found[3];

    if (uki_find_cmdlines(data, size, found, 2) > 2)
        abort();
    return 0;
}
