/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The little that is read of NTFS without a driver. Every number comes from the guest: what does
 * not fit together reads as "not found".
 */
#ifndef H2K_STORAGE_NTFS_READ_H
#define H2K_STORAGE_NTFS_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/volume.h"

#define NTFS_RECORD_MAX 4096U
#define NTFS_RUNS_MAX 512U /* more pieces of one attribute are not followed */

enum { NTFS_FILE_MFT = 0, NTFS_FILE_LOG = 2, NTFS_FILE_VOLUME = 3, NTFS_FILE_ROOT = 5 };

enum {
    NTFS_AT_VOLUME_INFORMATION = 0x70,
    NTFS_AT_DATA = 0x80,
    NTFS_AT_INDEX_ROOT = 0x90,
    NTFS_AT_INDEX_ALLOCATION = 0xa0,
};

struct ntfs_run {
    uint64_t first, n; /* cluster and number of clusters */
    bool is_hole;
};

/* Of one file; a big thing, for the stack of one function at a time. */
struct ntfs_record {
    uint8_t bytes[NTFS_RECORD_MAX];
    size_t len;
    uint16_t sequence;
    bool has_list; /* other records hold further attributes */
};

struct ntfs_attr {
    const uint8_t *value; /* NULL: not resident; else in the record */
    uint64_t size;        /* bytes of content */
    uint64_t written;     /* ... of which the rest reads as zeros */
    struct ntfs_run runs[NTFS_RUNS_MAX];
    size_t n_runs;
};

struct ntfs {
    const struct volume *volume;
    uint32_t cluster_size, record_size; /* bytes */
    struct ntfs_attr *mft;              /* content of $MFT */
};

/* false: no NTFS, or not one that can be read. */
bool ntfs_open(const struct volume *volume, struct ntfs *ret);
void ntfs_close(struct ntfs *fs);

bool ntfs_record_read(const struct ntfs *fs, uint64_t number, struct ntfs_record *ret);

/* The attribute @name (ASCII; NULL: without a name), of which @ret->value points into @record.
 * false as well when only a part of it is in this record. */
bool ntfs_attr_find(const struct ntfs_record *record, uint32_t type, const char *name,
                    struct ntfs_attr *ret);

/* Exactly @len bytes from @at of the content. */
bool ntfs_attr_read(const struct ntfs *fs, const struct ntfs_attr *attr, uint64_t at, void *buf,
                    size_t len);

/* Where @len bytes from @at of the content lie, in bytes of the volume. false: not in one piece, or
 * not as plain bytes of it. */
bool ntfs_attr_where(const struct ntfs *fs, const struct ntfs_attr *attr, uint64_t at, size_t len,
                     uint64_t *ret);

/* The file's record number in *ret, 0 when there is none of the name (whatever its case) in the
 * root directory. false: that could not be found out. */
bool ntfs_root_find(const struct ntfs *fs, const char *name, uint64_t *ret);

#endif
