/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a job's guest is given under KVM, and why it is not virtio where it is not. */
#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "fixers/job_stage.h"
#include "fixers/plan_hive.h"
#include "inspect/windows/facts.h"
#include "inspect/windows/windows.h"

#define WINDOWS_11 22000U /* build */

const struct hardware *job_hardware(const struct job *job)
{
    const struct facts *facts = job->chosen->facts;
    struct windows_drivers drivers = job->drivers;
    struct windows_drivers found;

    if (!facts->windows)
        return hardware_for(facts, job->default_changes, job->targets.n);
    found = windows_drivers_found(facts->windows);
    drivers.virtio_blk |= found.virtio_blk && !drivers.virtio_blk_fails;
    drivers.virtio_net |= found.virtio_net;
    drivers.ahci |= found.ahci;
    return hardware_for_windows(facts->windows, &drivers, job->targets.n);
}

/* Does it start with the system in all control sets in use? */
static bool will_start(struct plan *plan, const struct fact_windows *windows, const char *service)
{
    CLEANUP_FREE char *file =
        mem_printf("%s/System32/drivers/%s.sys", windows->system_root, service);

    for (size_t i = 0; i < windows->control_sets.n; i++) {
        CLEANUP_FREE char *key =
            mem_printf("%s\\Services\\%s", windows->control_sets.items[i], service);
        CLEANUP_FREE char *override = mem_printf("%s\\StartOverride", key);
        struct err err = ERR_NONE;
        uint32_t start = UINT32_MAX;

        if (!plan_hive_u32(plan, windows->system_hive, key, "Start", &start) || start != 0 ||
            plan_hive_has_key(plan, windows->system_hive, override, &err) != 0)
            return false;
    }
    return windows->control_sets.n > 0 &&
           (plan_exists(plan, file) || windows_has_file(plan->root, file));
}

/* Nothing says whether the old machine had one, and a host without swtpm starts no domain that has
 * one. */
static void note_tpm(struct plan *plan, const struct fact_windows *windows)
{
    if (windows->build >= WINDOWS_11 && !windows->is_server)
        plan_note(plan,
                  "the domain has no TPM: Windows 11 starts without one, but asks for TPM 2.0 when "
                  "it is to be upgraded; what the old machine's kept (PINs, keys of BitLocker) is "
                  "not in the image");
}

/* The partition of Windows itself is enough for all that is changed, but starts nothing. XP and
 * 2003 are on the first partition where there is no boot.ini. */
static void note_boot(struct plan *plan, const struct facts *facts)
{
    const struct fact_windows *windows = facts->windows;

    if (windows->bcd[0] || windows->boot_ini[0] || windows->nt_major < 6)
        return;
    if (facts->boot_config[0])
        plan_note(
            plan,
            "%s cannot be read: Windows does not start before it was made anew (bcdboot, from "
            "setup media)",
            facts->boot_config);
    else
        plan_note(plan,
                  "no boot configuration of Windows (BCD) is on the disks: it does not start "
                  "without the disk that has one, or before bcdboot was run from setup media");
}

void job_plan_hardware(struct job *job)
{
    const struct facts *facts = job->chosen->facts;
    struct plan *plan = job->plan;
    const struct hardware *hardware;

    if (!facts->windows)
        return;
    job->drivers = (struct windows_drivers){
        .virtio_blk = plan->has_virtio_blk,
        .virtio_blk_fails = plan->virtio_blk_fails,
        .virtio_net = plan->has_virtio_net,
        .ahci = will_start(plan, facts->windows, "storahci") ||
                will_start(plan, facts->windows, "msahci"),
    };
    hardware = job_hardware(job);
    if (!hardware->is_virtio)
        plan_note(plan,
                  "%s has no driver for virtio disks that starts with it: the domain has %s disks "
                  "and %s network cards",
                  facts->product_name, hardware->disk_bus, hardware->nic_model);
    note_boot(plan, facts);
    note_tpm(plan, facts->windows);
}
