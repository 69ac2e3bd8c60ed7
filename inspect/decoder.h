/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Decompressing one stream piece by piece, with its exact end: what follows a compressed initramfs
 * segment is a segment of its own.
 */
#ifndef H2K_INSPECT_DECODER_H
#define H2K_INSPECT_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decoder_io {
    const uint8_t *in;
    size_t in_len;
    bool in_end; /* nothing comes after @in */
    uint8_t *out;
    size_t out_room;
};

struct decoder;

/* Name of the compression that starts with these bytes ("gzip", "xz", "lzma", "zstd", "lz4",
 * "bzip2": a literal), NULL when it is none that h2k can read. 6 bytes are enough. */
const char *decoder_detect(const uint8_t *head, size_t len);

/* The literal that is equal to @name; NULL: no such compression. */
const char *decoder_literal(const char *name);

/* @name as decoder_detect() gives it. NULL: no such decoder, or no memory. */
struct decoder *decoder_new(const char *name);
void decoder_free(struct decoder *decoder);

/*
 * Decode: takes from @in and fills @out, moving both on. 0 go on, 1 the stream is complete (what is
 * left in @in lies behind it), -EBADMSG damaged or cut off, -EFBIG needs more than 256 MiB to
 * decode.
 */
int decoder_step(struct decoder *decoder, struct decoder_io *io);

#endif
