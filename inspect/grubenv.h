/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GRUB's environment block (the manual's chapter "The GRUB environment block"): a first line that
 * says so, lines "name=value", and '#' up to a size that never changes (1024 bytes), since GRUB
 * itself writes to the file's blocks in place.
 */
#ifndef H2K_INSPECT_GRUBENV_H
#define H2K_INSPECT_GRUBENV_H

#include "inspect/fields.h"

/* Value of @name, NULL when it is not set. Free it. */
char *grubenv_get(const char *text, size_t len, const char *name);

/* Is it such a block, by its first line? */
bool grubenv_is(const char *text, size_t len);

/* The next "name=value" line from *@pos on, which starts as 0. false when there is none. */
bool grubenv_next(const char *text, size_t len, size_t *pos, struct span *ret_name,
                  struct span *ret_value);

/* The block with all replacements made, as large as before when it is padded; NULL when there is no
 * room for them. Free it. */
char *grubenv_apply(const struct edits *edits, const char *text, size_t len, size_t *ret_len);

#endif
