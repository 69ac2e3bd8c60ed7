/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fixers in the order they run. */
#include "fixers/fixer.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "fixers/linux/linux.h"
#include "fixers/plan_hive.h"
#include "fixers/run.h"
#include "fixers/windows/firstboot.h"
#include "fixers/windows/windows.h"
#include "inspect/windows/facts.h"

/* A fixer reads through the plan, so it sees what those before it will have written. */
const struct fixer *const fixers[] = {
    &fixer_fstab,        /* names of file systems */
    &fixer_crypttab,     /* and of what is encrypted */
    &fixer_storage,      /* names of what file systems lie on */
    &fixer_bootloader,   /* the kernel's command line */
    &fixer_kernels,      /* which one is started */
    &fixer_network,      /* interface names; before initramfs, which takes the naming rules along */
    &fixer_initramfs,    /* drivers */
    &fixer_guest_tools,  /* what only the old hypervisor needs */
    &fixer_target_tools, /* what KVM offers */
    &fixer_inject,       /* what the user wants besides, so that it stays as it is wanted */
    &fixer_selinux,      /* last: it looks at what the others make */

    &fixer_win_storage,   /* drivers of disks */
    &fixer_win_devices,   /* and of all else */
    &fixer_win_registry,  /* single values */
    &fixer_win_tools,     /* what only the old hypervisor needs */
    &fixer_win_boot,      /* what Windows is started by */
    &fixer_win_settings,  /* what is asked for in the registry */
    &fixer_win_inject,    /* what the user wants besides */
    &fixer_win_network,   /* addresses */
    &fixer_win_firstboot, /* last: it runs the scripts of the others */
};
const size_t n_fixers = ARRAY_SIZE(fixers);

const struct fixer *fixer_find(const char *name)
{
    for (size_t i = 0; i < n_fixers; i++)
        if (strcmp(fixers[i]->name, name) == 0)
            return fixers[i];
    return NULL;
}

static bool is_chosen(const struct fix_opts *opts, const char *name)
{
    if (opts->only.n > 0 && !strlist_has(&opts->only, name))
        return false;
    return !strlist_has(&opts->skip, name);
}

static int plan_one(const struct fix_context *ctx, const struct fixer *fixer, struct plan *plan,
                    struct err *err)
{
    const char *why = "";

    if (!(fixer->os & ctx->facts->os))
        return 0;
    if (!is_chosen(ctx->opts, fixer->name)) {
        log_debug("%s: left out by --only or --skip", fixer->name);
        return 0;
    }
    if (!fixer->applies(ctx, &why)) {
        log_debug("%s: not needed: %s", fixer->name, why);
        return 0;
    }
    log_debug("%s: %s", fixer->name, why);
    plan->fixer = fixer->name;
    if (fixer->plan(ctx, plan, err) < 0)
        return err_wrap(err, "%s", fixer->name);
    if (plan->err.code) {
        *err = plan->err;
        return err_wrap(err, "%s", fixer->name);
    }
    return 0;
}

/* What the user asks for is done or refused, never left out in silence. */
static int check_injections(const struct fix_context *ctx, struct err *err)
{
    const struct fixer *fixer = ctx->facts->os & OS_WINDOWS ? &fixer_win_inject : &fixer_inject;

    if (!injections_any(&ctx->opts->inject))
        return 0;
    if (!(ctx->facts->os & fixer->os))
        return err_status(err, STATUS_NO_OS,
                          "nothing can be put into %s: that works in Linux and Windows guests only",
                          ctx->facts->product_name[0] ? ctx->facts->product_name : "this guest");
    if (is_chosen(ctx->opts, fixer->name) && fixer == &fixer_win_inject)
        fixer = &fixer_win_firstboot; /* it runs what the other one adds */
    if (!is_chosen(ctx->opts, fixer->name))
        return err_status(err, STATUS_USAGE,
                          "something is to be put into the guest, but --only or --skip leaves the "
                          "fixer %s out",
                          fixer->name);
    return 0;
}

/* Names of Windows' connections are longer. */
static int check_nics(const struct fix_context *ctx, struct err *err)
{
    for (size_t i = 0; ctx->facts->os & OS_LINUX && i < ctx->opts->n_nics; i++)
        if (strlen(ctx->opts->nics[i].name) > 15)
            return err_status(err, STATUS_USAGE, "--nic %.80s: that is no name of an interface",
                              ctx->opts->nics[i].name);
    return 0;
}

static int check_settings(const struct fix_context *ctx, struct err *err)
{
    const struct injections *inject = &ctx->opts->inject;

    if (!(ctx->facts->os & OS_WINDOWS) && (inject->rdp || inject->never_sleep))
        return err_status(err, STATUS_USAGE, "rdp and never-sleep are for Windows guests only");
    return 0;
}

/* Without a control set all that is written for Windows to start from would be written nowhere. */
static int check_control_sets(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    const struct fact_windows *windows = ctx->facts->windows;

    if (!windows || windows->control_sets.n > 0)
        return 0;
    if (plan_hive_has_key(plan, windows->system_hive, "Select", err) < 0)
        return -err->code;
    return err_status(err, STATUS_FAILED, "%s has no control set that Windows starts with",
                      windows->system_hive);
}

int fixers_plan(const struct fix_context *ctx, const struct guest_root *root, struct plan **ret,
                struct err *err)
{
    struct plan *plan;
    int r;

    if (check_injections(ctx, err) < 0 || check_nics(ctx, err) < 0 || check_settings(ctx, err) < 0)
        return -err->code;
    plan = plan_new(root);
    plan->session = ctx->session;
    plan->stack = ctx->stack;
    r = check_control_sets(ctx, plan, err);
    for (size_t i = 0; r == 0 && i < n_fixers; i++)
        r = plan_one(ctx, fixers[i], plan, err) < 0 ? -err->code : 0;
    if (r < 0) {
        plan_free(plan);
        return r;
    }
    runs_last(plan);
    *ret = plan;
    return 0;
}
