/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands beside an image, or holds it, and says that it must not be used now; internal to
 * engine/image*.c. */
#ifndef H2K_ENGINE_IMAGE_GUARD_H
#define H2K_ENGINE_IMAGE_GUARD_H

#include "engine/image.h"

/* Is there an unfinished commit of ours into @path (absolute)? 0, or STATUS_REFUSED. */
int image_guard_commit(const char *path, const struct image_opts *opts, struct err *err);

/*
 * Look beside @path (absolute) for a disk that names it as its parent (a VMDK, a qcow2; a Hyper-V
 * checkpoint by its name), and for what a running or suspended virtual machine leaves: NAME.lck,
 * NAME.vswp, NAME.vmss, also with the hexadecimal suffix that ESX adds. 0, or STATUS_REFUSED.
 */
int image_guard_folder(const char *path, const struct image_opts *opts, struct err *err);

/*
 * Does another process hold @fd's file in a way that makes reading unsafe? Any exclusive lock, or
 * qemu's locks for writing or resizing (QEMU's block/file-posix.c: byte 100 + n is locked while
 * permission n is held, byte 200 + n while it is denied to others; 0 is consistent reading, 1
 * writing, 3 resizing). Readers do not disturb. 0, or STATUS_TEMPORARY.
 */
int image_guard_locks(int fd, const char *path, struct err *err);

#endif
