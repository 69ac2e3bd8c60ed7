/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text part of a VMDK; internal to engine/image_vmdk*.c. */
#ifndef H2K_ENGINE_IMAGE_VMDK_H
#define H2K_ENGINE_IMAGE_VMDK_H

#include "engine/image_format.h"

struct vmdk_descriptor {
    const char *type; /* createType: a literal */
    bool is_text;     /* a disk of this type is described by a text file, not by a header */
};

/*
 * Parse a descriptor of @len bytes (up to its first NUL). Extents are added to @scan, when it is
 * not NULL; otherwise they are only checked.
 * STATUS_REFUSED: a snapshot child, or a type that leads to a device or to data that qemu leaves
 * out. STATUS_FAILED: a line that is not known.
 */
int vmdk_parse(const char *text, size_t len, struct image_scan *scan, struct vmdk_descriptor *ret,
               struct err *err);

/* Does the text name a parent? Copies its name, printable, into @name. */
bool vmdk_names_parent(const char *text, size_t len, char *name, size_t room);

#endif
