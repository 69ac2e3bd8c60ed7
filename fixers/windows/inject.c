/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the user wants Windows to have: keys of its registry, and what is done at the first start.
 */
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/plan_hive.h"
#include "fixers/windows/drivers.h"
#include "fixers/windows/embedded.h"
#include "fixers/windows/firstboot.h"
#include "fixers/windows/inject_registry.h"
#include "fixers/windows/network_text.h"
#include "fixers/windows/target.h"
#include "inspect/windows/facts.h"

/* NT 6.1 brings PowerShell. */
static bool has_powershell(const struct fact_windows *windows)
{
    return windows->nt_major > 6 || (windows->nt_major == 6 && windows->nt_minor >= 1);
}

/* What is asked for is done or refused by name. */
static int refuse_others(const struct injections *inject, struct err *err)
{
    const struct inject_services *services = &inject->services;
    const struct inject_cloud *cloud = &inject->cloud;
    const struct {
        bool given;
        const char *what;
    } others[] = {
        { inject->hostname != NULL, "a host name" },
        { inject->timezone != NULL, "a time zone" },
        { inject->n_files > 0, "files" },
        { services->enable.n + services->disable.n + services->mask.n > 0, "services" },
        { cloud->user_data || cloud->meta_data || cloud->network_config ||
              cloud->datasources.n > 0 || cloud->disable,
          "cloud-init" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (others[i].given)
            return err_status(err, STATUS_USAGE, "%s: that works in Linux guests only",
                              others[i].what);
    return 0;
}

/* ---- scripts ---- */

static bool kind_of(const char *name, enum win_script_kind *ret)
{
    static const struct {
        const char *suffix;
        enum win_script_kind kind;
    } kinds[] = {
        { ".bat", WIN_SCRIPT_BATCH },
        { ".cmd", WIN_SCRIPT_BATCH },
        { ".ps1", WIN_SCRIPT_POWERSHELL },
        { ".vbs", WIN_SCRIPT_VBSCRIPT },
    };
    size_t len = strlen(name);

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (len < 5 || strcasecmp(name + len - 4, kinds[i].suffix) != 0)
            continue;
        *ret = kinds[i].kind;
        return true;
    }
    return false;
}

/* A batch file has the code page of the machine, which is not known, if it does not choose one;
 * before NT 6.1 cmd.exe stops at the end of one in UTF-8. NULL and *err: it cannot be done. */
static char *command_text(const struct fact_windows *windows, const char *command, struct err *err)
{
    bool is_ascii = true;

    for (const char *c = command; *c; c++)
        is_ascii = is_ascii && (unsigned char)*c < 0x80;
    if (!is_ascii && !has_powershell(windows)) {
        (void)err_status(err, STATUS_USAGE, "%s: this Windows takes a command in ASCII only",
                         command);
        return NULL;
    }
    return mem_printf("@echo off\n%s%s\n", is_ascii ? "" : "chcp 65001 >nul\n", command);
}

static int add_script(const struct fix_context *ctx, struct plan *plan,
                      const struct inject_script *given, unsigned number, struct err *err)
{
    struct win_script script = { .order = WIN_SCRIPT_USER + number, .secret = true };
    CLEANUP_FREE char *name = mem_strndup(given->name, strcspn(given->name, "."));
    CLEANUP_FREE char *text = NULL;

    script.name = name;
    if (given->command) {
        text = command_text(ctx->facts->windows, given->command, err);
        if (!text)
            return -err->code;
        script.text = text;
    } else if (!given->script) {
        return err_status(err, STATUS_USAGE, "%s: Windows has no packages to install by name",
                          given->install.items[0]);
    } else if (!kind_of(given->name, &script.kind)) {
        return err_status(err, STATUS_USAGE,
                          "%s: a script for Windows is called .bat, .cmd, .ps1 or .vbs",
                          given->script);
    } else {
        script.data = given->data;
        script.len = given->len;
    }
    if (script.kind == WIN_SCRIPT_POWERSHELL && !has_powershell(ctx->facts->windows))
        return err_status(err, STATUS_USAGE, "%s: this Windows has no PowerShell", given->script);
    win_script_add(plan, ctx->facts, &script, "the user wants it to run at the first start");
    return 0;
}

/* ---- accounts ---- */

static int check_user(const struct fix_context *ctx, const struct inject_user *user,
                      struct err *err)
{
    if (strcmp(user->name, "root") == 0)
        return err_status(err, STATUS_USAGE,
                          "Windows has no root: name the account, as in --password "
                          "Administrator:password:TEXT");
    if (ctx->facts->windows->is_domain_controller)
        return err_status(err, STATUS_USAGE, "%s: a domain controller has no accounts of its own",
                          user->name);
    if (!user->password || user->ssh_keys.n > 0 || user->groups.n > 0 || user->uid || user->home ||
        user->shell)
        return err_status(err, STATUS_USAGE,
                          "%s: in Windows guests an account can be given a password as it is "
                          "typed, nothing else",
                          user->name);
    return 0;
}

static void add_user(const struct fix_context *ctx, struct plan *plan,
                     const struct inject_user *user, unsigned number)
{
    bool modern = has_powershell(ctx->facts->windows);
    CLEANUP_FREE char *body = embedded_script(modern ? EMBEDDED_USER_PS1 : EMBEDDED_USER_VBS);
    CLEANUP_FREE char *name = mem_printf("user-%u", number + 1);
    CLEANUP_STRBUF struct strbuf text = { 0 };
    struct win_script script = { .order = WIN_SCRIPT_SETTINGS + number,
                                 .name = name,
                                 .kind = modern ? WIN_SCRIPT_POWERSHELL : WIN_SCRIPT_VBSCRIPT,
                                 .secret = true };

    strbuf_puts(&text, modern ? "$name = " : "Dim name, password, create\nname = ");
    script_text(script.kind, user->name, &text);
    strbuf_puts(&text, modern ? "\n$password = " : "\npassword = ");
    script_text(script.kind, user->password, &text);
    if (modern)
        strbuf_printf(&text, "\n$create = $%s\n%s", user->create ? "true" : "false", body);
    else
        strbuf_printf(&text, "\ncreate = %s\n%s", user->create ? "True" : "False", body);
    script.text = strbuf_text(&text);
    win_script_add(plan, ctx->facts, &script, "an account gets a password");
    explicit_bzero(text.data, text.len);
}

/* ---- the agent and the tools ---- */

/* Packages of Windows Installer are compound files. */
static bool is_msi(const void *data, size_t len)
{
    static const unsigned char magic[] = { 0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1 };

    return len > sizeof(magic) && memcmp(data, magic, sizeof(magic)) == 0;
}

static bool has_agent(const struct fix_context *ctx, struct plan *plan)
{
    const struct fact_windows *windows = ctx->facts->windows;
    bool found = false;

    for (size_t i = 0; i < windows->control_sets.n && !found; i++) {
        CLEANUP_FREE char *key = windows_service_key(windows->control_sets.items[i], "QEMU-GA");
        CLEANUP_FREE char *program = plan_hive_text(plan, windows->system_hive, key, "ImagePath");

        found = program != NULL;
    }
    return found;
}

/* The package of virtio-win. 1, 0: the guest has the agent, or negative errno and *err. */
static int find_agent(const struct fix_context *ctx, struct plan *plan, const void **ret,
                      size_t *ret_len, struct err *err)
{
    struct win_target target;
    const char *why = "virtio-win has none for its processor";
    int r = 0;

    if (has_agent(ctx, plan))
        return 0;
    if (windows_target(plan, ctx->facts, &target))
        r = drivers_agent(ctx->drivers, target.arch, ret, ret_len, &why, err);
    if (r == 0)
        return err_status(err, STATUS_USAGE,
                          "no guest agent for this Windows: %s; give its package with "
                          "--install-agent (qemu-ga-x86_64.msi, qemu-ga-i386.msi)",
                          why);
    return r;
}

static int add_agent(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    static const char reason[] = "QEMU's guest agent is to be installed";
    const struct inject_agent *agent = &ctx->opts->inject.agent;
    CLEANUP_FREE char *text = NULL;
    const void *data = agent->data;
    size_t len = agent->len;
    struct win_script script = { .order = WIN_SCRIPT_AGENT,
                                 .name = "guest-agent",
                                 .kind = WIN_SCRIPT_BATCH };

    if (agent->from_repository) {
        int r = find_agent(ctx, plan, &data, &len, err);

        if (r <= 0)
            return r;
    } else if (!agent->file) {
        return 0;
    }
    if (!is_msi(data, len))
        return err_status(err, STATUS_USAGE,
                          "%s: that is no package of Windows Installer, a compound file (.msi)",
                          agent->file ? agent->file : "the guest agent of virtio-win");
    text = embedded_script(EMBEDDED_AGENT);
    script.text = text;
    win_script_add(plan, ctx->facts, &script, reason);
    win_firstboot_file(plan, ctx->facts, "guest-agent.msi", data, len, reason);
    return 0;
}

static void add_removal(const struct fix_context *ctx, struct plan *plan)
{
    const struct fact_windows *windows = ctx->facts->windows;
    bool has_pnputil = windows->nt_major >= 10 && windows->build >= 14393; /* that removes */
    CLEANUP_FREE char *body = embedded_script(EMBEDDED_REMOVE_TOOLS);
    CLEANUP_FREE char *text = mem_printf("@set drivers=%s\n%s", has_pnputil ? "1" : "", body);
    struct win_script script = {
        .order = WIN_SCRIPT_TOOLS, .name = "remove-tools", .kind = WIN_SCRIPT_BATCH, .text = text
    };

    win_script_add(plan, ctx->facts, &script, "the old hypervisor's tools are to be removed");
}

/* ---- the fixer ---- */

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    bool any = injections_any(&ctx->opts->inject);

    *ret_why = any ? "the user wants something to be in the guest" : "nothing is asked for";
    return any && ctx->facts->windows;
}

static int plan_inject(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    const struct injections *inject = &ctx->opts->inject;
    int r = refuse_others(inject, err);

    if (r == 0)
        r = inject_registry_plan(ctx, plan, err);
    if (r == 0)
        r = add_agent(ctx, plan, err);
    if (r == 0 && inject->remove_tools)
        add_removal(ctx, plan);
    for (size_t i = 0; r == 0 && i < inject->n_users; i++) {
        r = check_user(ctx, &inject->users[i], err);
        if (r == 0)
            add_user(ctx, plan, &inject->users[i], (unsigned)i);
    }
    for (size_t i = 0; r == 0 && i < inject->n_firstboot; i++)
        r = add_script(ctx, plan, &inject->firstboot[i], (unsigned)i, err);
    return r;
}

const struct fixer fixer_win_inject = {
    .name = "win-inject",
    .summary = "what is asked for: .reg files, scripts at the first start, the agent, passwords",
    .os = OS_WINDOWS,
    .applies = applies,
    .plan = plan_inject,
};
