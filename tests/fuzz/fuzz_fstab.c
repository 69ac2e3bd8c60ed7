/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/fstab.h"
#include "tests/fuzz/fuzz_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void devices_of(const char *text, size_t len, struct devices *ret)
{
    struct fstab fstab;

    fstab_parse(text, len, &fstab);
    for (size_t i = 0; i < fstab.n; i++)
        devices_add(ret, fstab.entries[i].source_at, fstab.entries[i].source);
    fstab_done(&fstab);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_table((const char *)data, size, devices_of);
    return 0;
}
