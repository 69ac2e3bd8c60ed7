/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BitLocker's boot sector and metadata: what is found lies on the volume and does not overlap. */
#include <stdlib.h>
#include <string.h>

#include "storage/crypt_bitlk.h"

#define SECTORS (1U << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rows(const struct crypt_row *rows, size_t n)
{
    uint64_t next = 0;

    if (n == 0 || n > CRYPT_ROWS_MAX)
        abort();
    for (size_t i = 0; i < n; i++) {
        if (rows[i].start != next || rows[i].len == 0 || rows[i].len > SECTORS ||
            (!rows[i].zero && (rows[i].at > SECTORS || rows[i].len > SECTORS - rows[i].at)))
            abort();
        next += rows[i].len;
    }
    if (next != SECTORS)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct crypt_row rows[CRYPT_ROWS_MAX];
    uint64_t areas[BITLK_AREAS] = { 1U << 20, 2U << 20, 3U << 20 };
    uint8_t bek[BITLK_BEK_MAX], *area;
    struct bitlk_meta meta;
    size_t n = 0, len;

    if (size < BITLK_BOOT_SIZE)
        return 0;
    (void)bitlk_areas(data, areas);
    len = size - BITLK_BOOT_SIZE;
    area = malloc(len ? len : 1); /* exactly as large: what is read beyond it is noticed */
    if (!area)
        abort();
    memcpy(area, data + BITLK_BOOT_SIZE, len);
    if (bitlk_meta_parse(area, len, &meta)) {
        if (bitlk_rows(&meta, areas, SECTORS, rows, &n))
            check_rows(rows, n);
        if (bitlk_clear_to_startup(area, &meta, bek) > sizeof(bek))
            abort();
    }
    free(area);
    return 0;
}
