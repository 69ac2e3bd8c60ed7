/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a zstd frame ends, told by its blocks' headers: nothing is decompressed. */
#ifndef H2K_INSPECT_ZSTD_FRAME_H
#define H2K_INSPECT_ZSTD_FRAME_H

#include <stddef.h>
#include <stdint.h>

/* The next @len bytes of the frame; @buf NULL: they are passed over. 0 or negative errno. */
typedef int (*zstd_take_fn)(void *arg, void *buf, size_t len);

/*
 * Take one frame (RFC 8878, 3.1.1) from its magic number to its last byte.
 * 0, -EBADMSG: it is none, or @take's error.
 */
int zstd_frame_pass(zstd_take_fn take, void *arg);

#endif
