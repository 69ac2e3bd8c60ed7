/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdint.h>
#include <stdlib.h>

#include "inspect/modules_dep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct modules_dep dep = { 0 };
    struct strlist list = { 0 };

    if (modules_dep_parse(text, size, &dep) == 0) {
        for (size_t i = 0; i < dep.n; i++)
            if (!module_path_ok(dep.modules[i].path) ||
                !modules_dep_find_path(&dep, dep.modules[i].path))
                abort();
        modules_dep_done(&dep);
    }
    if (modules_builtin_parse(text, size, &list) == 0) {
        (void)modules_builtin_has(&list, "virtio_blk");
        strlist_done(&list);
    }
    modules_softdep_of(text, size, "virtio_blk", &list);
    strlist_done(&list);
    return 0;
}
