/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes that a sleeping Windows has open: an image of its memory lies in hiberfil.sys. */
#ifndef H2K_STORAGE_HIBERNATION_H
#define H2K_STORAGE_HIBERNATION_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "storage/volume.h"

/* Do these four bytes begin an image of Windows' memory, of any version? */
bool hibernation_is_image(const uint8_t head[4]);

/* Note on all NTFS and FAT volumes of @stack that must not be written why (volume->read_only). */
void hibernation_check_all(struct stack *stack);

/*
 * Give up what Windows keeps in memory for the volumes of @stack, so that they may be written: the
 * image of its memory in hiberfil.sys is made void by zeros over its first page, as Windows itself
 * does after it has woken. Before any of them is mounted, and on overlays only. Volumes that
 * something else keeps from being written stay so. Names of those that were hibernated or cached
 * are added to @ret. 0, or negative errno and *err; STATUS_REFUSED when it is another Windows that
 * sleeps.
 */
int hibernation_discard(struct stack *stack, struct strlist *ret, struct err *err);

#endif
