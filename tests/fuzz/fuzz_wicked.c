/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No input may crash or hang the parser, or make it leak. */
#include <stdint.h>

#include "inspect/wicked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wicked wicked;

    (void)wicked_parse((const char *)data, size, &wicked); /* any result will do */
    wicked_done(&wicked);
    return 0;
}
