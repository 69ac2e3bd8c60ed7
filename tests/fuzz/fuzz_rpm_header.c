/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the header is: the strings of a package lie inside it and end there. */
#include <stdlib.h>
#include <string.h>

#include "inspect/rpm_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, const uint8_t *data, size_t size)
{
    const uint8_t *at = (const uint8_t *)text;

    if (text[0] == '\0')
        return;
    if (at < data || at >= data + size || !memchr(at, 0, (size_t)(data + size - at)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rpm_package package;

    if (!rpm_header_parse(data, size, &package))
        return 0;
    check(package.name, data, size);
    check(package.version, data, size);
    check(package.release, data, size);
    check(package.arch, data, size);
    return 0;
}
