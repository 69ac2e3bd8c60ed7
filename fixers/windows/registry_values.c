/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Single values of the registry that decide what Windows does with KVM's disks. */
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/plan_hive.h"
#include "fixers/windows/firstboot.h"
#include "fixers/windows/target.h"
#include "fixers/windows/windows.h"

#define SAN_ONLINE_ALL 1U /* partmgr.sys: SAN policy of diskpart(8) */
#define DISK_SECONDS 60U  /* before a request counts as failed: storage moves, too */

static void set_san_policy(struct plan *plan, const struct fact_windows *windows,
                           const char *control_set)
{
    CLEANUP_FREE char *key = mem_printf("%s\\Services\\partmgr\\Parameters", control_set);

    if (windows_is_at_least(windows, 6, 0))
        plan_hive_set_u32(plan, windows->system_hive, key, "SanPolicy", SAN_ONLINE_ALL,
                          "data disks on a new controller stay online");
}

/* Both spellings are in use; Windows does not tell them apart. */
static void set_disk_timeout(struct plan *plan, const struct fact_windows *windows,
                             const char *control_set)
{
    CLEANUP_FREE char *key = windows_service_key(control_set, "Disk");
    uint32_t seconds = 0;

    (void)plan_hive_u32(plan, windows->system_hive, key, "TimeOutValue", &seconds);
    if (seconds < DISK_SECONDS)
        plan_hive_set_u32(plan, windows->system_hive, key, "TimeOutValue", DISK_SECONDS,
                          "a slow moment of the host's storage is no failure");
}

/* The image of the old machine's memory is thrown away, and none is to be made before the new
 * hardware is known. */
static void end_fast_startup(const struct fix_context *ctx, struct plan *plan,
                             const char *control_set)
{
    const char *hive = ctx->facts->windows->system_hive;
    CLEANUP_FREE char *key = mem_printf("%s\\Control\\Session Manager\\Power", control_set);
    uint32_t enabled = 0;

    if (ctx->opts->discard_hibernation &&
        plan_hive_u32(plan, hive, key, "HiberbootEnabled", &enabled) && enabled)
        plan_hive_set_u32(plan, hive, key, "HiberbootEnabled", 0,
                          "a fast startup would resume on hardware that is not there any more");
}

/*
 * A start from new drivers that fails is to say why: Windows stops at the code instead of starting
 * again and again. As before once it has started.
 */
static void show_stop_code(struct plan *plan, const struct facts *facts, const char *control_set)
{
    const struct fact_windows *windows = facts->windows;
    CLEANUP_FREE char *key = mem_printf("%s\\Control\\CrashControl", control_set);
    CLEANUP_FREE char *text = NULL;
    uint32_t restarts = 0;

    if (!plan->has_virtio_blk || windows->boots_virtio_blk ||
        !plan_hive_u32(plan, windows->system_hive, key, "AutoReboot", &restarts) || restarts == 0)
        return;
    plan_hive_set_u32(plan, windows->system_hive, key, "AutoReboot", 0,
                      "should the first start fail, its stop code is seen");
    text =
        mem_printf("reg add HKLM\\SYSTEM\\CurrentControlSet\\Control\\CrashControl /v AutoReboot "
                   "/t REG_DWORD /d %u /f\n",
                   restarts);
    win_script_add(plan, facts,
                   &(struct win_script){ .order = WIN_SCRIPT_LAST,
                                         .name = "restart-after-crash",
                                         .kind = WIN_SCRIPT_BATCH,
                                         .text = text },
                   "once it has started, Windows starts again after a crash, as before");
}

/* What the command line of PowerShell says does not count against a policy of the machine. */
static void note_powershell(struct plan *plan, const struct fact_windows *windows)
{
    static const char key[] = "Policies\\Microsoft\\Windows\\PowerShell";
    CLEANUP_FREE char *policy =
        plan_hive_text(plan, windows->software_hive, key, "ExecutionPolicy");
    uint32_t enabled = 1;

    (void)plan_hive_u32(plan, windows->software_hive, key, "EnableScripts", &enabled);
    if (enabled && (!policy || strcasecmp(policy, "AllSigned") != 0))
        return;
    plan_note(plan,
              "a policy lets PowerShell run %s: of the scripts of the first start those in "
              "PowerShell fail, addresses and disks may have to be set by hand",
              enabled ? "signed scripts only" : "no scripts");
}

/* What may undo or forbid what is changed: nothing is done about it, but somebody should know. */
static int note_obstacles(struct plan *plan, const struct fact_windows *windows, struct err *err)
{
    static const struct {
        const char *key, *text;
    } policies[] = {
        { "Policies\\Microsoft\\Windows\\DeviceInstall\\Restrictions",
          "a policy restricts the installation of devices (DeviceInstall\\Restrictions): Windows "
          "may refuse drivers at its first start" },
        { "Policies\\Microsoft\\Windows\\DriverSearching",
          "a policy says where drivers are looked for (DriverSearching)" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
        int r = plan_hive_has_key(plan, windows->software_hive, policies[i].key, err);

        if (r < 0)
            return r;
        if (r > 0)
            plan_note(plan, "%s", policies[i].text);
    }
    note_powershell(plan, windows);
    if (windows->group_policies)
        plan_note(plan, "it has group policies of a domain, which may undo changes");
    if (windows->antivirus[0])
        plan_note(plan,
                  "%s is installed: should Windows stop with 0x7B, take it out of the source "
                  "first",
                  windows->antivirus);
    return 0;
}

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    *ret_why = "its disks will be on another controller";
    return ctx->facts->windows != NULL;
}

static int plan_registry(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    const struct fact_windows *windows = ctx->facts->windows;

    for (size_t i = 0; i < windows->control_sets.n; i++) {
        const char *control_set = windows->control_sets.items[i];

        set_san_policy(plan, windows, control_set);
        set_disk_timeout(plan, windows, control_set);
        end_fast_startup(ctx, plan, control_set);
        show_stop_code(plan, ctx->facts, control_set);
    }
    return note_obstacles(plan, windows, err);
}

const struct fixer fixer_win_registry = {
    .name = "win-registry",
    .summary = "disks stay online, a first start that fails says why",
    .os = OS_WINDOWS,
    .applies = applies,
    .plan = plan_registry,
};
