/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One segment of a logical volume on its way into a row of a table; internal to
 * storage/lvm_table*.c. */
#ifndef H2K_STORAGE_LVM_SEGMENT_H
#define H2K_STORAGE_LVM_SEGMENT_H

#include "storage/lvm_table.h"

#define LVM_DEVICES_MAX 64U /* of one segment: stripes, legs */
#define LVM_NUMBER_MAX ((uint64_t)UINT32_MAX)

struct lvm_work {
    struct lvm_tables *tables;
    const struct lvm_vg *vg;
    const struct lvm_segment *segment;
    struct dmtable *table;
    char *read_only; /* why the volume must not be written; see lvm_tables_add() */
    uint64_t len;    /* sectors */
};

/* Append the segment's row. 0, or negative errno and *err. */
typedef int lvm_segment_fn(struct lvm_work *work, struct err *err);

lvm_segment_fn lvm_add_raid, lvm_add_integrity;
lvm_segment_fn lvm_add_thin_pool, lvm_add_thin, lvm_add_cache, lvm_add_writecache;

bool lvm_is_raid(const struct lvm_segment *segment);

int lvm_refused(struct err *err, const char *what);
int lvm_damaged(struct err *err, const char *what);
void lvm_must_not_write(char *read_only, const char *why); /* the first reason stays */

/* Values of the segment; a number is at most LVM_NUMBER_MAX. */
bool lvm_value(const struct lvm_work *work, const char *key, uint64_t *ret);
const char *lvm_value_text(const struct lvm_work *work, const char *key);
bool lvm_is_count(uint64_t n); /* 1 ... LVM_DEVICES_MAX */

/* The table of another logical volume, made when it is not there yet; LVM_NONE is an error. */
int lvm_add_lv(struct lvm_work *work, size_t lv, size_t *ret_index, struct err *err);

/* Node of member number @at of the list @key; 0: there is none. */
size_t lvm_list_node(const struct lvm_vg *vg, const struct lvm_segment *segment, const char *key,
                     size_t at);

#endif
