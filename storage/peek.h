/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading without a device what only the device mapper could make a device of: enough to say what
 * lies on such a volume, so that it is listed with its type and what is on it, but not mounted.
 */
#ifndef H2K_STORAGE_PEEK_H
#define H2K_STORAGE_PEEK_H

#include "storage/dmtable.h"
#include "storage/volume.h"

struct peek;

/*
 * Let @volume, which is inactive, be read through table number @index of @tables (taken). Devices
 * in them are "vN", volume number N of the stack, and "@N"; only linear, striped and unstriped
 * targets can be had. volume->fd becomes a copy of the start and the end, for libblkid; what lies
 * between is read with volume_read() only. Without success the volume stays as it is.
 */
void peek_make(struct stack *stack, struct volume *volume, struct dmtables *tables, size_t index);

/* The same for a piece of the volume number @parent, from byte @offset on. */
void peek_piece(struct stack *stack, struct volume *volume, size_t parent, uint64_t offset);

int peek_read(const struct peek *peek, uint64_t at, void *buf, size_t len); /* 0 or -errno */
void peek_free(struct peek *peek);

#endif
