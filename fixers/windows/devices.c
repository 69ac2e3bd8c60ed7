/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drivers of all other devices that KVM offers: laid down where Windows finds them when it meets
 * the device, and where the first start installs them from. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/text.h"
#include "fixers/plan_hive.h"
#include "fixers/windows/drivers.h"
#include "fixers/windows/signature.h"
#include "fixers/windows/stage.h"
#include "fixers/windows/windows.h"

/* The package to install under that name; NULL: none that Windows would take. */
static const struct win_driver *choose(const struct fix_context *ctx, struct plan *plan,
                                       const struct win_drivers *drivers,
                                       const struct win_driver *first,
                                       const struct win_target *target)
{
    struct strlist notes = { 0 };
    struct win_verdict verdict = { 0 };
    const struct win_driver *driver = win_driver_choose(
        drivers, first->name, target, ctx->opts->secure_boot == SECURE_BOOT_ON, &verdict, &notes);

    if (!first->is_boot_storage && !boot_verdict_installs(verdict.verdict, target))
        driver = NULL;

    /* of those that start with Windows the fixer before this one has told */
    for (size_t i = 0; i < notes.n && !first->is_boot_storage; i++)
        plan_note(plan, "%s", notes.items[i]);
    strlist_done(&notes);
    win_verdict_done(&verdict);
    return driver;
}

/* Who signed it, by the first of its files that is a driver. */
static const char *signed_by(const struct win_driver *driver)
{
    const struct win_file *catalog =
        *driver->inf->catalog ? win_driver_file(driver, driver->inf->catalog) : NULL;

    for (size_t i = 0; i < driver->n_files; i++) {
        const struct win_file *file = &driver->files[i];
        struct signature signature = { 0 };
        enum signature_kind kind;

        if (!text_has_suffix(file->name, ".sys"))
            continue;
        signature_read(file->data, file->len, catalog ? catalog->data : NULL,
                       catalog ? catalog->len : 0, &signature);
        kind = signature.kind;
        signature_done(&signature);
        return signature_kind_text(kind);
    }
    return "without a program";
}

#define PUBLISHERS_MAX 16U

/* Who signed the catalog, where the script of the first start finds it: pnputil would ask whether
 * to trust them, and nobody is there to answer. Each is laid down once. */
static void stage_publisher(struct plan *plan, const struct fact_windows *windows,
                            const struct win_driver *driver)
{
    const struct win_file *catalog =
        *driver->inf->catalog ? win_driver_file(driver, driver->inf->catalog) : NULL;
    CLEANUP_FREE unsigned char *der = NULL;
    size_t len = 0;

    if (!catalog || !signature_publisher(catalog->data, catalog->len, &der, &len))
        return;
    for (unsigned i = 1; i <= PUBLISHERS_MAX; i++) {
        CLEANUP_FREE char *path =
            mem_printf("%s/" STAGE_FOLDER "/h2k-publisher-%u.cer", windows->system_root, i);
        CLEANUP_FREE char *there = NULL;
        size_t there_len = 0;
        struct err ignored = ERR_NONE; /* what cannot be read is another one */

        if (!plan_exists(plan, path)) {
            plan_write_noted(plan, path, der, len, "a certificate",
                             "Windows trusts who signed the drivers, without asking");
            return;
        }
        if (plan_read(plan, path, &there, &there_len, &ignored) == 0 && there_len == len &&
            memcmp(there, der, len) == 0)
            return;
    }
}

static void stage_one(struct plan *plan, const struct fact_windows *windows,
                      const struct win_driver *driver)
{
    char version[24];
    CLEANUP_FREE char *reason =
        mem_printf("%s %s from %s, %s: Windows installs it when it meets the device", driver->name,
                   inf_version_text(driver->inf->version, version), driver->dir, signed_by(driver));

    stage_package(plan, windows, driver, reason);
    if (windows_is_at_least(windows, 6, 0)) /* XP and 2003 have no certutil */
        stage_publisher(plan, windows, driver);
}

static void note_missing(struct plan *plan, const struct win_driver *driver)
{
    for (size_t i = 0; i < driver->missing.n; i++)
        plan_note(plan, "%s is incomplete: %s is not in %s", driver->name, driver->missing.items[i],
                  driver->dir);
}

static void stage_all(const struct fix_context *ctx, struct plan *plan,
                      const struct win_drivers *drivers, const struct win_target *target)
{
    const char *last = "";

    for (size_t i = 0; i < drivers->n; i++) {
        const struct win_driver *driver;

        if (strcmp(drivers->items[i].name, last) == 0)
            continue; /* another choice of the same */
        last = drivers->items[i].name;
        driver = choose(ctx, plan, drivers, &drivers->items[i], target);
        if (!driver)
            continue;
        note_missing(plan, driver);
        stage_one(plan, ctx->facts->windows, driver);
        if (strcmp(driver->name, "netkvm") == 0)
            plan->has_virtio_net = true;
    }
}

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    *ret_why = "its devices will be other ones";
    return ctx->facts->windows != NULL;
}

static int plan_devices(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    const struct win_drivers *drivers = NULL;
    struct win_target target;
    const char *why = "";
    int there;

    if (!windows_target(plan, ctx->facts, &target))
        return 0;
    there = drivers_get(ctx->drivers, &target, &drivers, &why, err);
    if (there <= 0)
        return there;
    if (drivers->n == 0)
        return 0;
    stage_all(ctx, plan, drivers, &target);
    stage_device_path(plan, ctx->facts->windows);
    return 0;
}

const struct fixer fixer_win_devices = {
    .name = "win-devices",
    .summary = "drivers of network cards and other devices, to be installed at the first start",
    .os = OS_WINDOWS,
    .applies = applies,
    .plan = plan_devices,
};
