/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A FAT file system that the kernel cannot mount, as a copy in memory made with mtools. What was
 * changed in the copy is written back by staging_save().
 */
#ifndef H2K_STORAGE_STAGING_H
#define H2K_STORAGE_STAGING_H

#include <stdint.h>

#include "engine/base/err.h"

#define STAGING_MAX (512ULL << 20) /* content that is larger is not staged */

struct staging;

/*
 * Copy all files of the FAT file system on @node (of @size_bytes) into a new detached tmpfs of at
 * most that size. *ret_fd is its root, the caller's. Names that could lead out of a folder are
 * refused.
 */
int staging_load(const char *node, uint64_t size_bytes, int *ret_fd, struct staging **ret,
                 struct err *err);

/* Write new, changed and removed files and folders back, and sync the device. */
int staging_save(struct staging *staging, struct err *err);

void staging_free(struct staging *staging);

#endif
