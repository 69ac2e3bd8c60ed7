/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first byte says what follows: data of a device element, or a whole hive. */
#include <stdlib.h>

#include "engine/base/strbuf.h"
#include "inspect/windows/bcd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_hive(const uint8_t *data, size_t size)
{
    struct strbuf bytes = { 0 };
    struct hive *hive = NULL;
    struct err err = ERR_NONE;
    struct bcd bcd;

    strbuf_add(&bytes, data, size);
    if (hive_from_bytes(&bytes, "BCD", &hive, &err) < 0) {
        strbuf_done(&bytes);
        return;
    }
    if (bcd_read(hive, &bcd, &err) == 0) {
        const struct bcd_loader *first = bcd_default(&bcd);

        if (bcd.n_loaders > BCD_OBJECTS_MAX || (first && !first->system_root))
            abort();
        bcd_done(&bcd);
    }
    hive_free(hive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bcd_device device;

    if (size == 0)
        return 0;
    if (data[0] & 1)
        fuzz_hive(data + 1, size - 1);
    else if (!bcd_device_parse(data + 1, size - 1, &device) && device.kind != BCD_DEVICE_OTHER)
        abort();
    return 0;
}
