/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filter drivers of device classes: Control\Class\{...}, UpperFilters and LowerFilters. A device
 * does not start when one of its filters is not there, is disabled or has no file; with a disk's or
 * a controller's that is the stop 0x7B.
 */
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/plan_hive.h"
#include "fixers/windows/paths.h"
#include "fixers/windows/tools.h"
#include "inspect/windows/facts.h"
#include "inspect/windows/windows.h"

/* Classes between Windows and its disks: no dead filter is left there, whosever it is. In others
 * only what is known to be of a hypervisor. */
static const char *const disk_classes[] = {
    "{4d36e965-e325-11ce-bfc1-08002be10318}", /* CD-ROM drives */
    "{4d36e967-e325-11ce-bfc1-08002be10318}", /* disks */
    "{4d36e96a-e325-11ce-bfc1-08002be10318}", /* IDE and SATA controllers */
    "{4d36e97b-e325-11ce-bfc1-08002be10318}", /* SCSI and RAID controllers */
    "{4d36e97d-e325-11ce-bfc1-08002be10318}", /* system: buses */
    "{71a27cdd-812a-11d0-bec7-08002be2092f}", /* volumes */
};

/* Windows' own: they stay, whatever seems to be wrong with them. */
static const char *const in_box[] = {
    "partmgr", "EhStorClass", "EhStorTcgDrv", "volsnap", "fvevol",   "rdyboost",
    "iorate",  "storflt",     "bttflt",       "volmgrx", "kbdclass", "mouclass",
    "redbook", "imapi",       "storqosflt",   "sfloppy", "ksthunk",
};

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool has_file(const struct fix_context *ctx, struct plan *plan, const char *key,
                     const char *name)
{
    CLEANUP_FREE char *image =
        plan_hive_text(plan, ctx->facts->windows->system_hive, key, "ImagePath");
    CLEANUP_FREE char *path = win_image_path(ctx->facts, image, name);

    return !path || windows_has_file(plan->root, path) || plan_exists(plan, path);
}

/* Why the filter cannot be loaded; NULL: it can, or must stay. *ret_why is a literal. */
static int why_dead(const struct fix_context *ctx, struct plan *plan, const char *set,
                    const char *name, const char **ret_why, struct err *err)
{
    const char *hive = ctx->facts->windows->system_hive;
    CLEANUP_FREE char *key = mem_printf("%s\\Services\\%s", set, name);
    int r;

    *ret_why = NULL;
    if (name[0] == '\0' || strchr(name, '\\') || is_one_of(name, in_box, ARRAY_SIZE(in_box)))
        return 0;
    r = plan_hive_has_key(plan, hive, key, err);
    if (r < 0)
        return r;
    if (r == 0)
        *ret_why = "is not installed";
    else if (service_is_disabled(plan, hive, key))
        *ret_why = "is disabled";
    else if (!has_file(ctx, plan, key, name))
        *ret_why = "has lost its file";
    return 0;
}

struct class_key {
    const struct fix_context *ctx;
    struct plan *plan;
    const char *set, *key;
    bool is_of_disks;
};

static int clean_list(const struct class_key *class, const char *value, struct err *err)
{
    const char *hive = class->ctx->facts->windows->system_hive;
    CLEANUP_STRLIST struct strlist names = { 0 };
    CLEANUP_STRLIST struct strlist left = { 0 };
    struct strbuf reason = { 0 };
    int r = 0;

    if (!plan_hive_list(class->plan, hive, class->key, value, &names))
        return 0;
    for (size_t i = 0; r >= 0 && i < names.n; i++) {
        const char *why = NULL;

        if (class->is_of_disks || tools_knows(names.items[i]))
            r = why_dead(class->ctx, class->plan, class->set, names.items[i], &why, err);
        if (!why)
            strlist_add(&left, names.items[i]);
        else
            strbuf_printf(&reason, "%s %s, ", names.items[i], why);
    }
    if (r >= 0 && left.n < names.n) {
        strbuf_puts(&reason, "and a device does not start without its filters");
        if (left.n > 0)
            plan_hive_set_list(class->plan, hive, class->key, value, &left, strbuf_text(&reason));
        else
            plan_hive_unset(class->plan, hive, class->key, value, strbuf_text(&reason));
    }
    strbuf_done(&reason);
    return r;
}

int filters_plan(const struct fix_context *ctx, struct plan *plan, const char *set, struct err *err)
{
    CLEANUP_FREE char *classes = mem_printf("%s\\Control\\Class", set);
    CLEANUP_STRLIST struct strlist guids = { 0 };
    int r = plan_hive_keys(plan, ctx->facts->windows->system_hive, classes, &guids, err);

    for (size_t i = 0; r >= 0 && i < guids.n; i++) {
        CLEANUP_FREE char *key = mem_printf("%s\\%s", classes, guids.items[i]);
        const struct class_key class = {
            .ctx = ctx,
            .plan = plan,
            .set = set,
            .key = key,
            .is_of_disks = is_one_of(guids.items[i], disk_classes, ARRAY_SIZE(disk_classes)),
        };

        r = clean_list(&class, "UpperFilters", err);
        if (r >= 0)
            r = clean_list(&class, "LowerFilters", err);
    }
    return r < 0 ? r : 0;
}
