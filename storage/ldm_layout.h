/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A volume of dynamic disks as an array: what LDM calls spanned, striped, mirrored and RAID-5 are
 * md's linear, raid0, raid1 and raid5 (left-symmetric) without a superblock, so its tables will do.
 * Pure: no device is touched. Lengths in sectors of 512 bytes.
 */
#ifndef H2K_STORAGE_LDM_LAYOUT_H
#define H2K_STORAGE_LDM_LAYOUT_H

#include "storage/ldm_db.h"
#include "storage/md_array.h"

/* A disk of the group, as it is attached. */
struct ldm_place {
    bool is_there;       /* and as new as the database that is used */
    uint64_t data_start; /* where its partitions count from */
    uint64_t size;       /* of the whole disk */
};

/*
 * @places: of each disk of the group. @sector: bytes, in which the database counts. The legs of
 * @ret are indexes into group->parts, their starts count from the start of the disk.
 * 0, or negative errno and *err: STATUS_FAILED (a disk is missing, damaged), STATUS_REFUSED (a kind
 * of volume that cannot be read).
 */
int ldm_layout_make(const struct ldm_group *group, const struct ldm_volume *volume,
                    const struct ldm_place *places, uint32_t sector, struct md_array *ret,
                    struct err *err);

/* Index of the disk that @part lies on; SIZE_MAX: the database knows none. */
size_t ldm_disk_of(const struct ldm_group *group, const struct ldm_part *part);

/* "simple", "mirrored" ... */
const char *ldm_kind_name(const struct md_array *array);

#endif
