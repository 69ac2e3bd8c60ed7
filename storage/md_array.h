/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An md array from the superblocks of its members: which device holds which part, what state it is
 * in, and where its data lies. Pure: no device is touched. Lengths in sectors of 512 bytes.
 * Geometry: linux/drivers/md/{linear,raid0,raid5,raid10}.c and linux/drivers/md/raid5.h.
 */
#ifndef H2K_STORAGE_MD_ARRAY_H
#define H2K_STORAGE_MD_ARRAY_H

#include "engine/base/err.h"
#include "storage/md_super.h"

#define MD_NO_LEG SIZE_MAX

struct md_array {
    const struct md_super *super; /* the newest view: the caller's */
    int32_t level;
    uint32_t layout;
    uint32_t chunk;                   /* 0: none (raid1, linear) */
    uint32_t n;                       /* raid disks */
    size_t legs[MD_DISKS_MAX];        /* per raid disk: index of the member, or MD_NO_LEG */
    uint64_t leg_start[MD_DISKS_MAX]; /* where its data begins on the member */
    uint64_t leg_size[MD_DISKS_MAX];  /* how much of it is used; 0 without a leg */
    uint32_t n_missing;               /* raid disks without a usable member */
    uint64_t size;                    /* of the array; 0: not known */
    bool dirty;                       /* copies or parity may differ */
    char read_only[128];              /* why it must not be written to; "": it may */
};

/*
 * Put an array together from @n superblocks of one uuid. The numbers of the superblocks are
 * checked against each other; what cannot be read correctly is refused by name.
 * 0, or negative errno and *err: STATUS_REFUSED (dirty and degraded, reshape, journal ...),
 * STATUS_FAILED (members missing or damaged).
 */
int md_array_assemble(const struct md_super *const *supers, size_t n, struct md_array *ret,
                      struct err *err);

/* Devices that hold data in each row of chunks: raid_disks without parity and copies. */
uint32_t md_data_disks(const struct md_array *array);

/* Raid 6: the devices of P and Q in this row of chunks; of a layout that md_array_period() knows
 * and that is not one of DDF's. */
void md_array_parity(const struct md_array *array, uint64_t row, uint32_t *ret_p, uint32_t *ret_q);

/*
 * Where the data of levels 4, 5, 6 and 10 lies, as a pattern that repeats: chunk number
 * c of the array lies in cell c % n_cells, in period c / n_cells. In period p it is the row of
 * chunks p * rows + row of raid disk @disk, counted from @skip.
 */
struct md_cell {
    uint32_t disk;
    uint32_t row;
    uint64_t skip; /* sectors */
};
struct md_period {
    struct md_cell *cells; /* md_period_done() */
    size_t n_cells;
    uint32_t rows; /* of chunks on each device */
};

/* 0; or -ENODATA: all copies of a chunk lie on missing devices (with parity, cells may name missing
 * ones); -ENOTSUP: a layout that is not known. ret->cells is the caller's in any case. */
int md_array_period(const struct md_array *array, struct md_period *ret);
void md_period_done(struct md_period *period);
#define CLEANUP_MD_PERIOD __attribute__((cleanup(md_period_done)))

#endif
