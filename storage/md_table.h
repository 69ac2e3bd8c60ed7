/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device mapper tables that give an md array's data without md. Pure: texts out of numbers. */
#ifndef H2K_STORAGE_MD_TABLE_H
#define H2K_STORAGE_MD_TABLE_H

#include "storage/dmtable.h"
#include "storage/md_array.h"

/* Is the whole array one piece of one raid disk, as long as nothing is written? *ret_disk. */
bool md_is_piece(const struct md_array *array, uint32_t *ret_disk);

/*
 * Tables for @array, whose raid disks' data lies at @legs[array->n]; the last one is the array.
 * @writable: every copy and all parity is kept up to date; only when array->read_only is "". 0, or
 * negative errno and *err (STATUS_REFUSED: no table can do it).
 */
int md_tables_make(const struct md_array *array, const struct dmtable_address *legs, bool writable,
                   struct dmtables *ret, struct err *err);

/* For reading only, and of linear, striped and unstriped targets only; not where data is to be had
 * by parity alone. */
int md_tables_make_plain(const struct md_array *array, const struct dmtable_address *legs,
                         struct dmtables *ret, struct err *err);

#endif
