/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No input may crash or hang the parser, or make it leak. */
#include <stdint.h>

#include "inspect/os_release.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct os_release release = { 0 };

    os_release_parse((const char *)data, size, &release);
    os_release_done(&release);
    release_line_parse((const char *)data, size, &release);
    os_release_done(&release);
    lsb_release_parse((const char *)data, size, &release);
    os_release_done(&release);
    suse_release_parse((const char *)data, size, &release);
    os_release_done(&release);
    return 0;
}
