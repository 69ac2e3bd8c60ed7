/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/firstboot_system.h"

#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/text.h"
#include "fixers/plan_hive.h"
#include "fixers/windows/embedded.h"
#include "fixers/windows/firstboot.h"
#include "fixers/windows/stage.h"
#include "fixers/windows/win_source.h"
#include "inspect/windows/facts.h"

/* ---- drivers ---- */

/* Are drivers laid down by this plan? What is there from before was installed, or waits. */
static bool has_drivers(const struct plan *plan, const struct fact_windows *windows)
{
    CLEANUP_FREE char *folder = mem_printf("%s/" STAGE_FOLDER "/", windows->system_root);

    for (size_t i = 0; i < plan->n; i++)
        if (plan->changes[i].action == CHANGE_WRITE &&
            strncasecmp(plan->changes[i].path, folder, strlen(folder)) == 0 &&
            win_source_is_inf(plan->changes[i].path))
            return true;
    return false;
}

int firstboot_drivers(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    /* how pnputil is called has changed with Windows 10 1607; it stands before and behind the name
     */
    static const char *const later[] = { "/add-driver", "/install" }, *const before[] = { "-i -a",
                                                                                          "" };
    const struct fact_windows *windows = ctx->facts->windows;
    CLEANUP_STRBUF struct strbuf text = { 0 };
    CLEANUP_FREE char *script = NULL;
    const char *const *how;

    (void)err;
    /* before 6.0 there is no pnputil: Windows looks into DevicePath by itself */
    if (!windows_is_at_least(windows, 6, 0) || !has_drivers(plan, windows))
        return 0;
    script = embedded_script(EMBEDDED_DRIVERS);
    how = windows->nt_major >= 10 && windows->build >= 14393 ? later : before;
    strbuf_printf(&text, "@set before=%s\r\n@set behind=%s\r\n%s", how[0], how[1], script);
    win_script_add(plan, ctx->facts,
                   &(struct win_script){ .order = WIN_SCRIPT_DRIVERS,
                                         .name = "drivers",
                                         .kind = WIN_SCRIPT_BATCH,
                                         .text = strbuf_text(&text) },
                   "drivers are installed at the first start");
    return 0;
}

/* ---- questions ---- */

static const char quiet_reason[] = "no wizard asks about the new hardware before the drivers work";

struct quiet_value {
    const char *root; /* as reg.exe has it */
    const char *key, *name;
};

/* Set it to 1 for now; *undo gets what sets it back. */
static void make_quiet(struct plan *plan, const char *hive, const char *set,
                       const struct quiet_value *value, struct strbuf *undo)
{
    CLEANUP_FREE char *key = mem_printf("%s%s%s", set, *set ? "\\" : "", value->key);
    CLEANUP_FREE char *full =
        mem_printf("%s\\%s%s", value->root, *set ? "CurrentControlSet\\" : "", value->key);
    uint32_t old = 0;
    bool was_set = plan_hive_u32(plan, hive, key, value->name, &old);

    if (was_set && old == 1)
        return; /* it is wanted like that, or this is what the plan before this one did */
    plan_hive_set_u32(plan, hive, key, value->name, 1, quiet_reason);
    if (was_set)
        strbuf_printf(undo, "reg add \"%s\" /v %s /t REG_DWORD /d %u /f\n", full, value->name, old);
    else
        strbuf_printf(undo, "reg delete \"%s\" /v %s /f\n", full, value->name);
}

#define SIGNING_KEY "Microsoft\\Driver Signing"

/* What to do with a driver that Microsoft has not signed: it is installed, without a question. */
static void accept_drivers(struct plan *plan, const char *hive, struct strbuf *undo)
{
    static char name[] = "Policy";
    unsigned char accept = 0;
    const struct hive_value wanted = { name, REG_BINARY, &accept, 1 };
    struct hive_value old = { 0 };
    struct err ignored = ERR_NONE; /* what cannot be read stays in the plan */
    int there = plan_hive_get(plan, hive, SIGNING_KEY, name, &old, &ignored);

    if (there > 0 && old.len > 0 && *(const unsigned char *)old.data == accept) {
        hive_value_done(&old);
        return;
    }
    plan_hive_set(plan, hive, SIGNING_KEY, &wanted, quiet_reason);
    if (there > 0 && old.type == REG_BINARY && old.len > 0)
        strbuf_printf(undo,
                      "reg add \"HKLM\\SOFTWARE\\" SIGNING_KEY
                      "\" /v Policy /t REG_BINARY /d %02x /f\n",
                      *(const unsigned char *)old.data);
    else
        strbuf_puts(undo, "reg delete \"HKLM\\SOFTWARE\\" SIGNING_KEY "\" /v Policy /f\n");
    hive_value_done(&old);
}

int firstboot_quiet(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    static const struct quiet_value of_xp = {
        "HKLM\\SOFTWARE", "Policies\\Microsoft\\Windows\\DeviceInstall\\Settings", "SuppressNewHWUI"
    };
    static const struct quiet_value of_2003 = { "HKLM\\SYSTEM", "Services\\PlugPlay\\Parameters",
                                                "SuppressUI" };
    const struct fact_windows *windows = ctx->facts->windows;
    CLEANUP_STRBUF struct strbuf undo = { 0 }, others = { 0 };

    (void)err;
    if (windows_is_at_least(windows, 6, 0) || !has_drivers(plan, windows))
        return 0;
    if (windows->nt_minor < 2)
        make_quiet(plan, windows->software_hive, "", &of_xp, &undo);
    /* to undo the first is enough: they are all the current one when Windows runs */
    for (size_t i = 0; windows->nt_minor >= 2 && i < windows->control_sets.n; i++)
        make_quiet(plan, windows->system_hive, windows->control_sets.items[i], &of_2003,
                   undo.len > 0 ? &others : &undo);
    accept_drivers(plan, windows->software_hive, &undo);
    if (undo.len > 0)
        win_script_add(plan, ctx->facts,
                       &(struct win_script){ .order = WIN_SCRIPT_LAST,
                                             .name = "hardware-wizard",
                                             .kind = WIN_SCRIPT_BATCH,
                                             .text = strbuf_text(&undo) },
                       "the wizard for new hardware asks again afterwards");
    return 0;
}

/* ---- disks ---- */

int firstboot_disks(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    const struct fact_windows *windows = ctx->facts->windows;
    CLEANUP_FREE char *script = NULL;

    (void)err;
    if (!windows->is_server || !windows_is_at_least(windows, 6, 2) || !has_drivers(plan, windows))
        return 0;
    script = embedded_script(EMBEDDED_DISKS);
    win_script_add(plan, ctx->facts,
                   &(struct win_script){ .order = WIN_SCRIPT_DISKS,
                                         .name = "disks",
                                         .kind = WIN_SCRIPT_POWERSHELL,
                                         .text = script },
                   "disks on a new controller are offline by the policy of servers");
    return 0;
}
