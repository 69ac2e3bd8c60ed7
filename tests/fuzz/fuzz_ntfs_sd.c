/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A security descriptor. What files and folders inherit is one, too; from a folder's grandchild on
 * nothing changes any more. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ntfs_sd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct strbuf file = { 0 }, below[4] = { { 0 } };

    if (ntfs_sd_inherit(data, size, false, &file) == 0 &&
        ntfs_sd_inherit(file.data, file.len, false, &below[0]) < 0)
        abort();
    if (ntfs_sd_inherit(data, size, true, &below[0]) == 0) {
        for (int i = 1; i < 4; i++)
            if (ntfs_sd_inherit(below[i - 1].data, below[i - 1].len, true, &below[i]) < 0)
                abort();
        if (below[2].len != below[3].len || memcmp(below[2].data, below[3].data, below[2].len) != 0)
            abort();
    }
    for (int i = 0; i < 4; i++)
        strbuf_done(&below[i]);
    strbuf_done(&file);
    return 0;
}
