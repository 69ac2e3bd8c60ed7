/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of registry hives are added to a plan; those that would change nothing are not. */
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/plan_hive.h"
#include "fixers/plan_hive_parts.h"
#include "fixers/plan_lookup.h"

static bool is_same(const struct hive_value *a, const struct hive_value *b)
{
    return a->type == b->type && a->len == b->len &&
           (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* What only administrators may read in Windows, or what is a secret by its name. */
static bool is_secret(const char *path, const char *name)
{
    static const char *const files[] = { "SAM", "SECURITY" };
    const char *file = strrchr(path, '/');

    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        if (file && strcasecmp(file + 1, files[i]) == 0)
            return true;
    return strcasestr(name, "password") != NULL;
}

static struct change *add_edit(struct plan *plan, const char *path, enum hive_edit_kind kind,
                               const char *key, const char *reason)
{
    struct change *change = plan_add_change(plan, CHANGE_HIVE, path, reason);

    change->edit = mem_alloc(sizeof(*change->edit));
    change->edit->kind = kind;
    change->edit->key = mem_strdup(key);
    return change;
}

/* Forget what was planned for a value. */
static void forget_value(struct plan *plan, const char *path, const char *key, const char *name)
{
    for (size_t i = plan->n; i > 0; i--) {
        struct change *change = &plan->changes[i - 1];

        if (change->action == CHANGE_HIVE && strcmp(change->path, path) == 0 &&
            plan_hive_is_value(change->edit, key, name))
            plan_drop_change(plan, change);
    }
}

/* Is a value as it is wanted? @found: is there one; @new NULL: none is wanted. */
static bool is_wanted(int found, const struct hive_value *was, const struct hive_value *new)
{
    return found > 0 ? new &&is_same(was, new) : !new;
}

/* A change of a value that is begun. */
struct begun {
    struct plan_hive at;
    struct hive_value *was; /* NULL: there is none */
};

/*
 * Begin a change of a value: forget earlier ones, and look at what is there without them. false
 * when there is nothing to do, or it cannot be looked at. @new: NULL: no value.
 */
static bool begin(struct plan *plan, const char *hive, const char *key, const char *name,
                  const struct hive_value *new, struct begun *ret)
{
    struct hive_value was = { 0 };
    struct err err = ERR_NONE;
    bool is_done;
    int r = plan_hive_find(plan, hive, &ret->at, &err);

    if (r >= 0)
        r = plan_hive_get(plan, hive, key, name, &was, &err);
    if (r >= 0 && !is_wanted(r, &was, new)) {
        hive_value_done(&was);
        forget_value(plan, ret->at.path, key, name);
        r = plan_hive_get(plan, hive, key, name, &was, &err);
    }
    if (r < 0)
        *plan_failed(plan) = err;
    is_done = r < 0 || is_wanted(r, &was, new);
    if (!is_done && r > 0)
        ret->was = mem_dup(&was, sizeof(was));
    else
        hive_value_done(&was);
    return !is_done;
}

void plan_hive_set(struct plan *plan, const char *hive, const char *key,
                   const struct hive_value *value, const char *reason)
{
    struct begun begun = { 0 };
    struct change *change;

    if (!begin(plan, hive, key, value->name, value, &begun))
        return;
    change = add_edit(plan, begun.at.path, HIVE_SET, key, reason);
    plan_hive_copy_value(&change->edit->value, value);
    change->was = begun.was;
    change->secret = is_secret(begun.at.path, value->name);
}

void plan_hive_unset(struct plan *plan, const char *hive, const char *key, const char *name,
                     const char *reason)
{
    struct begun begun = { 0 };
    struct change *change;

    if (!begin(plan, hive, key, name, NULL, &begun))
        return;
    change = add_edit(plan, begun.at.path, HIVE_UNSET, key, reason);
    change->edit->value.name = mem_strdup(name);
    change->was = begun.was;
    change->secret = is_secret(begun.at.path, name);
}

/* Set a value that was made for it, and release it. */
static void set_made(struct plan *plan, const char *hive, const char *key, struct hive_value *value,
                     const char *reason)
{
    plan_hive_set(plan, hive, key, value, reason);
    hive_value_done(value);
}

void plan_hive_set_u32(struct plan *plan, const char *hive, const char *key, const char *name,
                       uint32_t number, const char *reason)
{
    struct hive_value value = { 0 };

    hive_make_u32(&value, name, number);
    set_made(plan, hive, key, &value, reason);
}

void plan_hive_set_text(struct plan *plan, const char *hive, const char *key, const char *name,
                        const char *text, const char *reason)
{
    struct hive_value value = { 0 };

    hive_make_text(&value, name, REG_SZ, text);
    set_made(plan, hive, key, &value, reason);
}

void plan_hive_set_expand(struct plan *plan, const char *hive, const char *key, const char *name,
                          const char *text, const char *reason)
{
    struct hive_value value = { 0 };

    hive_make_text(&value, name, REG_EXPAND_SZ, text);
    set_made(plan, hive, key, &value, reason);
}

void plan_hive_set_list(struct plan *plan, const char *hive, const char *key, const char *name,
                        const struct strlist *texts, const char *reason)
{
    struct hive_value value = { 0 };

    hive_make_list(&value, name, texts);
    set_made(plan, hive, key, &value, reason);
}

void plan_hive_add_key(struct plan *plan, const char *hive, const char *key, const char *reason)
{
    struct err err = ERR_NONE;
    struct plan_hive at = { 0 };
    int r = plan_hive_has_key(plan, hive, key, &err);

    if (r == 0 && plan_hive_find(plan, hive, &at, &err) == 0)
        (void)add_edit(plan, at.path, HIVE_ADD_KEY, key, reason);
    if (r < 0)
        *plan_failed(plan) = err;
}

void plan_hive_delete_key(struct plan *plan, const char *hive, const char *key, const char *reason)
{
    struct err err = ERR_NONE;
    struct plan_hive at = { 0 };
    int r = plan_hive_find(plan, hive, &at, &err);

    /* what was planned below it never comes to be */
    for (size_t i = plan->n; r >= 0 && i > 0; i--) {
        struct change *change = &plan->changes[i - 1];

        if (change->action == CHANGE_HIVE && strcmp(change->path, at.path) == 0 &&
            plan_hive_key_is_in(change->edit->key, key) && change->edit->kind != HIVE_DELETE_KEY)
            plan_drop_change(plan, change);
    }
    if (r >= 0)
        r = plan_hive_has_key(plan, hive, key, &err);
    if (r > 0)
        (void)add_edit(plan, at.path, HIVE_DELETE_KEY, key, reason);
    if (r < 0)
        *plan_failed(plan) = err;
}
