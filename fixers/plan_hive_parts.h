/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What reading and changing the registry hives of a plan share: only plan_hive*.c need these. */
#ifndef H2K_FIXERS_PLAN_HIVE_PARTS_H
#define H2K_FIXERS_PLAN_HIVE_PARTS_H

#include "fixers/plan.h"

/* The hive as it is in the guest, opened once. @ret: the plan keeps what is in it. 0, or negative
 * errno and *err. */
int plan_hive_find(struct plan *plan, const char *path, struct plan_hive *ret, struct err *err);

/* Is @key the key @folder, or below it? */
bool plan_hive_key_is_in(const char *key, const char *folder);

/* Does @edit set or remove this value? */
bool plan_hive_is_value(const struct hive_edit *edit, const char *key, const char *name);

void plan_hive_copy_value(struct hive_value *to, const struct hive_value *from);

#endif
