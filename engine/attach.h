/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the attach backends (attach_*.c) share with disk.c. */
#ifndef H2K_ENGINE_ATTACH_H
#define H2K_ENGINE_ATTACH_H

#include "engine/disk.h"

extern const struct attach_backend attach_fuse, attach_loop, attach_nbd;

/* A loop device over disk->fd; its descriptor is noted for disk_sync(). This is what map() is for
 * most backends. */
int disk_map_loop(struct session *session, struct disk *disk, uint64_t offset, uint64_t len,
                  char **ret_node, struct err *err);

#endif
