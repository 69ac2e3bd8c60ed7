/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No input may crash or hang the parser, or make it leak. */
#include <stdint.h>
#include <string.h>

#include "fixers/injections.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct injections inject = { 0 };
    struct err err = ERR_NONE;

    /* libyaml takes quadratic time for some; files of the host are not to be read here */
    if (size <= 16384 && !memmem(data, size, "from", 4) && !memmem(data, size, "-file", 5))
        (void)injections_parse(&inject, (const char *)data, size, "config.yaml", &err);
    injections_done(&inject);
    return 0;
}
