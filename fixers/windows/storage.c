/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drivers of the disks that KVM offers, bound before Windows runs: of virtio, both as a block
 * device and as SCSI, and those that Windows brings itself but has parked.
 */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/plan_hive.h"
#include "fixers/windows/bind.h"
#include "fixers/windows/drivers.h"
#include "fixers/windows/inbox.h"
#include "fixers/windows/paths.h"
#include "fixers/windows/signature.h"
#include "fixers/windows/stage.h"
#include "fixers/windows/windows.h"

/* One that starts with Windows on this hardware, when it is installed already or there is one. */
struct wanted {
    const char *driver;
    const char *device; /* for people */
};

static const struct wanted wanted[] = {
    { "viostor", "virtio disks" },
    { "vioscsi", "disks of a virtio SCSI controller" },
};

static bool is_bound(const struct fact_windows *windows, const struct wanted *item)
{
    return strcmp(item->driver, "viostor") == 0 ? windows->boots_virtio_blk
                                                : windows->boots_virtio_scsi;
}

/* Is what is installed a program that Windows starts? Others may have put it there, so that Windows
 * stopped. What cannot be looked at counts as good. */
static bool is_good(const struct fix_context *ctx, struct plan *plan,
                    const struct win_target *target, const struct wanted *item)
{
    const struct fact_windows *windows = ctx->facts->windows;
    CLEANUP_FREE char *key = windows_service_key(windows->control_sets.items[0], item->driver);
    CLEANUP_FREE char *image = plan_hive_text(plan, windows->system_hive, key, "ImagePath");
    CLEANUP_FREE char *path = win_image_path(ctx->facts, image, item->driver);
    CLEANUP_FREE char *data = NULL;
    struct err ignored = ERR_NONE;
    const char *why = "";
    size_t len = 0;

    if (!path || plan_read(plan, path, &data, &len, &ignored) != 0 || !data ||
        !win_program_fails(data, len, target, windows->test_signing, &why))
        return true;
    plan_note(plan, "%s: Windows does not start from %s with what is installed: %s", path,
              item->device, why);
    return false;
}

/* What is chosen from, and for what. */
struct choice {
    struct win_target target;
    const struct win_drivers *drivers; /* NULL: there are none */
    struct win_verdict verdict;        /* of the one that was chosen */
};

/* All of one driver. 1; 0: its package does not say how it starts; or negative errno and *err. */
static int add_driver(const struct fix_context *ctx, struct plan *plan,
                      const struct win_driver *driver, const struct choice *choice,
                      const struct wanted *item, struct err *err)
{
    const struct fact_windows *windows = ctx->facts->windows;
    const struct inf_service *service = inf_driver_boot_service(driver->inf);
    const struct win_file *file = service ? win_driver_file(driver, service->binary) : NULL;
    CLEANUP_FREE char *reason = mem_printf("Windows can start from %s", item->device);
    char version[24];
    int r;

    if (!file) {
        plan_note(plan,
                  "no driver for %s: the INF file of %s has no service that starts with Windows",
                  item->device, driver->dir);
        return 0;
    }
    stage_boot_driver(ctx, plan, &choice->target, file, choice->verdict.version, reason);
    bind_service(plan, windows, service, reason);
    plan_note(plan, "%s: %s %s from %s, %s", item->device, driver->name,
              inf_version_text(driver->inf->version, version), driver->dir, choice->verdict.text);
    r = bind_devices(plan, windows, driver, choice->target.arch, reason, err);
    return r < 0 ? r : 1;
}

/* 1; 0: Windows would start none that there is; or negative errno and *err. */
static int add_one(const struct fix_context *ctx, struct plan *plan, struct choice *choice,
                   const struct wanted *item, struct err *err)
{
    struct strlist notes = { 0 };
    const struct win_driver *driver =
        win_driver_choose(choice->drivers, item->driver, &choice->target,
                          ctx->opts->secure_boot == SECURE_BOOT_ON, &choice->verdict, &notes);
    int r = 0;

    for (size_t i = 0; i < notes.n; i++)
        plan_note(plan, "%s", notes.items[i]);
    if (driver)
        r = add_driver(ctx, plan, driver, choice, item, err);
    else
        plan_note(plan, "no driver for %s: %s", item->device,
                  choice->verdict.text ? choice->verdict.text : "there is none for this Windows");
    strlist_done(&notes);
    win_verdict_done(&choice->verdict);
    return r;
}

static int add_virtio(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    struct choice choice = { 0 };
    const char *why = "";
    int there;

    if (!windows_target(plan, ctx->facts, &choice.target)) {
        plan_note(plan, "there are no virtio drivers for the processor of this Windows (%s)",
                  ctx->facts->arch[0] ? ctx->facts->arch : "not known");
        return 0;
    }
    there = drivers_get(ctx->drivers, &choice.target, &choice.drivers, &why, err);
    if (there < 0)
        return there;
    if (there == 0)
        plan_note(plan, "no virtio drivers are added, name them with --virtio-win%s%s",
                  *why ? ": " : "", why);
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        bool was_bound = is_bound(ctx->facts->windows, &wanted[i]);
        int done = was_bound && is_good(ctx, plan, &choice.target, &wanted[i]);

        if (!done && there > 0)
            done = add_one(ctx, plan, &choice, &wanted[i], err);
        if (done < 0)
            return done;
        if (strcmp(wanted[i].driver, "viostor") != 0)
            continue;
        plan->has_virtio_blk = done > 0;
        plan->virtio_blk_fails = was_bound && done == 0;
    }
    return 0;
}

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    *ret_why = "its disks will be other ones";
    return ctx->facts->windows != NULL;
}

static int plan_storage(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    inbox_unpark(plan, ctx->facts->windows);
    return add_virtio(ctx, plan, err);
}

const struct fixer fixer_win_storage = {
    .name = "win-storage",
    .summary = "drivers that Windows starts from: virtio, and its own for SATA and IDE",
    .os = OS_WINDOWS,
    .applies = applies,
    .plan = plan_storage,
};
