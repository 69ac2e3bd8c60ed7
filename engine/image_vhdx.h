/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The headers of a VHDX, for its reader and for what finishes a write that was interrupted. */
#ifndef H2K_ENGINE_IMAGE_VHDX_H
#define H2K_ENGINE_IMAGE_VHDX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"

struct image_io;

#define VHDX_HEADER_SIZE 4096U
#define VHDX_HEADER_CRC 4       /* CRC-32C of the header, with this field as zero */
#define VHDX_HEADER_SEQUENCE 8  /* 64 bits; the current header has the higher one */
#define VHDX_HEADER_LOG_GUID 48 /* all zero: there is no log to replay */

extern const uint64_t vhdx_header_offsets[2];

/* CRC-32C of a structure whose own checksum, at byte 4, counts as zero. */
uint32_t vhdx_crc32c(const uint8_t *data, size_t len);

/* Read the current header into the VHDX_HEADER_SIZE bytes at @ret: the number (0, 1) of it, or
 * negative errno and *err (STATUS_FAILED) when neither is whole. */
int vhdx_read_header(const struct image_io *io, uint8_t *ret, struct err *err);

/* Does it name a log? */
bool vhdx_header_has_log(const uint8_t *header);

/*
 * Say in the headers of the VHDX at @path that it has no log. Only for one whose log is not needed:
 * qemu-img check -r all has replayed what there was. qemu writes the name of a new log to the
 * headers before the log's first entry, and when it is killed between the two, it refuses all
 * writes from then on. 0 (also when there was no log), or negative errno and *err.
 */
int vhdx_drop_log(const char *path, struct err *err);

#endif
