/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/firstboot.h"

#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/plan_hive.h"
#include "fixers/windows/embedded.h"
#include "fixers/windows/firstboot_system.h"
#include "inspect/windows/facts.h"

#define COMMAND "%SystemRoot%\\system32\\cmd.exe"
#define RUNNER "%SystemRoot%\\h2k\\firstboot\\run.cmd"

/* Only administrators and the system get into the folder: scripts run with all rights, and some
 * hold secrets. The diffs of those are not shown, because of their mode. */
static const struct guest_attr private_folder = { .mode = 0700 };
static const struct guest_attr private_file = { .mode = 0600 };
static const struct guest_attr plain_file = { .mode = 0644 };

/* ---- scripts ---- */

static char *guest_path(const struct facts *facts, const char *below)
{
    return mem_printf("%s/" WIN_FIRSTBOOT "%s%s", facts->windows->system_root, *below ? "/" : "",
                      below);
}

static void add_folder(struct plan *plan, const struct facts *facts, const char *below)
{
    CLEANUP_FREE char *path = guest_path(facts, below);

    if (!plan_exists(plan, path))
        plan_mkdir_as(plan, path, &private_folder, WIN_FIRSTBOOT_REASON);
}

void win_firstboot_file(struct plan *plan, const struct facts *facts, const char *name,
                        const void *data, size_t len, const char *reason)
{
    CLEANUP_FREE char *path = guest_path(facts, name);

    add_folder(plan, facts, "");
    plan_write_file(plan, path, data, len, &plain_file, reason);
}

char *win_firstboot_path(const char *name)
{
    char *path = mem_printf("%%SystemRoot%%/" WIN_FIRSTBOOT "/%s", name);

    for (char *c = path; *c; c++)
        if (*c == '/')
            *c = '\\';
    return path;
}

/* Lines end with "\r\n", once. */
static char *windows_lines(const char *text)
{
    struct strbuf lines = { 0 };

    for (const char *at = text; *at; at++) {
        if (*at == '\n' && (at == text || at[-1] != '\r'))
            strbuf_putc(&lines, '\r');
        strbuf_putc(&lines, *at);
    }
    return strbuf_take(&lines);
}

void win_script_add(struct plan *plan, const struct facts *facts, const struct win_script *script,
                    const char *reason)
{
    static const char *const suffixes[] = {
        [WIN_SCRIPT_BATCH] = "bat",
        [WIN_SCRIPT_POWERSHELL] = "ps1",
        [WIN_SCRIPT_VBSCRIPT] = "vbs",
    };
    CLEANUP_FREE char *file =
        mem_printf("scripts/%04u-%s.%s", script->order, script->name, suffixes[script->kind]);
    CLEANUP_FREE char *path = guest_path(facts, file);
    CLEANUP_FREE char *lines = script->text ? windows_lines(script->text) : NULL;

    add_folder(plan, facts, "");
    add_folder(plan, facts, "scripts");
    plan_write_file(plan, path, lines ? lines : script->data, lines ? strlen(lines) : script->len,
                    script->secret ? &private_file : &plain_file, reason);
}

int win_scripts_waiting(struct plan *plan, const struct facts *facts, struct err *err)
{
    CLEANUP_FREE char *folder = guest_path(facts, "scripts");
    CLEANUP_STRLIST struct strlist names = { 0 };
    size_t len = strlen(folder);
    int r = 0;

    for (size_t i = 0; i < plan->n; i++) {
        const struct change *change = &plan->changes[i];

        if (change->action == CHANGE_WRITE && strncasecmp(change->path, folder, len) == 0 &&
            change->path[len] == '/')
            return 1;
    }
    if (guest_is_dir(plan->root, folder))
        r = guest_list(plan->root, folder, &names, err);
    return r < 0 ? r : names.n > 0;
}

/* ---- what runs them ---- */

static const struct embedded *service_program(const struct facts *facts)
{
    static const struct {
        const char *arch; /* facts.arch */
        const char *name;
    } programs[] = { { "x86_64", "amd64" }, { "i386", "x86" } };

    for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
        if (strcmp(programs[i].arch, facts->arch) == 0)
            return embedded_service(programs[i].name);
    return NULL;
}

/* Which program the service is; *ret NULL: cmd.exe. */
static int choose_program(const struct fix_context *ctx, struct plan *plan,
                          const struct embedded **ret, struct err *err)
{
    enum firstboot_service wanted = ctx->opts->firstboot_service;

    *ret = wanted == FIRSTBOOT_SERVICE_REGISTRY ? NULL : service_program(ctx->facts);
    if (*ret || wanted == FIRSTBOOT_SERVICE_REGISTRY)
        return 0;
    if (wanted == FIRSTBOOT_SERVICE_WRAPPER)
        return err_status(err, STATUS_HOST,
                          "this h2k has no service program for %s: it was built without a "
                          "mingw-w64 compiler for that",
                          ctx->facts->arch);
    plan_note(plan,
              "there is no service program for %s: cmd.exe starts the scripts of the first "
              "start, and Windows logs that the service did not answer",
              ctx->facts->arch);
    return 0;
}

static void add_service(const struct facts *facts, struct plan *plan, const char *set,
                        bool has_program)
{
    static const char reason[] = WIN_FIRSTBOOT_REASON;
    static const char *const after[] = { "PlugPlay", "RpcSs" };
    static const struct {
        const char *name;
        uint32_t number;
    } numbers[] = {
        { "Type", 0x10 },     /* a program of its own */
        { "Start", 2 },       /* with the system */
        { "ErrorControl", 0 } /* its failure is no failure of the system's start */
    };
    const char *hive = facts->windows->system_hive;
    CLEANUP_FREE char *key = mem_printf("%s\\Services\\" WIN_FIRSTBOOT_SERVICE, set);
    CLEANUP_FREE char *parameters = mem_printf("%s\\Parameters", key);
    CLEANUP_STRLIST struct strlist needs = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        plan_hive_set_u32(plan, hive, key, numbers[i].name, numbers[i].number, reason);
    for (size_t i = 0; i < ARRAY_SIZE(after); i++)
        strlist_add(&needs, after[i]);
    plan_hive_set_list(plan, hive, key, "DependOnService", &needs, reason);
    plan_hive_set_text(plan, hive, key, "DisplayName", "h2k first start", reason);
    plan_hive_set_text(plan, hive, key, "ObjectName", "LocalSystem", reason);
    if (!has_program) {
        /* what is started like this outlives cmd.exe, which is ended after 30 seconds because it
         * does not answer as a service does */
        plan_hive_set_expand(plan, hive, key, "ImagePath",
                             COMMAND " /c start \"\" /b " COMMAND " /c " RUNNER " log", reason);
        return;
    }
    plan_hive_set_expand(plan, hive, key, "ImagePath", "%SystemRoot%\\h2k\\firstboot\\h2ksvc.exe",
                         reason);
    plan_hive_set_expand(plan, hive, parameters, "CommandLine", COMMAND " /c " RUNNER, reason);
    plan_hive_set_expand(plan, hive, parameters, "Log", "%SystemRoot%\\h2k\\firstboot.log", reason);
}

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    *ret_why = "scripts may have to be run at the first start";
    return ctx->facts->windows != NULL;
}

static int plan_firstboot(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    static int (*const parts[])(const struct fix_context *ctx, struct plan *plan,
                                struct err *err) = { firstboot_drivers, firstboot_disks,
                                                     firstboot_quiet };
    const struct fact_windows *windows = ctx->facts->windows;
    const struct embedded *program = NULL;
    CLEANUP_FREE char *runner = NULL;
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(parts); i++)
        r = parts[i](ctx, plan, err);
    if (r >= 0)
        r = win_scripts_waiting(plan, ctx->facts, err);
    if (r > 0)
        r = choose_program(ctx, plan, &program, err) < 0 ? -err->code : 1;
    if (r <= 0)
        return r;
    runner = embedded_script(EMBEDDED_RUN);
    win_firstboot_file(plan, ctx->facts, "run.cmd", runner, strlen(runner), WIN_FIRSTBOOT_REASON);
    if (program)
        win_firstboot_file(plan, ctx->facts, "h2ksvc.exe", program->data,
                           (size_t)(program->end - program->data), WIN_FIRSTBOOT_REASON);
    for (size_t i = 0; i < windows->control_sets.n; i++)
        add_service(ctx->facts, plan, windows->control_sets.items[i], program != NULL);
    return 0;
}

const struct fixer fixer_win_firstboot = {
    .name = "win-firstboot",
    .summary = "a service that runs scripts once, at the first start",
    .os = OS_WINDOWS,
    .applies = applies,
    .plan = plan_firstboot,
};
