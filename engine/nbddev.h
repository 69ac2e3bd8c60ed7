/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's nbd devices, as sysfs shows them. */
#ifndef H2K_ENGINE_NBDDEV_H
#define H2K_ENGINE_NBDDEV_H

#include <stdint.h>
#include <sys/types.h>

#include "engine/base/err.h"

#define NBD_IDENTIFIER "h2k-" /* and the session's id: who connected a device */

/* Is the driver there, or can it be loaded, and can it be used? 0, or -ENOTSUP and *err. */
int nbd_probe(struct err *err);

/* Size in bytes of /dev/nbd@number as the kernel sees it now; 0: not connected. */
uint64_t nbd_size(unsigned number);

/* Process that connected the device, as the kernel notes it; 0: none. */
pid_t nbd_owner(unsigned number);

/* What the device called @name ("nbd3") was connected with; NULL: nothing, or not an nbd device.
 * Free it. */
char *nbd_identifier(const char *name);

/* Make the kernel forget the partitions it found on the device behind @fd: the host must not look
 * into them. */
int nbd_drop_partitions(unsigned number, int fd, struct err *err);

/*
 * For cleanup: a line of the dead session @id. "N PID" names a device, which is disconnected only
 * if that process connected it; "?" stands for one that was about to be connected, which is found
 * by its identifier (since Linux 5.14). 1 released, 0 nothing to do, negative errno and *err.
 */
int nbd_release_recorded(const char *id, const char *value, struct err *err);

#endif
