/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the text is: devices are paths, and uuids are digits. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/mdadm_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mdadm_conf conf;

    mdadm_conf_parse((const char *)data, size, &conf);
    for (size_t i = 0; i < conf.n; i++) {
        const struct mdadm_array *array = &conf.arrays[i];

        if ((array->device[0] != '\0' && array->device[0] != '/') ||
            array->uuid[strspn(array->uuid, "0123456789abcdef")] != '\0')
            abort();
    }
    mdadm_conf_done(&conf);
    return 0;
}
