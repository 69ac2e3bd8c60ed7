/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the text is: every package lies inside it. */
#include <stdint.h>
#include <stdlib.h>

#include "inspect/package_texts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *arg, const struct package_spans *package)
{
    const size_t *size = arg;

    if (package->name.start + package->name.len > *size ||
        package->version.start + package->version.len > *size ||
        package->arch.start + package->arch.len > *size)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct package_spans package;

    dpkg_status_parse((const char *)data, size, check, &size);
    apk_installed_parse((const char *)data, size, check, &size);
    if (pacman_desc_parse((const char *)data, size, &package))
        check(&size, &package);
    return 0;
}
