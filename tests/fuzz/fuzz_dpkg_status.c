/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the text is: every package lies inside it. */
#include <stdint.h>
#include <stdlib.h>

#include "inspect/dpkg_status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *arg, const struct dpkg_package *package)
{
    const size_t *size = arg;

    if (package->name.start + package->name.len > *size ||
        package->version.start + package->version.len > *size ||
        package->arch.start + package->arch.len > *size)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)dpkg_status_parse((const char *)data, size, check, &size); /* the count is not needed */
    return 0;
}
