/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings of Windows that are changed on request: Remote Desktop in the registry, the power plan
 * by Windows itself at its first start. */
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/plan_hive.h"
#include "fixers/windows/firstboot.h"
#include "fixers/windows/windows.h"
#include "inspect/windows/facts.h"

#define START_BY_ITSELF 2
#define START_ON_DEMAND 3
#define START_DISABLED 4

/* ---- Remote Desktop ---- */

#define RDP_REASON "Remote Desktop is asked for"

/* Rules of the firewall, from Windows Vista on: text with "|Active=FALSE|" in it. The first one is
 * Windows 7's, the others came later. */
static const char *const firewall_rules[] = {
    "RemoteDesktop-In-TCP",
    "RemoteDesktop-UserMode-In-TCP",
    "RemoteDesktop-UserMode-In-UDP",
};

static void activate_rule(struct plan *plan, const char *hive, const char *key, const char *name)
{
    static const char off[] = "|Active=FALSE|";
    CLEANUP_FREE char *rule = plan_hive_text(plan, hive, key, name);
    const char *at = rule ? strcasestr(rule, off) : NULL;
    CLEANUP_FREE char *active =
        at ? mem_printf("%.*s|Active=TRUE|%s", (int)(at - rule), rule, at + strlen(off)) : NULL;

    if (active)
        plan_hive_set_text(plan, hive, key, name, active, RDP_REASON);
}

static void open_firewall(const struct fact_windows *windows, struct plan *plan, const char *set)
{
    static const char *const profiles[] = { "DomainProfile", "StandardProfile" };
    CLEANUP_FREE char *policy =
        mem_printf("%s\\Services\\SharedAccess\\Parameters\\FirewallPolicy", set);

    for (size_t i = 0; windows->nt_major >= 6 && i < ARRAY_SIZE(firewall_rules); i++) {
        CLEANUP_FREE char *key = mem_printf("%s\\FirewallRules", policy);

        activate_rule(plan, windows->system_hive, key, firewall_rules[i]);
    }
    for (size_t i = 0; windows->nt_major < 6 && i < ARRAY_SIZE(profiles); i++) {
        CLEANUP_FREE char *key = mem_printf("%s\\%s\\GloballyOpenPorts\\List", policy, profiles[i]);

        plan_hive_set_text(plan, windows->system_hive, key, "3389:TCP",
                           "3389:TCP:*:Enabled:@xpsp2res.dll,-22009", RDP_REASON);
    }
}

static void enable_rdp(const struct fact_windows *windows, struct plan *plan, const char *set)
{
    CLEANUP_FREE char *server = mem_printf("%s\\Control\\Terminal Server", set);
    CLEANUP_FREE char *service = mem_printf("%s\\Services\\TermService", set);
    uint32_t start = START_ON_DEMAND;

    plan_hive_set_u32(plan, windows->system_hive, server, "fDenyTSConnections", 0, RDP_REASON);
    if (plan_hive_u32(plan, windows->system_hive, service, "Start", &start) &&
        start == START_DISABLED)
        plan_hive_set_u32(plan, windows->system_hive, service, "Start",
                          windows->nt_major < 6 ? START_BY_ITSELF : START_ON_DEMAND, RDP_REASON);
    open_firewall(windows, plan, set);
}

static void plan_rdp(const struct fix_context *ctx, struct plan *plan)
{
    static const char policy[] = "Policies\\Microsoft\\Windows NT\\Terminal Services";
    const struct fact_windows *windows = ctx->facts->windows;
    uint32_t denied = 0;

    for (size_t i = 0; i < windows->control_sets.n; i++)
        enable_rdp(windows, plan, windows->control_sets.items[i]);
    if (windows->software_hive[0] &&
        plan_hive_u32(plan, windows->software_hive, policy, "fDenyTSConnections", &denied) &&
        denied)
        plan_note(plan,
                  "a policy of the guest forbids Remote Desktop: it stays off until that is "
                  "changed (%s)",
                  policy);
    if (strncasecmp(windows->edition, "Core", 4) == 0 ||
        strncasecmp(windows->edition, "Home", 4) == 0)
        plan_note(plan, "this edition of Windows has no Remote Desktop to offer");
}

/* ---- power ---- */

/* A machine that cannot hibernate says that it failed. */
static void plan_power(const struct fix_context *ctx, struct plan *plan)
{
    static const char vista[] = "powercfg -setactive SCHEME_MIN\n"
                                "powercfg -change -standby-timeout-ac 0\n"
                                "powercfg -change -hibernate-timeout-ac 0\n"
                                "powercfg -change -monitor-timeout-ac 0\n"
                                "powercfg -hibernate off\n"
                                "exit 0\n";
    static const char xp[] = "powercfg /hibernate off\nexit 0\n";
    const struct win_script script = {
        .order = WIN_SCRIPT_SETTINGS,
        .name = "power",
        .kind = WIN_SCRIPT_BATCH,
        .text = ctx->facts->windows->nt_major < 6 ? xp : vista,
    };

    win_script_add(plan, ctx->facts, &script, "the guest is to stay awake, and to be fast");
}

/* ---- the fixer ---- */

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    bool any = ctx->opts->inject.rdp || ctx->opts->inject.never_sleep;

    *ret_why = any ? "settings are to be changed" : "nothing is asked for";
    return any && ctx->facts->windows;
}

static int plan_settings(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    (void)err;
    if (ctx->opts->inject.rdp)
        plan_rdp(ctx, plan);
    if (ctx->opts->inject.never_sleep)
        plan_power(ctx, plan);
    return 0;
}

const struct fixer fixer_win_settings = {
    .name = "win-settings",
    .summary = "what is asked for: Remote Desktop, no sleep",
    .os = OS_WINDOWS,
    .applies = applies,
    .plan = plan_settings,
};
