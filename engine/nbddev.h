/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's nbd devices, found by sysfs. */
#ifndef H2K_ENGINE_NBDDEV_H
#define H2K_ENGINE_NBDDEV_H

#include <stdint.h>
#include <sys/types.h>

#include "engine/base/err.h"

/* Is the driver there, or can it be loaded? 0, or -ENOTSUP and *err. */
int nbd_probe(struct err *err);

/* Size in bytes of /dev/nbd@number as the kernel sees it now; 0: not connected. */
uint64_t nbd_size(unsigned number);

/* Thread (of qemu-nbd) that the device is connected to; 0: none. */
pid_t nbd_server(unsigned number);

/* Disconnect the device behind @fd; its server ends. */
void nbd_disconnect(int fd);

/* For cleanup: "N TID" of a state file. Disconnects the device only if it is still connected to
 * that thread. 1 released, 0 nothing to do, negative errno and *err. */
int nbd_release_recorded(const char *value, struct err *err);

#endif
