/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/services.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/inject.h"

#define SIMILAR_MAX 5

/* ---- which init system ---- */

static const struct {
    const char *name; /* facts.init_system */
    int (*change)(struct plan *plan, const char *name, enum service_change change,
                  const char *reason, struct err *err);
} inits[] = {
    { "systemd", unit_change },
    { "openrc", openrc_change },
    { "sysvinit", script_change },
    { "upstart", script_change },
};

/* A name without its suffix, at least three letters of which are in @name, or the reverse. */
static bool is_similar(const char *name, const char *wanted)
{
    CLEANUP_FREE char *a = mem_strndup(name, strcspn(name, ".@"));
    CLEANUP_FREE char *b = mem_strndup(wanted, strcspn(wanted, ".@"));
    size_t len = strlen(b) < 4 ? strlen(b) : 4;

    return a[0] && b[0] && (strncmp(a, b, len) == 0 || strstr(a, b) || strstr(b, a));
}

static int no_service(const struct plan *plan, const char *name, struct err *err)
{
    static const char *const folders[] = { "/usr/lib/systemd/system", "/lib/systemd/system",
                                           "/etc/systemd/system", "/etc/init.d", "/etc/init" };
    CLEANUP_STRBUF struct strbuf known = { 0 };
    CLEANUP_STRLIST struct strlist told = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        CLEANUP_STRLIST struct strlist names = { 0 };
        struct err ignored = ERR_NONE;

        if (guest_list(plan->root, folders[i], &names, &ignored) < 0)
            continue;
        for (size_t n = 0; n < names.n && told.n < SIMILAR_MAX; n++) {
            if (!is_similar(names.items[n], name) || strlist_has(&told, names.items[n]))
                continue;
            strbuf_printf(&known, "%s%s", told.n ? ", " : "; similar are ", names.items[n]);
            strlist_add(&told, names.items[n]);
        }
    }
    return err_status(err, STATUS_USAGE, "there is no service %s in the guest%s", name,
                      strbuf_text(&known));
}

int service_change(const struct fix_context *ctx, struct plan *plan, const char *name,
                   enum service_change change, const char *reason, struct err *err)
{
    const char *init = ctx->facts->init_system;

    for (size_t i = 0; i < ARRAY_SIZE(inits); i++) {
        int r;

        if (strcmp(inits[i].name, init) != 0)
            continue;
        r = inits[i].change(plan, name, change, reason, err);
        if (r == 0)
            return no_service(plan, name, err);
        return r < 0 ? r : 0;
    }
    return err_status(err, STATUS_USAGE,
                      "%s: services of %s cannot be changed; systemd, OpenRC, sysvinit and upstart "
                      "are known",
                      name, init[0] ? init : "an unknown init system");
}

/* ---- OpenRC: links in /etc/runlevels ---- */

int openrc_change(struct plan *plan, const char *name, enum service_change change,
                  const char *reason, struct err *err)
{
    static const char levels[] = "/etc/runlevels";
    CLEANUP_FREE char *service = mem_strndup(name, strcspn(name, "."));
    CLEANUP_FREE char *script = mem_printf("/etc/init.d/%s", service);
    CLEANUP_FREE char *link = mem_printf("%s/default/%s", levels, service);
    CLEANUP_STRLIST struct strlist names = { 0 };
    bool is_on = false;
    int r = guest_is_dir(plan->root, levels) ? guest_list(plan->root, levels, &names, err) : 0;

    if (r < 0 || !plan_exists(plan, script))
        return r;
    if (change == SERVICE_MASK)
        return err_status(err, STATUS_USAGE, "%s: OpenRC has no masks; disable it", name);
    for (size_t i = 0; i < names.n; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s/%s", levels, names.items[i], service);
        CLEANUP_FREE char *target = plan_readlink(plan, path);

        is_on |= target != NULL;
        if (target && change == SERVICE_DISABLE)
            plan_remove(plan, path, reason);
    }
    if (!is_on && change == SERVICE_ENABLE)
        plan_link(plan, script, link, reason);
    return 1;
}

/* ---- what the user asks for ---- */

int inject_services(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    const struct inject_services *services = &ctx->opts->inject.services;
    const struct {
        const struct strlist *names;
        enum service_change change;
        const char *reason;
    } parts[] = {
        { &services->enable, SERVICE_ENABLE, "the user wants this service to start" },
        { &services->disable, SERVICE_DISABLE, "the user does not want this service to start" },
        { &services->mask, SERVICE_MASK, "the user wants this service never to start" },
    };
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        for (size_t n = 0; r >= 0 && n < parts[i].names->n; n++)
            r = service_change(ctx, plan, parts[i].names->items[n], parts[i].change,
                               parts[i].reason, err);
    return r;
}
