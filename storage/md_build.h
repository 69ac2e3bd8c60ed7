/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables of an array while they are made: what md_table.c and md_raid6.c share. */
#ifndef H2K_STORAGE_MD_BUILD_H
#define H2K_STORAGE_MD_BUILD_H

#include "storage/md_table.h"

struct md_build {
    const struct md_array *array;
    bool writable;
    bool plain; /* no dm-raid */
    const struct dmtable_address *legs;
    struct dmtables *tables;
};

/* "7:1 2048": @skip sectors into the data of raid disk @disk. Free it. */
char *md_build_address(const struct md_build *build, uint32_t disk, uint64_t skip);

/* Rows of chunks: @n of them, every @step-th one from @first on. */
struct md_rows {
    uint32_t step;
    uint64_t first, n;
};

/*
 * The chunks of raid disk @disk, which is missing and holds data in all of @rows, out of the
 * others, by dm-raid. For layouts that dm-raid does not have as a whole. "@7 0": a device; free it.
 */
char *md_raid6_column(struct md_build *build, const struct md_rows *rows, uint32_t disk);

#endif
