/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unified kernel images (the UAPI group's "Unified Kernel Image" specification) and their add-ons:
 * PE files (Microsoft's "PE Format") with the arguments of the kernel in sections named ".cmdline".
 */
#ifndef H2K_INSPECT_UKI_H
#define H2K_INSPECT_UKI_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/guest.h"

#define UKI_CMDLINE_MAX (64U << 10) /* of one section; more is not read */
#define UKI_CMDLINES_MAX 32U        /* sections: an image with several profiles has several */

/* Bytes of the file. */
struct uki_section {
    uint32_t offset, size;
};

/* The ".cmdline" sections in @head, the file's first @len bytes. Returns how many, at most @max; 0
 * also for what is no such file. */
size_t uki_find_cmdlines(const uint8_t *head, size_t len, struct uki_section *ret, size_t max);

/* The first section @name of the file @path. false: it has none. */
bool uki_find(const struct guest_root *root, const char *path, const char *name,
              struct uki_section *ret);

/* The kernel's version (".uname"); NULL when the file does not say it. Free it. */
char *uki_version(const struct guest_root *root, const char *path);

/* Add the arguments in the file @path to @ret, one text for each section. 0, or negative errno and
 * *err when it cannot be read. */
int uki_read_cmdlines(const struct guest_root *root, const char *path, struct strlist *ret,
                      struct err *err);

#endif
