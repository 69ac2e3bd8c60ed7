/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths and changes of a plan: only plan.c and apply.c need these. */
#ifndef H2K_FIXERS_PLAN_LOOKUP_H
#define H2K_FIXERS_PLAN_LOOKUP_H

#include "fixers/plan.h"

/* The path with its links (those of the plan too) resolved; its end may be missing in the guest.
 * NULL for a link loop. Free it. */
char *plan_real_path(const struct plan *plan, const char *path);

/* The folder part of @path resolved as far as it exists, and the last name as it is. Free it. */
char *plan_real_parent(const struct plan *plan, const char *path);

/* The last change that says what will be at the canonical @path; NULL: what the guest has. */
struct change *plan_find_content(const struct plan *plan, const char *path);

/* Does @action say what is at its path (an append, a chmod or a run does not)? */
bool action_decides_content(enum change_action action);

/* The last change of that kind at the canonical @path. */
struct change *plan_find(const struct plan *plan, const char *path, enum change_action action);

/* Target of the link that will be at the canonical @path, NULL when there will be none. Free it. */
char *plan_link_at(const struct plan *plan, const char *path);

#endif
