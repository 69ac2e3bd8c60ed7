/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One pass over an initramfs image, for what reads its names and what reads its contents. */
#ifndef H2K_INSPECT_INITRAMFS_WALKER_H
#define H2K_INSPECT_INITRAMFS_WALKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "inspect/cpio.h"

#define INITRAMFS_NAMES_MAX (32U << 20) /* bytes of all names that are kept */

/* Set fd, size and err; the rest is the walker's but @enough. */
struct initramfs_walker {
    int fd;
    uint64_t size, pos; /* of the file; pos: of the next byte that nobody has taken */
    uint8_t *in;        /* IN_CHUNK bytes: a window of the file */
    uint64_t in_pos;    /* where it starts */
    size_t in_len;
    uint8_t *out; /* OUT_CHUNK bytes */
    struct cpio cpio;
    uint64_t unpacked;
    const char *compression; /* of the last compressed segment */
    unsigned n_segments;
    /* The sink's owner may set it: nothing more of this segment is wanted. The walk passes over the
     * rest where the compression allows that (zstd). */
    bool enough;
    struct err *err;
};

/* Show all segments to @sink; what that returns below 0 ends the walk. 0, or negative errno and
 * *walker->err. */
int initramfs_walk_segments(struct initramfs_walker *walker, const struct cpio_sink *sink);

/* "./usr/lib", "/usr/lib" -> "usr/lib" */
const char *initramfs_plain_name(const char *name);

#endif
