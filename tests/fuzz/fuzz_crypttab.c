/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/crypttab.h"
#include "tests/fuzz/fuzz_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void devices_of(const char *text, size_t len, struct devices *ret)
{
    struct crypttab crypttab;

    crypttab_parse(text, len, &crypttab);
    for (size_t i = 0; i < crypttab.n; i++)
        devices_add(ret, crypttab.entries[i].device_at, crypttab.entries[i].device);
    crypttab_done(&crypttab);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_table((const char *)data, size, devices_of);
    return 0;
}
