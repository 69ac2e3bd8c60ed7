/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For the layers and the stack only: making volumes. */
#ifndef H2K_STORAGE_LAYERS_H
#define H2K_STORAGE_LAYERS_H

#include "storage/volume.h"

extern const struct layer layer_crypt;
extern const struct layer layer_ldm;
extern const struct layer layer_lvm;
extern const struct layer layer_md;
extern const struct layer layer_part;

/* Add a volume; takes @name. Every text is "" and not NULL, except the table of a disk or an md
 * array, which is NULL until layer_part has looked at it. Earlier pointers into stack->volumes
 * become invalid. */
struct volume *stack_add(struct stack *stack, enum volume_kind kind, char *name);

#endif
