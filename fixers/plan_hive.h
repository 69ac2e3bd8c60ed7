/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registry hives in a plan: read as they will be after the changes so far, and changed value by
 * value. @hive is the path of a hive's file in the guest; keys and values are named as in
 * engine/hive.h. All changes of one hive are written at once.
 */
#ifndef H2K_FIXERS_PLAN_HIVE_H
#define H2K_FIXERS_PLAN_HIVE_H

#include "engine/hive.h"
#include "fixers/plan.h"

/* ---- reading: 1 and *ret; 0: it will not be there; negative errno and *err ---- */

int plan_hive_has_key(struct plan *plan, const char *hive, const char *key, struct err *err);
int plan_hive_get(struct plan *plan, const char *hive, const char *key, const char *name,
                  struct hive_value *ret, struct err *err);
/* Names of the keys below @key. */
int plan_hive_keys(struct plan *plan, const char *hive, const char *key, struct strlist *ret,
                   struct err *err);

int plan_hive_get_all(struct plan *plan, const char *hive, const char *key, struct hive_values *ret,
                      struct err *err);

/* The same for values that are wanted in one form only: NULL, or false, when there is none of that
 * form; a damaged hive stays in plan->err. */
char *plan_hive_text(struct plan *plan, const char *hive, const char *key, const char *name);
bool plan_hive_list(struct plan *plan, const char *hive, const char *key, const char *name,
                    struct strlist *ret);
bool plan_hive_u32(struct plan *plan, const char *hive, const char *key, const char *name,
                   uint32_t *ret);

/* ---- adding; nothing is added when the guest is like that already. Missing keys are made. ---- */

void plan_hive_set(struct plan *plan, const char *hive, const char *key,
                   const struct hive_value *value, const char *reason);
void plan_hive_set_u32(struct plan *plan, const char *hive, const char *key, const char *name,
                       uint32_t number, const char *reason);
/* REG_SZ */
void plan_hive_set_text(struct plan *plan, const char *hive, const char *key, const char *name,
                        const char *text, const char *reason);
/* REG_EXPAND_SZ: %VARIABLES% in it are replaced when it is used. */
void plan_hive_set_expand(struct plan *plan, const char *hive, const char *key, const char *name,
                          const char *text, const char *reason);
void plan_hive_set_list(struct plan *plan, const char *hive, const char *key, const char *name,
                        const struct strlist *texts, const char *reason);
void plan_hive_unset(struct plan *plan, const char *hive, const char *key, const char *name,
                     const char *reason);
void plan_hive_add_key(struct plan *plan, const char *hive, const char *key, const char *reason);
/* With all below it. */
void plan_hive_delete_key(struct plan *plan, const char *hive, const char *key, const char *reason);

#endif
