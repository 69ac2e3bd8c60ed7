/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of registry hives for people and programs: only plan_show.c needs these. */
#ifndef H2K_FIXERS_PLAN_HIVE_SHOW_H
#define H2K_FIXERS_PLAN_HIVE_SHOW_H

#include "fixers/plan.h"

/* The data of a value on one line: dword:00000001, "text". Free it. */
char *hive_show_value(const struct hive_value *value);

/* See change_diff(). */
char *hive_change_diff(const struct change *change, bool show_secrets);

/* Its members of plan_to_json(): "key", and of a value "name", "type", "before", "after". */
void hive_change_json(const struct change *change, bool show_secrets, json_t *object);

const char *hive_change_name(const struct change *change); /* "set-value" ... */

#endif
