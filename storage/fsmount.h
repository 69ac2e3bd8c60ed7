/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's mount interface by file descriptors (fsopen, Linux 5.2): a mount exists before it
 * has a place, its place is a descriptor and no path, and failures come with the driver's words. */
#ifndef H2K_STORAGE_FSMOUNT_H
#define H2K_STORAGE_FSMOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/err.h"

struct fsmount_option {
    const char *key;
    const char *value; /* NULL: a flag */
};

struct fsmount_opts {
    const char *type;   /* the driver's name */
    const char *source; /* block device; NULL: none */
    bool read_only;
    bool lenient; /* an option that the driver does not know is left out */
    const struct fsmount_option *options;
    size_t n_options;
};

/* Has the kernel this driver? Loads its module where it can. 0, or -ENODEV, -EPERM ... */
int fsmount_have(const char *type);

/*
 * A detached mount, always nosuid,nodev,noexec,noatime; *ret_fd goes away with its last
 * descriptor. 0, or negative errno and *err; -ENODEV and STATUS_HOST without the driver.
 */
int fsmount_new(const struct fsmount_opts *opts, int *ret_fd, struct err *err);

/* The mount that a program made at @path, to be moved with fsmount_attach(). */
int fsmount_pick(const char *path, int *ret_fd, struct err *err);

/* A copy of the mount that the folder @dir_fd lies on, from that folder down; with what is mounted
 * below it when @recursive. */
int fsmount_copy(int dir_fd, bool recursive, int *ret_fd, struct err *err);

/* Forbid writing through the mount @fd. -errno; Linux before 5.12 cannot. */
int fsmount_make_read_only(int fd);

/* Put the mount @fd on the folder that @target_fd is. */
int fsmount_attach(int fd, int target_fd, struct err *err);

#endif
