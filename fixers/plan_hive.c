/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/plan_hive.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/plan_hive_parts.h"
#include "fixers/plan_lookup.h"

/* ---- names ---- */

bool plan_hive_key_is_in(const char *key, const char *folder)
{
    size_t len = strlen(folder);

    return len == 0 ||
           (strncasecmp(key, folder, len) == 0 && (key[len] == '\0' || key[len] == '\\'));
}

/* Name of the key directly below @folder that leads to @key, which is below it. Free it. */
static char *step_below(const char *key, const char *folder)
{
    const char *rest = key + strlen(folder) + (*folder ? 1 : 0);

    return mem_strndup(rest, strcspn(rest, "\\"));
}

/* The key that holds @key. Free it. */
static char *key_above(const char *key)
{
    const char *slash = strrchr(key, '\\');

    return slash ? mem_strndup(key, (size_t)(slash - key)) : mem_strdup("");
}

bool plan_hive_is_value(const struct hive_edit *edit, const char *key, const char *name)
{
    return (edit->kind == HIVE_SET || edit->kind == HIVE_UNSET) &&
           strcasecmp(edit->key, key) == 0 && strcasecmp(edit->value.name, name) == 0;
}

static void list_drop(struct strlist *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcasecmp(list->items[i], name) != 0)
            continue;
        free(list->items[i]);
        memmove(&list->items[i], &list->items[i + 1], (list->n - i - 1) * sizeof(*list->items));
        list->n--;
        return;
    }
}

/* ---- hives ---- */

int plan_hive_find(struct plan *plan, const char *path, struct plan_hive *ret, struct err *err)
{
    CLEANUP_FREE char *real = NULL;
    struct hive *hive = NULL;
    struct plan_hive *item;
    int r;

    /* to resolve a path takes a dozen requests to the file system's server */
    for (size_t i = 0; i < plan->n_hives; i++) {
        *ret = plan->hives[i];
        if (strcmp(ret->asked, path) == 0)
            return 0;
    }
    real = plan_real_path(plan, path);
    if (!real) {
        (void)err_set(err, ELOOP, "read %s", path);
        return -ELOOP;
    }
    for (size_t i = 0; i < plan->n_hives; i++) {
        *ret = plan->hives[i];
        if (strcmp(ret->path, real) == 0)
            return 0;
    }
    r = hive_open(plan->root, real, &hive, err);
    if (r < 0)
        return r;
    if (hive_recovery(hive)->state == REGF_NO_LOG)
        plan_note(plan,
                  "%s was being written when the disk was copied, and no log beside it fits: what "
                  "was to be written last is lost",
                  real);
    item = mem_add(&plan->hives, &plan->n_hives, sizeof(*item));
    item->asked = mem_strdup(path);
    item->path = TAKE(real);
    item->hive = hive;
    *ret = *item;
    return 0;
}

/* The @i-th change, counted from the last one, when it is one of the hive @path. */
static struct change *nth_last(const struct plan *plan, size_t i, const char *path)
{
    struct change *change = &plan->changes[plan->n - 1 - i];

    return change->action == CHANGE_HIVE && strcmp(change->path, path) == 0 ? change : NULL;
}

/* ---- reading ---- */

int plan_hive_has_key(struct plan *plan, const char *hive, const char *key, struct err *err)
{
    struct plan_hive at = { 0 };
    int r = plan_hive_find(plan, hive, &at, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < plan->n; i++) {
        const struct change *change = nth_last(plan, i, at.path);

        if (!change)
            continue;
        if (change->edit->kind == HIVE_DELETE_KEY && plan_hive_key_is_in(key, change->edit->key))
            return 0;
        if ((change->edit->kind == HIVE_SET || change->edit->kind == HIVE_ADD_KEY) &&
            plan_hive_key_is_in(change->edit->key, key))
            return 1;
    }
    return hive_has_key(at.hive, key, err);
}

void plan_hive_copy_value(struct hive_value *to, const struct hive_value *from)
{
    hive_make_data(to, from->name, from->type, from->data, from->len);
}

int plan_hive_get(struct plan *plan, const char *hive, const char *key, const char *name,
                  struct hive_value *ret, struct err *err)
{
    struct plan_hive at = { 0 };
    int r = plan_hive_find(plan, hive, &at, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < plan->n; i++) {
        const struct change *change = nth_last(plan, i, at.path);

        if (!change)
            continue;
        if (change->edit->kind == HIVE_DELETE_KEY && plan_hive_key_is_in(key, change->edit->key))
            return 0;
        if (!plan_hive_is_value(change->edit, key, name))
            continue;
        if (change->edit->kind == HIVE_UNSET)
            return 0;
        plan_hive_copy_value(ret, &change->edit->value);
        return 1;
    }
    return hive_get(at.hive, key, name, ret, err);
}

/* What one change makes of the names of the keys below @key. */
static void apply_to_keys(const struct hive_edit *edit, const char *key, struct strlist *names)
{
    bool below = plan_hive_key_is_in(edit->key, key) && strlen(edit->key) > strlen(key);
    CLEANUP_FREE char *step = below ? step_below(edit->key, key) : NULL;
    CLEANUP_FREE char *above = below ? key_above(edit->key) : NULL;

    if (edit->kind == HIVE_DELETE_KEY && plan_hive_key_is_in(key, edit->key))
        strlist_done(names);
    else if (below && edit->kind == HIVE_DELETE_KEY && strcasecmp(above, key) == 0)
        list_drop(names, step);
    else if (below && (edit->kind == HIVE_SET || edit->kind == HIVE_ADD_KEY) &&
             !strlist_has_nocase(names, step))
        strlist_add(names, step);
}

int plan_hive_keys(struct plan *plan, const char *hive, const char *key, struct strlist *ret,
                   struct err *err)
{
    struct plan_hive at = { 0 };
    int there = plan_hive_has_key(plan, hive, key, err);
    int r;

    if (there <= 0)
        return there;
    r = plan_hive_find(plan, hive, &at, err);
    if (r < 0)
        return r;
    r = hive_keys(at.hive, key, ret, err);
    if (r < 0)
        return r;
    for (size_t i = plan->n; i > 0; i--) {
        const struct change *change = nth_last(plan, i - 1, at.path);

        if (change)
            apply_to_keys(change->edit, key, ret);
    }
    return 1;
}

/* What one change makes of the values of @key. */
static void apply_to_values(const struct hive_edit *edit, const char *key,
                            struct hive_values *values)
{
    struct hive_value *item = NULL;

    if (edit->kind == HIVE_DELETE_KEY && plan_hive_key_is_in(key, edit->key)) {
        hive_values_done(values);
        return;
    }
    if ((edit->kind != HIVE_SET && edit->kind != HIVE_UNSET) || strcasecmp(edit->key, key) != 0)
        return;
    for (size_t i = 0; i < values->n; i++)
        if (strcasecmp(values->items[i].name, edit->value.name) == 0)
            item = &values->items[i];
    if (item)
        hive_value_done(item);
    if (edit->kind == HIVE_SET) {
        if (!item)
            item = mem_add(&values->items, &values->n, sizeof(*item));
        plan_hive_copy_value(item, &edit->value);
    } else if (item) {
        size_t behind = (size_t)(values->items + values->n - item) - 1;

        memmove(item, item + 1, behind * sizeof(*item));
        values->n--;
    }
}

int plan_hive_get_all(struct plan *plan, const char *hive, const char *key, struct hive_values *ret,
                      struct err *err)
{
    struct plan_hive at = { 0 };
    int there = plan_hive_has_key(plan, hive, key, err);
    int r;

    if (there <= 0)
        return there;
    r = plan_hive_find(plan, hive, &at, err);
    if (r >= 0)
        r = hive_get_all(at.hive, key, ret, err);
    if (r < 0)
        return r;
    for (size_t i = plan->n; i > 0; i--) {
        const struct change *change = nth_last(plan, i - 1, at.path);

        if (change)
            apply_to_values(change->edit, key, ret);
    }
    return 1;
}

/* A value, or nothing: what went wrong stays in the plan. */
static bool get(struct plan *plan, const char *hive, const char *key, const char *name,
                struct hive_value *ret)
{
    struct err err = ERR_NONE;
    int r = plan_hive_get(plan, hive, key, name, ret, &err);

    if (r < 0)
        *plan_failed(plan) = err;
    return r > 0;
}

char *plan_hive_text(struct plan *plan, const char *hive, const char *key, const char *name)
{
    struct hive_value value = { 0 };
    char *text = get(plan, hive, key, name, &value) ? hive_value_text(&value) : NULL;

    hive_value_done(&value);
    return text;
}

bool plan_hive_list(struct plan *plan, const char *hive, const char *key, const char *name,
                    struct strlist *ret)
{
    struct hive_value value = { 0 };
    bool is_list = get(plan, hive, key, name, &value) && hive_value_list(&value, ret);

    hive_value_done(&value);
    return is_list;
}

bool plan_hive_u32(struct plan *plan, const char *hive, const char *key, const char *name,
                   uint32_t *ret)
{
    struct hive_value value = { 0 };
    bool is_number = get(plan, hive, key, name, &value) && hive_value_u32(&value, ret);

    hive_value_done(&value);
    return is_number;
}
