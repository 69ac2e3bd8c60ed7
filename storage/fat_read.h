/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The little that is read of FAT without a driver: what lies in its root folder, by short names
 * (Microsoft, "FAT: General Overview of On-Disk Format"). Every number comes from the guest: what
 * does not fit together is "not known".
 */
#ifndef H2K_STORAGE_FAT_READ_H
#define H2K_STORAGE_FAT_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/volume.h"

#define FAT_NAME 11U /* "BOOT    INI" */

struct fat {
    const struct volume *volume;
    uint32_t cluster_bytes, n_clusters; /* clusters are counted from 2 on */
    uint64_t table, data;               /* bytes of the volume where they begin */
    uint64_t root_at;                   /* FAT12, FAT16: the root folder */
    uint32_t root_len;                  /* ... and its bytes; 0: FAT32 */
    uint32_t root_cluster;
};

struct fat_entry {
    uint32_t cluster, size; /* where its content begins; 0: it has none */
    bool is_folder;
};

/* false: no FAT, or not one that can be read. */
bool fat_open(const struct volume *volume, struct fat *ret);

/* Look for a name of FAT_NAME bytes. false: it is not known whether it is there. *ret_found says
 * whether @ret was filled. */
bool fat_root_find(const struct fat *fat, const char *name, struct fat_entry *ret, bool *ret_found);

/* The byte of the volume where the content of @entry begins. */
bool fat_where(const struct fat *fat, const struct fat_entry *entry, uint64_t *ret);

/* Does its hiberfil.sys hold the memory of a Windows? *ret: the byte of the volume where that
 * begins. */
bool fat_is_hibernated(const struct fat *fat, uint64_t *ret);

#endif
