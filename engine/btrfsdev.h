/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel's btrfs driver remembers: every device that was ever mounted or scanned, by the
 * uuid of its file system, until it is told to forget it (linux/btrfs.h, BTRFS_IOC_FORGET_DEV).
 * What is remembered of a device that is gone keeps a copy of it from being mounted.
 */
#ifndef H2K_ENGINE_BTRFSDEV_H
#define H2K_ENGINE_BTRFSDEV_H

#include <sys/types.h>

/* Forget the block device at @path. 1 when it was remembered, 0 when not (or it is mounted). */
int btrfsdev_forget(const char *path);

/* The same for a device that may be gone; not when it is in use again. */
int btrfsdev_forget_number(dev_t number);

#endif
