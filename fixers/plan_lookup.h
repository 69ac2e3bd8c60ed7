/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths and changes of a plan: only plan*.c and apply*.c need these. */
#ifndef H2K_FIXERS_PLAN_LOOKUP_H
#define H2K_FIXERS_PLAN_LOOKUP_H

#include "fixers/plan.h"

/* The path with its links (those of the plan too) resolved; its end may be missing in the guest.
 * NULL for a link loop. Free it. */
char *plan_real_path(const struct plan *plan, const char *path);

/* The folder part of @path resolved as far as it exists, and the last name as it is; of a guest
 * that ignores case all in the spelling of what is there, or planned. Free it. */
char *plan_real_parent(const struct plan *plan, const char *path);

/* The last change that says what will be at the canonical @path; NULL: what the guest has. */
struct change *plan_find_content(const struct plan *plan, const char *path);

/* Does @action say what is at its path (an append, a chmod or a run does not)? */
bool action_decides_content(enum change_action action);

/* The last change of that kind at the canonical @path. */
struct change *plan_find(const struct plan *plan, const char *path, enum change_action action);

/* The first change of the registry hive at the canonical @path. */
const struct change *plan_first_of_hive(const struct plan *plan, const char *path);

/* A new last change; take one away. */
struct change *plan_add_change(struct plan *plan, enum change_action action, const char *path,
                               const char *reason);
void plan_drop_change(struct plan *plan, struct change *change);

/* A further reason for a change. */
void change_add_reason(struct change *change, const char *reason);

/* Where a failure of an adding function is noted: the first one counts. */
struct err *plan_failed(struct plan *plan);

/* Target of the link that will be at the canonical @path, NULL when there will be none. Free it. */
char *plan_link_at(const struct plan *plan, const char *path);

#endif
