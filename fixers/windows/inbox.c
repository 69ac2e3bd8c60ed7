/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/inbox.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/plan_hive.h"
#include "inspect/windows/windows.h"

/* In the order they are looked at. */
static const struct inbox {
    const char *service;
    bool starts; /* one of KVM's controllers is its: it has to start with the system */
} inbox[] = {
    { "atapi", true },    { "iaStorV", false }, { "intelide", true },
    { "LSI_SAS", false }, { "msahci", true },   { "pciide", true },
    { "sdbus", false },   { "storahci", true }, { "stornvme", false },
};

/* Controllers that the old Windows knows of only if it was installed on them (Microsoft, KB
 * 314082). */
static const struct {
    const char *id, *service;
} ide_devices[] = {
    { "Primary_IDE_Channel", "atapi" },
    { "Secondary_IDE_Channel", "atapi" },
    { "PCI#CC_0101", "pciide" },
    { "PCI#VEN_8086&DEV_7010", "intelide" },
};
#define IDE_CLASS "{4D36E96A-E325-11CE-BFC1-08002BE10318}"

static bool has_file(const struct plan *plan, const struct fact_windows *windows,
                     const char *service)
{
    CLEANUP_FREE char *path =
        mem_printf("%s/System32/drivers/%s.sys", windows->system_root, service);

    return plan_exists(plan, path) || windows_has_file(plan->root, path);
}

static void unpark_in(struct plan *plan, const struct fact_windows *windows,
                      const char *control_set, const struct inbox *item)
{
    CLEANUP_FREE char *key = windows_service_key(control_set, item->service);
    CLEANUP_FREE char *override = mem_printf("%s\\StartOverride", key);
    uint32_t start = 0;

    plan_hive_delete_key(plan, windows->system_hive, override,
                         "it keeps the driver from starting on hardware like the old one's");
    if (item->starts && has_file(plan, windows, item->service) &&
        plan_hive_u32(plan, windows->system_hive, key, "Start", &start) && start != 0)
        plan_hive_set_u32(plan, windows->system_hive, key, "Start", 0,
                          "a disk controller of KVM may need it to start");
}

/* Of XP and 2003, which bind no driver to a device that they have not met. */
static void know_ide(struct plan *plan, const struct fact_windows *windows, const char *control_set)
{
    for (size_t i = 0; i < ARRAY_SIZE(ide_devices); i++) {
        CLEANUP_FREE char *key =
            mem_printf("%s\\Control\\CriticalDeviceDatabase\\%s", control_set, ide_devices[i].id);
        CLEANUP_FREE char *service = plan_hive_text(plan, windows->system_hive, key, "Service");
        const char *reason = "Windows can start from an IDE disk";

        if (service || !has_file(plan, windows, ide_devices[i].service))
            continue;
        plan_hive_set_text(plan, windows->system_hive, key, "Service", ide_devices[i].service,
                           reason);
        plan_hive_set_text(plan, windows->system_hive, key, "ClassGUID", IDE_CLASS, reason);
    }
}

void inbox_unpark(struct plan *plan, const struct fact_windows *windows)
{
    for (size_t c = 0; c < windows->control_sets.n; c++) {
        for (size_t i = 0; i < ARRAY_SIZE(inbox); i++)
            unpark_in(plan, windows, windows->control_sets.items[c], &inbox[i]);
        if (!windows_is_at_least(windows, 6, 0))
            know_ide(plan, windows, windows->control_sets.items[c]);
    }
}
