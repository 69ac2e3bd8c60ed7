/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/firstboot.h"

#include <ctype.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/inject.h"
#include "fixers/linux/services.h"

#define RUNNER FIRSTBOOT "/run"
#define SERVICE "h2k-firstboot"

/* A script is moved before it starts: one that restarts the machine is not run again. */
static const char runner[] =
    "#!/bin/sh\n"
    "# Run each script in " FIRSTBOOT "/scripts once, in order of their names.\n"
    "dir=" FIRSTBOOT "\n"
    "log=" FIRSTBOOT_LOG "\n"
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
    "export PATH\n"
    "umask 077\n"
    "mkdir -p \"$dir/running\" \"$dir/done\" \"$dir/failed\"\n"
    "exec </dev/null >>\"$log\" 2>&1\n"
    "umask 022\n"
    "say() { echo \"$(date '+%Y-%m-%d %H:%M:%S') $*\"; }\n"
    "for script in \"$dir\"/running/*; do\n"
    "    [ -f \"$script\" ] || continue\n"
    "    say \"${script##*/} was interrupted\"\n"
    "    mv \"$script\" \"$dir/failed/\"\n"
    "done\n"
    "for script in \"$dir\"/scripts/*; do\n"
    "    [ -f \"$script\" ] || continue\n"
    "    name=${script##*/}\n"
    "    mv \"$script\" \"$dir/running/$name\" || exit 1\n"
    "    say \"$name starts\"\n"
    "    (cd / && exec \"$dir/running/$name\")\n"
    "    status=$?\n"
    "    say \"$name ended with $status\"\n"
    "    if [ $status = 0 ]; then\n"
    "        mv \"$dir/running/$name\" \"$dir/done/$name\"\n"
    "    else\n"
    "        mv \"$dir/running/$name\" \"$dir/failed/$name\"\n"
    "    fi\n"
    "done\n"
    "exit 0\n";

/* ---- what starts it ---- */

static const char unit_text[] = "[Unit]\n"
                                "Description=Scripts for the first start on a new host\n"
                                "Wants=network-online.target\n"
                                "After=network-online.target\n"
                                "ConditionPathExistsGlob=" FIRSTBOOT "/scripts/*\n"
                                "\n"
                                "[Service]\n"
                                "Type=oneshot\n"
                                "ExecStart=/bin/sh " RUNNER "\n"
                                "TimeoutSec=0\n"
                                "\n"
                                "[Install]\n"
                                "WantedBy=multi-user.target\n";

/* In the background: what comes after it is the login. */
static const char openrc_text[] = "#!%s\n"
                                  "description=\"Scripts for the first start on a new host\"\n"
                                  "\n"
                                  "depend()\n"
                                  "{\n"
                                  "    need localmount\n"
                                  "    use net\n"
                                  "    after *\n"
                                  "}\n"
                                  "\n"
                                  "start()\n"
                                  "{\n"
                                  "    ebegin \"Starting scripts for the first start\"\n"
                                  "    /bin/sh " RUNNER " </dev/null >/dev/null 2>&1 &\n"
                                  "    eend 0\n"
                                  "}\n";

static const char script_text[] =
    "#!/bin/sh\n"
    "### BEGIN INIT INFO\n"
    "# Provides:          " SERVICE "\n"
    "# Required-Start:    $remote_fs $network $syslog\n"
    "# Required-Stop:\n"
    "# Default-Start:     2 3 4 5\n"
    "# Default-Stop:\n"
    "# Short-Description: Scripts for the first start on a new host\n"
    "### END INIT INFO\n"
    "# chkconfig: 2345 99 01\n"
    "# description: Scripts for the first start on a new host\n"
    "[ \"$1\" != start ] || /bin/sh " RUNNER " </dev/null >/dev/null 2>&1 &\n"
    "exit 0\n";

static void write_openrc(struct plan *plan, const char *path, const char *reason)
{
    const char *program =
        plan_exists(plan, "/sbin/openrc-run") || plan_exists(plan, "/usr/bin/openrc-run")
            ? "/sbin/openrc-run"
            : "/sbin/runscript"; /* before 0.13 */
    CLEANUP_STRBUF struct strbuf text = { 0 };

    strbuf_printf(&text, openrc_text, program);
    plan_write_new(plan, path, strbuf_text(&text), 0755, reason);
}

static int install(const struct fix_context *ctx, struct plan *plan, const char *reason,
                   struct err *err)
{
    static const char script_path[] = "/etc/init.d/" SERVICE;
    const char *init = ctx->facts->init_system;

    if (strcmp(init, "systemd") == 0)
        plan_write_new(plan, "/etc/systemd/system/" SERVICE ".service", unit_text, 0644, reason);
    else if (strcmp(init, "openrc") == 0)
        write_openrc(plan, script_path, reason);
    else if (strcmp(init, "sysvinit") == 0 || strcmp(init, "upstart") == 0)
        plan_write_new(plan, script_path, script_text, 0755, reason);
    else
        return err_status(err, STATUS_USAGE,
                          "scripts for the first start need systemd, OpenRC, sysvinit or upstart, "
                          "not %s",
                          init[0] ? init : "an unknown init system");
    inject_parents(plan, RUNNER);
    plan_write_new(plan, RUNNER, runner, 0755, reason);
    return service_change(ctx, plan, SERVICE, SERVICE_ENABLE, reason, err);
}

/* ---- scripts: "0001-NAME" ---- */

/* Is it there with this content? */
static bool is_same(struct plan *plan, const char *path, const struct firstboot_script *script)
{
    struct err ignored = ERR_NONE;
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;

    return plan_read(plan, path, &text, &len, &ignored) == 0 && len == script->len &&
           memcmp(text, script->data, len) == 0;
}

static unsigned number_of(const char *name)
{
    size_t digits = strspn(name, "0123456789");

    return digits == 4 && name[4] == '-' ? (unsigned)strtoul(name, NULL, 10) : 0;
}

/* What is known about scripts of that name. */
struct known {
    unsigned last; /* highest number of all scripts */
    bool same;     /* the same one is there, run or not */
    char *waiting; /* path of another one with that name that has not run; NULL: none */
};

static void look_at(struct plan *plan, const char *folder, const char *file,
                    const struct firstboot_script *script, struct known *known)
{
    CLEANUP_FREE char *path = mem_printf(FIRSTBOOT "/%s/%s", folder, file);
    unsigned number = number_of(file);

    if (number > known->last)
        known->last = number;
    if (number == 0 || strcmp(file + 5, script->name) != 0)
        return;
    if (is_same(plan, path, script))
        known->same = true;
    else if (strcmp(folder, "scripts") == 0 && !known->waiting)
        known->waiting = TAKE(path);
}

static int look_at_all(struct plan *plan, const struct firstboot_script *script,
                       struct known *known, struct err *err)
{
    static const char *const folders[] = { "scripts", "running", "done", "failed" };
    static const char planned[] = FIRSTBOOT "/scripts/";
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(folders); i++) {
        CLEANUP_FREE char *path = mem_printf(FIRSTBOOT "/%s", folders[i]);
        CLEANUP_STRLIST struct strlist names = { 0 };

        if (guest_is_dir(plan->root, path))
            r = guest_list(plan->root, path, &names, err);
        for (size_t n = 0; r >= 0 && n < names.n; n++)
            look_at(plan, folders[i], names.items[n], script, known);
    }
    for (size_t i = 0; r >= 0 && i < plan->n; i++) {
        CLEANUP_FREE char *path = mem_strdup(plan->changes[i].path);

        if (strncmp(path, planned, strlen(planned)) == 0)
            look_at(plan, folders[0], path + strlen(planned), script, known);
    }
    return r;
}

int firstboot_add(const struct fix_context *ctx, struct plan *plan,
                  const struct firstboot_script *script, const char *reason, struct err *err)
{
    const struct guest_attr attr = { .mode = script->mode };
    CLEANUP_FREE char *path = NULL;
    struct known known = { 0 };
    int r = look_at_all(plan, script, &known, err);

    if (r < 0 || known.same) {
        free(known.waiting);
        return r;
    }
    r = install(ctx, plan, reason, err);
    path = known.waiting ? known.waiting
                         : mem_printf(FIRSTBOOT "/scripts/%04u-%s", known.last + 1, script->name);
    if (r < 0)
        return r;
    inject_parents(plan, path);
    plan_write_file(plan, path, script->data, script->len, &attr, reason);
    return 0;
}
