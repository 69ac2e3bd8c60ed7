/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/stage.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/plan_hive.h"
#include "fixers/windows/signature.h"

#define DEVICE_PATH_KEY "Microsoft\\Windows\\CurrentVersion"
#define STAGE_VARIABLE "%SystemRoot%\\Drivers\\VirtIO"

static void put_file(struct plan *plan, const char *path, const struct win_file *file,
                     const char *reason)
{
    plan_write_noted(plan, path, file->data, file->len, "of the driver's package", reason);
}

void stage_package(struct plan *plan, const struct fact_windows *windows,
                   const struct win_driver *driver, const char *reason)
{
    CLEANUP_FREE char *folder = windows_path(windows, STAGE_FOLDER);

    plan_mkdir(plan, folder, 0755, "for driver packages");
    for (size_t i = 0; i < driver->n_files; i++) {
        CLEANUP_FREE char *path =
            mem_printf("%s/" STAGE_FOLDER "/%s", windows->system_root, driver->files[i].name);

        put_file(plan, path, &driver->files[i], reason);
    }
}

static int compare_versions(const uint16_t a[4], const uint16_t b[4])
{
    for (size_t i = 0; i < 4; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

/* Is the one that is there newer, and does Windows start it? */
static bool is_better(const void *there, size_t len, const uint16_t version[4],
                      const struct win_target *target, bool secure_boot)
{
    uint16_t old[4];

    return pe_file_version(there, len, old) && compare_versions(old, version) > 0 &&
           boot_verdict_is_usable(win_program_verdict(there, len, target), secure_boot);
}

void stage_boot_driver(const struct fix_context *ctx, struct plan *plan,
                       const struct win_target *target, const struct win_file *file,
                       const uint16_t version[4], const char *reason)
{
    CLEANUP_FREE char *path =
        mem_printf("%s/System32/drivers/%s", ctx->facts->windows->system_root, file->name);
    CLEANUP_FREE char *there = NULL;
    struct err ignored = ERR_NONE; /* what cannot be read is written anew */
    size_t len = 0;
    char text[24];

    if (plan_read(plan, path, &there, &len, &ignored) == 0 &&
        is_better(there, len, version, target, ctx->opts->secure_boot == SECURE_BOOT_ON))
        plan_note(plan, "%s stays as it is: it is newer than %s", path,
                  inf_version_text(version, text));
    else
        put_file(plan, path, file, reason);
}

void stage_device_path(struct plan *plan, const struct fact_windows *windows)
{
    const char *hive = windows->software_hive;
    CLEANUP_FREE char *path = plan_hive_text(plan, hive, DEVICE_PATH_KEY, "DevicePath");
    CLEANUP_FREE char *more = NULL;

    if (path && strcasestr(path, STAGE_VARIABLE))
        return;
    more = mem_printf("%s;%s", path && *path ? path : "%SystemRoot%\\inf", STAGE_VARIABLE);
    plan_hive_set_expand(plan, hive, DEVICE_PATH_KEY, "DevicePath", more,
                         "Windows looks for drivers of new devices there");
}
