/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device mapper tables for logical volumes. Pure: texts out of a volume group. Tables of lvm2
 * itself are the model (dmsetup table), but for reading nothing is written: no pool, no bitmap, no
 * cache.
 */
#ifndef H2K_STORAGE_LVM_TABLE_H
#define H2K_STORAGE_LVM_TABLE_H

#include "storage/dmtable.h"
#include "storage/lvm_vg.h"

struct lvm_tables {
    const struct lvm_vg *vg;
    const struct dmtable_address *pvs; /* first extents; device NULL: it is missing */
    bool writable;                     /* everything below may be written */
    struct dmtables dm;
    size_t *made;           /* per logical volume: number of its table + 1; 0: none yet */
    size_t *real;           /* the same for what lies below an origin */
    unsigned char *is_busy; /* per logical volume */
    unsigned depth;
};

/* Zero-initialise, set the first five fields; lvm_tables_init() does the rest. */
void lvm_tables_init(struct lvm_tables *tables);
void lvm_tables_done(struct lvm_tables *tables);

/*
 * Append the tables that logical volume number @lv needs and that are not there yet.
 * *ret_index: number of its own in tables->dm. @read_only (128 bytes): set to the reason why it
 * must not be written as these tables are; else unchanged.
 * 0, or negative errno and *err: STATUS_REFUSED (a type that cannot be had), STATUS_FAILED (a
 * physical volume is missing, the metadata is damaged), STATUS_TEMPORARY never.
 */
int lvm_tables_add(struct lvm_tables *tables, size_t lv, char *read_only, size_t *ret_index,
                   struct err *err);

/*
 * Is the logical volume one piece of one physical volume, so that no table is needed? Then *ret_pv
 * and *ret_sector say where. An origin is none when it is written.
 */
bool lvm_is_piece(const struct lvm_tables *tables, size_t lv, size_t *ret_pv, uint64_t *ret_sector);

/* Can it be read only when something below it is written (a write-back cache)? */
bool lvm_needs_writing(const struct lvm_vg *vg, size_t lv);

/* A segment's type without its flags ("cache"): is it @type? */
bool lvm_is_type(const struct lvm_segment *segment, const char *type);

/* The volume that a segment's value @key names, or member number @at of the list @key; LVM_NONE. */
size_t lvm_ref(const struct lvm_vg *vg, const struct lvm_segment *segment, const char *key);
size_t lvm_list_ref(const struct lvm_vg *vg, const struct lvm_segment *segment, const char *key,
                    size_t at);

#endif
