/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Features of file systems that came later than a kernel, or that it is built without. */
#ifndef H2K_STORAGE_FSFEATURES_H
#define H2K_STORAGE_FSFEATURES_H

#include "storage/volume.h"

/*
 * Why Linux @major.@minor does not mount the file system on @volume, if its superblock tells: names
 * of features and the versions that know them. Distributions add features to older kernels: ask
 * only when a mount was refused. @read_only: features that matter for writing are passed over.
 * NULL: nothing explains it. Free it.
 */
char *fsfeatures_missing(const struct volume *volume, bool read_only, unsigned major,
                         unsigned minor);

/* The same of the kernel that runs. */
char *fsfeatures_missing_here(const struct volume *volume, bool read_only);

/* Which Linux that is; false: its name does not tell. */
bool fsfeatures_kernel(unsigned *ret_major, unsigned *ret_minor);

#endif
