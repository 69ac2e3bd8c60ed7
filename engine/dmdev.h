/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices of the device mapper, named h2k-<session id>-<n> (the uuid likewise), so that nothing of
 * the guest's can clash with the host's. udev is told to look at none of them, and no udev is
 * waited for: it may not be there.
 */
#ifndef H2K_ENGINE_DMDEV_H
#define H2K_ENGINE_DMDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/err.h"
#include "engine/session.h"

/* One row of a table; lengths in sectors of 512 bytes. */
struct dmdev_row {
    uint64_t start, len;
    const char *target; /* "linear", "striped" ... */
    const char *params; /* devices in them as "MAJOR:MINOR" */
};

struct dmdev_opts {
    const struct dmdev_row *rows;
    size_t n_rows;
    bool read_only;
    bool secret; /* the parameters hold a key: in no log, and wiped from the library's memory */
};

/* Is there a device mapper? Loads its module where that can be had. 0, or -ENOTSUP and *err. */
int dmdev_probe(struct err *err);

/* In a forked child that closes what it was given: the library keeps a descriptor. */
void dmdev_after_fork(void);

/*
 * Make a device. It is recorded in the session's state file and its release is pushed on the undo
 * stack: nobody may have it open when that runs. That fails when a copy could not be written (raid,
 * mirror), which dm itself passes over. *ret_node (the caller's) is a path to open,
 * *ret_number the device; either may be NULL.
 * 0, or negative errno and *err; STATUS_HOST when the kernel has no device mapper or not the
 * target.
 */
int dmdev_make(struct session *session, const struct dmdev_opts *opts, char **ret_node,
               dev_t *ret_number, struct err *err);

/* Does the status line of @target ("raid", "mirror"; others have no copies) say that a copy has
 * failed? Format: the kernel's Documentation/admin-guide/device-mapper/dm-raid.rst; for mirror,
 * mirror_status() of drivers/md/dm-raid1.c. */
bool dmdev_lost_copy(const char *target, const char *status);

/* cleanup: remove the device of this name, which a dead session has recorded. 1 when it was there,
 * 0 when not, or negative errno and *err. */
int dmdev_remove(const char *name, struct err *err);

/* Call @found for each device whose name starts with "h2k-", the newest first. */
int dmdev_find(void (*found)(void *arg, const char *name), void *arg, struct err *err);

#endif
