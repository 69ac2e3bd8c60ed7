/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the text is: the entries are bounded, and each has a folder and its line. */
#include <stdint.h>
#include <stdlib.h>

#include "inspect/windows/boot_ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct arc_path *first;
    struct boot_ini ini;

    boot_ini_parse((const char *)data, size, &ini);
    if (ini.n_entries > BOOT_INI_ENTRIES_MAX)
        abort();
    for (size_t i = 0; i < ini.n_entries; i++)
        if (!ini.entries[i].line || !ini.entries[i].path.folder)
            abort();
    first = boot_ini_default(&ini);
    if (first && !first->folder)
        abort();
    boot_ini_done(&ini);
    return 0;
}
