/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file systems that may be mounted, and what their first blocks say about their state. */
#ifndef H2K_STORAGE_FSTYPES_H
#define H2K_STORAGE_FSTYPES_H

#include "storage/fsmount.h"
#include "storage/volume.h"

#define FSTYPE_OPTIONS_MAX 3

/* Where a file system is served from. */
enum fstype_how { FSTYPE_BY_KERNEL, FSTYPE_STAGED, FSTYPE_BY_PROGRAM };

struct fstype {
    const char *name;   /* libblkid's TYPE */
    const char *driver; /* the kernel's */
    /* options that keep the driver from writing anything, and those for writing */
    struct fsmount_option read[FSTYPE_OPTIONS_MAX], write[FSTYPE_OPTIONS_MAX];
    bool (*is_dirty)(const struct volume *volume); /* NULL: cannot be told */
    const char *program; /* serves it without a driver; NULL: nothing does */
    enum fstype_how without_driver;
    bool program_writes; /* it can also write */
    /* for FSTYPE_BY_PROGRAM: its -o for reading and for writing */
    const char *program_read, *program_write;
    /* What must not be written is mounted read-only all the same; see branch_mount(). */
    bool may_be_read_only;
    bool lenient; /* older drivers do not know all the options */
};

/* NULL: never mounted. */
const struct fstype *fstype_find(const char *name);

/* What it takes to get at what is on a type that fstype_find() does not know: "OpenZFS: ...". Free
 * it. */
char *fstype_needs(const char *name);

/* XFS: does the log have to be replayed? false also when that cannot be read. */
bool xfs_is_dirty(const struct volume *volume);

#endif
