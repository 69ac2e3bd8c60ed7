/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* .reg files that the user wants to be imported into a Windows guest. */
#ifndef H2K_FIXERS_WINDOWS_INJECT_REGISTRY_H
#define H2K_FIXERS_WINDOWS_INJECT_REGISTRY_H

#include "fixers/fixer.h"

/* Read the file @path of the host; a relative one lies in @folder. 0, or negative errno and *err:
 * what cannot be imported (keys of other hives, values too long) is refused by its name. */
int inject_registry_add(struct injections *inject, const char *folder, const char *path,
                        struct err *err);

/* Plan what they ask for. */
int inject_registry_plan(const struct fix_context *ctx, struct plan *plan, struct err *err);

#endif
