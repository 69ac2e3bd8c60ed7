/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing a "newc" cpio archive that the kernel unpacks behind another one. The same input gives
 * the same bytes: owner 0, time 0, counted inode numbers. */
#ifndef H2K_FIXERS_LINUX_CPIO_WRITE_H
#define H2K_FIXERS_LINUX_CPIO_WRITE_H

#include <stdint.h>

#include "engine/base/strbuf.h"

#define SEGMENT_ALIGN                                                                              \
    512U /* a segment starts at a multiple, behind as many zero bytes at least                     \
          */

struct cpio_writer {
    struct strbuf out;
    uint32_t next_ino;
};

void cpio_write_init(struct cpio_writer *writer);
void cpio_write_done(struct cpio_writer *writer);
#define CLEANUP_CPIO_WRITER __attribute__((cleanup(cpio_write_done)))

/* How many zero bytes must follow @size bytes before a new segment: at least SEGMENT_ALIGN, up to a
 * multiple of it. Fewer are not enough behind lz4, where a length of zero ends the stream. */
unsigned segment_padding(uint64_t size);

void cpio_write_zeros(struct cpio_writer *writer, unsigned n);
void cpio_write_dir(struct cpio_writer *writer, const char *name);
/* @mode: permissions. */
void cpio_write_file(struct cpio_writer *writer, const char *name, uint32_t mode, const void *data,
                     uint32_t len);

/* The trailer, and zero bytes up to a multiple of SEGMENT_ALIGN from the writer's first byte. */
void cpio_write_end(struct cpio_writer *writer);

#endif
