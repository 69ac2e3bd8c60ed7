/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the text is: every position lies inside it. */
#include <stdint.h>
#include <stdlib.h>

#include "inspect/ifupdown.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ifupdown ifupdown;

    ifupdown_parse((const char *)data, size, &ifupdown);
    for (size_t i = 0; i < ifupdown.n; i++)
        if (ifupdown.ifaces[i].name_at.start > size ||
            ifupdown.ifaces[i].name_at.len > size - ifupdown.ifaces[i].name_at.start)
            abort();
    ifupdown_done(&ifupdown);
    return 0;
}
