/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of the fixer win-tools. */
#ifndef H2K_FIXERS_WINDOWS_TOOLS_H
#define H2K_FIXERS_WINDOWS_TOOLS_H

#include <stdbool.h>

#include "fixers/fixer.h"

/* Is it a service of a hypervisor that is disabled wherever it is found? */
bool tools_knows(const char *service);

/* @key: of the service. */
bool service_is_disabled(struct plan *plan, const char *hive, const char *key);

/* Take filters out of the control set @set that would keep their devices from starting. 0, or
 * negative errno and *err. */
int filters_plan(const struct fix_context *ctx, struct plan *plan, const char *set,
                 struct err *err);

#endif
