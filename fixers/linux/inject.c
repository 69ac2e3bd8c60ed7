/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the user wants to be in the guest. Nothing of the guest is run for it. */
#include "fixers/linux/inject.h"

#include "engine/base/cleanup.h"
#include "fixers/linux/linux.h"

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    bool any = injections_any(&ctx->opts->inject);

    *ret_why = any ? "the user wants something to be in the guest" : "nothing is asked for";
    return any;
}

static int plan_inject(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    static int (*const parts[])(const struct fix_context *ctx, struct plan *plan,
                                struct err *err) = {
        inject_hostname, inject_timezone,     inject_network, inject_users,
        inject_files,    inject_services, /* a unit may be among the files */
        inject_cloud,    inject_remove_tools, inject_agent,   inject_firstboot,
    };
    int r = 0;

    if (ctx->opts->inject.n_registry > 0)
        return err_status(err, STATUS_USAGE, "%s: that works in Windows guests only",
                          ctx->opts->inject.registry[0].path);
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(parts); i++)
        r = parts[i](ctx, plan, err);
    return r < 0 ? r : 0;
}

const struct fixer fixer_inject = {
    .name = "inject",
    .summary = "put what is asked for into the guest: files, names, users, services, scripts",
    .os = OS_LINUX,
    .applies = applies,
    .plan = plan_inject,
};
