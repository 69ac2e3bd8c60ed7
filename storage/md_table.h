/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device mapper tables that give an md array's data without md. Pure: texts out of numbers. */
#ifndef H2K_STORAGE_MD_TABLE_H
#define H2K_STORAGE_MD_TABLE_H

#include "storage/md_array.h"

/* Where the data of a raid disk begins: a block device and sectors into it. */
struct md_address {
    const char *device; /* as dm takes it ("7:1"); NULL: there is no such member */
    uint64_t start;
};

struct md_row {
    uint64_t start, len; /* sectors */
    const char *target;  /* "linear", "striped", "raid" ... */
    char *params;        /* "@3" in it stands for the device made of table number 3 */
};

struct md_table {
    struct md_row *rows;
    size_t n_rows;
};

/* Tables in the order in which to make their devices; the last one is the array. */
struct md_tables {
    struct md_table *tables;
    size_t n_tables;
};

/* Is the whole array one piece of one raid disk, as long as nothing is written? *ret_disk. */
bool md_is_piece(const struct md_array *array, uint32_t *ret_disk);

/*
 * Tables for @array, whose raid disks lie at @legs[array->n]. @writable: every copy and all parity
 * is kept up to date; only when array->read_only is "".
 * 0, or negative errno and *err (STATUS_REFUSED: no table can do it).
 */
int md_tables_make(const struct md_array *array, const struct md_address *legs, bool writable,
                   struct md_tables *ret, struct err *err);
void md_tables_done(struct md_tables *tables);
#define CLEANUP_MD_TABLES __attribute__((cleanup(md_tables_done)))

#endif
