/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/inject_registry.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/regfile.h"
#include "engine/upcase.h"
#include "fixers/plan_hive.h"
#include "inspect/windows/facts.h"
#include "inspect/windows/registry.h"

#define FILE_MAX (64U << 20)
#define CURRENT REGISTRY_MACHINE "\\SYSTEM\\" REGISTRY_CURRENT

/* The link first: it is a key of the hive by its name. */
static const struct regfile_map known[] = {
    { CURRENT, "" },
    { REGISTRY_MACHINE "\\SYSTEM", "" },
    { REGISTRY_MACHINE "\\SOFTWARE", "" },
    { REGISTRY_MACHINE "\\SAM", "" },
    { REGISTRY_MACHINE "\\SECURITY", "" },
};

/* ---- reading ---- */

static int check_edit(const struct hive_edit *edit, const char *path, struct err *err)
{
    if (edit->kind == HIVE_DELETE_KEY && *edit->key == '\0')
        return err_status(err, STATUS_USAGE, "%s: it would remove a whole hive, or a control set",
                          path);
    if (edit->kind == HIVE_SET && edit->value.len > HIVE_VALUE_MAX)
        return err_status(err, STATUS_USAGE,
                          "%s: the value \"%s\" of [%s] has %zu bytes; at most %u can be written",
                          path, edit->value.name, edit->key, edit->value.len, HIVE_VALUE_MAX);
    return 0;
}

static int check_file(const struct inject_registry *file, struct err *err)
{
    CLEANUP_REGFILE_EDITS struct regfile_edits edits = { 0 };
    int r = regfile_import(file->data, file->len, known, ARRAY_SIZE(known), &edits, err);

    if (r < 0)
        return err_wrap(err, "%s", file->path);
    if (edits.elsewhere)
        return err_status(err, STATUS_USAGE,
                          "%s: [%s]: only keys below " REGISTRY_MACHINE
                          "\\SYSTEM, SOFTWARE, SAM and SECURITY can be changed",
                          file->path, edits.elsewhere);
    if (edits.n == 0)
        return err_status(err, STATUS_USAGE, "%s: there is no key in it", file->path);
    for (size_t i = 0; i < edits.n && r == 0; i++)
        r = check_edit(&edits.items[i], file->path, err);
    return r;
}

int inject_registry_add(struct injections *inject, const char *folder, const char *path,
                        struct err *err)
{
    struct inject_registry *file =
        mem_add(&inject->registry, &inject->n_registry, sizeof(*inject->registry));
    int r;

    file->path = mem_strdup(path);
    r = inject_load(folder, path, FILE_MAX, &file->data, &file->len, err);
    return r < 0 ? r : check_file(file, err);
}

/* ---- planning ---- */

/* Edits of one hive, while they are planned. */
struct import {
    struct plan *plan;
    const char *hive;
    const char *reason;
    const struct regfile_edits *edits;
    struct err *err;
};

static bool is_in(const char *key, const char *folder)
{
    size_t len = strlen(folder);

    return strlen(key) >= len && upcase_equal_n(key, len, folder, len) &&
           (key[len] == '\0' || key[len] == '\\');
}

/* Does an edit from the @from-th on make the key, or one below it? */
static bool is_made_later(const struct import *import, size_t from, const char *key)
{
    for (size_t i = from; i < import->edits->n; i++) {
        const struct hive_edit *edit = &import->edits->items[i];

        if ((edit->kind == HIVE_SET || edit->kind == HIVE_ADD_KEY) && is_in(edit->key, key))
            return true;
    }
    return false;
}

static bool is_set_later(const struct import *import, size_t from, const char *key,
                         const char *name)
{
    for (size_t i = from; i < import->edits->n; i++) {
        const struct hive_edit *edit = &import->edits->items[i];

        if (edit->kind == HIVE_SET && upcase_equal(edit->key, key) &&
            upcase_equal(edit->value.name, name))
            return true;
    }
    return false;
}

static int unset_values(const struct import *import, size_t from, const char *key)
{
    struct hive_values values = { 0 };
    int r = plan_hive_get_all(import->plan, import->hive, key, &values, import->err);

    for (size_t i = 0; i < values.n; i++)
        if (!is_set_later(import, from, key, values.items[i].name))
            plan_hive_unset(import->plan, import->hive, key, values.items[i].name, import->reason);
    hive_values_done(&values);
    return r < 0 ? r : 0;
}

/*
 * Remove a key. What the file makes there again stays as far as it is wanted: a guest that has been
 * changed is not to be changed again by the same file.
 */
static int delete_key(const struct import *import, size_t from, const char *top)
{
    CLEANUP_STRLIST struct strlist todo = { 0 };
    int r = 0;

    strlist_add(&todo, top);
    for (size_t at = 0; at < todo.n && r >= 0; at++) {
        CLEANUP_STRLIST struct strlist names = { 0 };
        const char *key = todo.items[at]; /* the text stays where it is when the list grows */

        if (!is_made_later(import, from, key)) {
            plan_hive_delete_key(import->plan, import->hive, key, import->reason);
            continue;
        }
        r = plan_hive_keys(import->plan, import->hive, key, &names, import->err);
        if (r > 0)
            r = unset_values(import, from, key);
        for (size_t i = 0; i < names.n; i++)
            strlist_take(&todo, mem_printf("%s\\%s", key, names.items[i]));
    }
    return r < 0 ? r : 0;
}

static int plan_edit(const struct import *import, size_t i)
{
    const struct hive_edit *edit = &import->edits->items[i];

    switch (edit->kind) {
    case HIVE_SET:
        plan_hive_set(import->plan, import->hive, edit->key, &edit->value, import->reason);
        break;
    case HIVE_UNSET:
        plan_hive_unset(import->plan, import->hive, edit->key, edit->value.name, import->reason);
        break;
    case HIVE_ADD_KEY:
        plan_hive_add_key(import->plan, import->hive, edit->key, import->reason);
        break;
    case HIVE_DELETE_KEY:
        return delete_key(import, i + 1, edit->key);
    }
    return 0;
}

/* What the file asks for below @maps, which lie in one hive. */
static int import_hive(const struct fix_context *ctx, struct plan *plan,
                       const struct inject_registry *file, const struct regfile_map *maps,
                       size_t n_maps, struct err *err)
{
    CLEANUP_REGFILE_EDITS struct regfile_edits edits = { 0 };
    CLEANUP_REGISTRY_KEY struct registry_key key = { 0 };
    CLEANUP_FREE char *reason = mem_printf("%s asks for it", file->path);
    CLEANUP_FREE char *hive = NULL;
    CLEANUP_FREE char *inside = NULL;
    struct import import = { .plan = plan, .reason = reason, .edits = &edits, .err = err };
    int r = regfile_import(file->data, file->len, maps, n_maps, &edits, err);

    if (r < 0 || edits.n == 0)
        return r;
    r = registry_key_parse(maps[0].name, &key, err);
    if (r == 0)
        r = registry_key_locate(plan->root, ctx->facts->windows, &key, &hive, &inside, err);
    import.hive = hive;
    for (size_t i = 0; i < edits.n && r == 0; i++)
        r = plan_edit(&import, i);
    return r;
}

static int import_file(const struct fix_context *ctx, struct plan *plan,
                       const struct inject_registry *file, struct err *err)
{
    const struct strlist *sets = &ctx->facts->windows->control_sets;
    int r = 0;

    if (sets->n == 0)
        return err_status(err, STATUS_FAILED,
                          "%s: the guest says no control set that it starts with", file->path);
    for (size_t i = 1; i < ARRAY_SIZE(known) && r == 0; i++) {
        /* what it says of the link is meant for each control set in use, and done once for it */
        struct regfile_map maps[] = { { CURRENT, sets->items[0] }, known[i] };
        size_t skip = i == 1 ? 0 : 1;

        r = import_hive(ctx, plan, file, maps + skip, ARRAY_SIZE(maps) - skip, err);
    }
    for (size_t i = 1; i < sets->n && r == 0; i++) {
        struct regfile_map map = { CURRENT, sets->items[i] };

        r = import_hive(ctx, plan, file, &map, 1, err);
    }
    return r;
}

int inject_registry_plan(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    const struct injections *inject = &ctx->opts->inject;
    int r = 0;

    for (size_t i = 0; i < inject->n_registry && r == 0; i++)
        r = import_file(ctx, plan, &inject->registry[i], err);
    return r;
}
