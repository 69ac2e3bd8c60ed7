/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No input may crash or hang the parser, or make it leak. */
#include <stdint.h>

#include "fixers/injections.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct injections inject = { 0 };
    struct err err = ERR_NONE;

    if (size <= 16384) /* libyaml takes quadratic time for some; any result will do */
        (void)injections_parse(&inject, (const char *)data, size, "config.yaml", &err);
    injections_done(&inject);
    return 0;
}
