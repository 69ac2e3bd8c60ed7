/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What KVM offers a guest: QEMU's guest agent is started where it is installed, and chronyd does
 * without clocks that only the old hypervisor has (it ends when it cannot open one). Modules,
 * tuned's profile and logins on consoles have files of their own.
 */
#include <ctype.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/linux.h"
#include "inspect/fields.h"
#include "inspect/keyfile.h"

#define UNITS "/etc/systemd/system"
#define AGENT_REASON "QEMU's guest agent is installed and does not start"

/* ---- the guest agent ---- */

static const char *const programs[] = { "/usr/bin/qemu-ga", "/usr/sbin/qemu-ga" };
static const char *const agents[] = { "qemu-guest-agent", "qemu-ga" };
static const char *const unit_folders[] = { UNITS, "/usr/lib/systemd/system",
                                            "/lib/systemd/system" };

/* Each unit that wants the agent gets a link to it, as systemctl enable makes it. */
static void want_unit(struct plan *plan, const char *unit, const char *file, const char *wanted_by)
{
    struct span line = { 0, strlen(wanted_by) }, word;
    size_t pos = 0;

    while (field_next(wanted_by, &line, &pos, &word)) {
        CLEANUP_FREE char *name = span_dup(wanted_by, word);
        CLEANUP_FREE char *wanted = mem_printf(UNITS "/%s.wants/%s", name, unit);
        CLEANUP_FREE char *of_package =
            mem_printf("/usr/lib/systemd/system/%s.wants/%s", name, unit);

        if (!strchr(name, '/') && !plan_exists(plan, wanted) && !plan_exists(plan, of_package))
            plan_link(plan, file, wanted, AGENT_REASON);
    }
}

/* 1: there is such a unit. One without an [Install] section is started by a rule of udev. */
static int start_unit(struct plan *plan, const char *agent, struct err *err)
{
    CLEANUP_FREE char *unit = mem_printf("%s.service", agent);

    for (size_t i = 0; i < ARRAY_SIZE(unit_folders); i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", unit_folders[i], unit);
        CLEANUP_FREE char *target = plan_readlink(plan, path);
        CLEANUP_FREE char *text = NULL;
        CLEANUP_KEYFILE struct keyfile keyfile = { 0 };
        const char *wanted_by;
        int r;

        if (target && strcmp(target, "/dev/null") == 0) {
            plan_note(plan, "%s is masked: QEMU's guest agent does not start", unit);
            return 1;
        }
        if (!plan_exists(plan, path))
            continue;
        r = plan_read_text(plan, path, &text, err);
        if (r <= 0)
            return r < 0 ? r : 1;
        keyfile_parse(text, strlen(text), &keyfile);
        wanted_by = keyfile_get(&keyfile, "Install", "WantedBy");
        if (wanted_by)
            want_unit(plan, unit, path, wanted_by);
        return 1;
    }
    return 0;
}

/* "# chkconfig: 2345 99 01" of a script: levels, and the orders of start and stop. */
static bool find_chkconfig(const char *text, char levels[8], char order[3])
{
    size_t len = strlen(text), pos = 0;
    struct span line, fields[4];

    while (line_next(text, len, &pos, &line)) {
        struct span rest = { line.start + 1, line.len - 1 };

        if (line.len < 2 || text[line.start] != '#' ||
            fields_split(text, &rest, fields, ARRAY_SIZE(fields)) < 3 ||
            !span_is(text, fields[0], "chkconfig:") || fields[1].len >= 8 || fields[2].len != 2 ||
            !isdigit((unsigned char)text[fields[2].start]))
            continue;
        (void)snprintf(levels, 8, "%.*s", (int)fields[1].len, text + fields[1].start);
        (void)snprintf(order, 3, "%.2s", text + fields[2].start);
        return strspn(levels, "0123456") == strlen(levels);
    }
    return false;
}

/* The links of one level: what starts the script is there, what stops it is not. */
static int start_in_level(struct plan *plan, const char *agent, char level, const char *order,
                          struct err *err)
{
    CLEANUP_FREE char *folder = mem_printf("/etc/rc.d/rc%c.d", level);
    CLEANUP_FREE char *target = mem_printf("../init.d/%s", agent);
    CLEANUP_FREE char *start = mem_printf("%s/S%s%s", folder, order, agent);
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = guest_is_dir(plan->root, folder) ? guest_list(plan->root, folder, &names, err) : 0;

    for (size_t i = 0; r >= 0 && i < names.n; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", folder, names.items[i]);

        if (strlen(names.items[i]) < 4 || strcmp(names.items[i] + 3, agent) != 0)
            continue;
        if (names.items[i][0] == 'S')
            return 0;
        plan_remove(plan, path, AGENT_REASON);
    }
    plan_link(plan, target, start, AGENT_REASON);
    return r;
}

/* 1: there is such a script. */
static int start_script(struct plan *plan, const char *agent, struct err *err)
{
    CLEANUP_FREE char *script = mem_printf("/etc/init.d/%s", agent);
    CLEANUP_FREE char *text = NULL;
    char levels[8], order[3];
    int r = plan_read_text(plan, script, &text, err);

    if (r <= 0)
        return r;
    if (guest_is_dir(plan->root, "/etc/runlevels/default")) { /* OpenRC */
        CLEANUP_FREE char *enabled = mem_printf("/etc/runlevels/default/%s", agent);
        CLEANUP_FREE char *target = plan_readlink(plan, enabled);

        if (!target)
            plan_link(plan, script, enabled, AGENT_REASON);
    } else if (find_chkconfig(text, levels, order)) {
        for (const char *level = levels; r >= 0 && *level; level++)
            r = start_in_level(plan, agent, *level, order, err);
    }
    return r < 0 ? r : 1;
}

static int start_agent(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    bool systemd = guest_is_file(plan->root, "/usr/lib/systemd/systemd") ||
                   guest_is_file(plan->root, "/lib/systemd/systemd");
    bool installed = false;
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(agents); i++)
        r = systemd ? start_unit(plan, agents[i], err) : start_script(plan, agents[i], err);
    if (r != 0)
        return r < 0 ? r : 0;
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
        installed |= guest_exists(plan->root, programs[i]);
    if (!installed && ctx->opts->inject.agent_from) /* it will be */
        return 0;
    plan_note(plan, installed ? "QEMU's guest agent is installed, but not what starts it"
                              : "QEMU's guest agent is not installed; install qemu-guest-agent for "
                                "clean shutdowns, snapshots and addresses in the host's tools");
    return 0;
}

/* ---- the clock ---- */

/* chrony.conf(5). A clock that KVM has too is there when its driver is loaded on purpose. */
static bool is_lost_clock(const char *text, const struct span *fields, bool has_ptp_kvm)
{
    static const char any[] = "/dev/ptp";

    if (!span_is(text, fields[0], "refclock") || !span_is(text, fields[1], "PHC") ||
        fields[2].len < sizeof(any) - 1 ||
        strncmp(text + fields[2].start, any, sizeof(any) - 1) != 0)
        return false;
    return !has_ptp_kvm || memchr(text + fields[2].start, '_', fields[2].len);
}

static bool loads_ptp_kvm(const struct plan *plan)
{
    static const char *const files[] = { "/etc/modules", "/etc/modules-load.d/ptp_kvm.conf",
                                         "/usr/lib/modules-load.d/ptp_kvm.conf" };

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        CLEANUP_FREE char *text = NULL;
        struct err ignored = ERR_NONE;
        size_t len = 0;

        if (guest_read(plan->root, files[i], GUEST_TEXT_MAX, &text, &len, &ignored) == 0 &&
            strstr(text, "ptp_kvm"))
            return true;
    }
    return false;
}

static int fix_chrony(struct plan *plan, const char *path, struct err *err)
{
    static const char *const sources[] = { "server",    "pool",    "peer",   "refclock",
                                           "sourcedir", "include", "confdir" };
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    CLEANUP_EDITS struct edits edits = { 0 };
    struct span line, fields[3];
    size_t pos = 0, others = 0;
    bool has_ptp_kvm = loads_ptp_kvm(plan);
    int r = plan_read_text(plan, path, &text, err);

    if (r <= 0)
        return r;
    while (line_next(text, strlen(text), &pos, &line)) {
        size_t n = fields_split(text, &line, fields, ARRAY_SIZE(fields));

        if (n == ARRAY_SIZE(fields) && is_lost_clock(text, fields, has_ptp_kvm)) {
            edits_add(&edits, (struct span){ line.start, 0 }, "# ");
            continue;
        }
        for (size_t i = 0; n > 0 && i < ARRAY_SIZE(sources); i++)
            others += span_is(text, fields[0], sources[i]);
    }
    if (edits.n && others == 0)
        plan_note(plan, "%s has no source of time any more; give it one (or load ptp_kvm)", path);
    fixed = edits_apply(&edits, text, strlen(text), NULL);
    plan_write(plan, path, fixed,
               "this clock is the old hypervisor's; chronyd ends when it cannot open it");
    return 0;
}

static int fix_clock(struct plan *plan, struct err *err)
{
    static const char *const files[] = { "/etc/chrony.conf", "/etc/chrony/chrony.conf" };
    static const char *const folders[] = { "/etc/chrony.d", "/etc/chrony/conf.d" };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(files); i++)
        r = fix_chrony(plan, files[i], err);
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(folders); i++) {
        CLEANUP_STRLIST struct strlist names = { 0 };

        if (guest_is_dir(plan->root, folders[i]))
            r = guest_list(plan->root, folders[i], &names, err);
        for (size_t j = 0; r >= 0 && j < names.n; j++) {
            CLEANUP_FREE char *path = mem_printf("%s/%s", folders[i], names.items[j]);

            r = fix_chrony(plan, path, err);
        }
    }
    return r;
}

/* ---- the fixer ---- */

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    (void)ctx;
    *ret_why = "KVM has an agent and clocks of its own";
    return true;
}

static int plan_target_tools(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    int r = start_agent(ctx, plan, err);

    if (r >= 0)
        r = fix_clock(plan, err);
    if (r >= 0)
        r = allow_virtio_modules(plan, err);
    if (r >= 0)
        r = plan_tuned(plan, err);
    return r < 0 ? r : plan_logins(ctx, plan, err);
}

const struct fixer fixer_target_tools = {
    .name = "target-tools",
    .summary = "start QEMU's guest agent if it is installed; no clocks and consoles of the old "
               "hypervisor",
    .os = OS_LINUX,
    .applies = applies,
    .plan = plan_target_tools,
};
