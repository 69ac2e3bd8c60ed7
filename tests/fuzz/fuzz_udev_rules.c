/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No input may crash or hang the parser, or make it leak. */
#include <stdint.h>

#include "inspect/udev_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct udev_names names;

    udev_rules_parse((const char *)data, size, &names);
    udev_names_done(&names);
    return 0;
}
