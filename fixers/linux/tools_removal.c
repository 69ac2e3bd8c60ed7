/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command by which the guest's package manager removes the old hypervisor's tools. What another
 * package needs stays, and that is the package manager's error.
 *
 * --remove-tools-now runs it in a jail. No service is started or stopped by that: nothing runs in
 * the jail, and what starts there ends with it.
 */
#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/guest_tools.h"

#define WORDS_MAX 4

/* Patterns of packages that are of no use elsewhere. */
static const char *const tool_packages[] = {
    "VMwareTools",         "hv-*-daemon-init",    "hyperv-daemons*", "hyperv-tools",
    "hypervfcopyd",        "hypervkvpd",          "hypervvssd",      "kmod-vmware-tools*",
    "nutanix-guest-agent", "open-vm-tools",       "open-vm-tools-*", "virtualbox-guest-*",
    "vmware-tools-*",      "xe-guest-utilities*",
};

/* They remove what they are told, and what needs it, or nothing. */
static const struct remover {
    const char *format; /* facts.package_format */
    const char *program;
    const char *words[WORDS_MAX];
} removers[] = {
    { "apk", "/sbin/apk", { "del", "--no-network" } },
    { "deb", "/usr/bin/dpkg", { "--purge" } },
    { "pacman", "/usr/bin/pacman", { "-R", "--noconfirm" } },
    { "rpm", "/usr/bin/rpm", { "-e" } },
    { "rpm", "/bin/rpm", { "-e" } },
    { "xbps", "/usr/bin/xbps-remove", { "-y" } },
};

static const struct remover *find_remover(const struct fix_context *ctx, const struct plan *plan)
{
    for (size_t i = 0; i < ARRAY_SIZE(removers); i++)
        if (strcmp(removers[i].format, ctx->facts->package_format) == 0 &&
            guest_is_file(plan->root, removers[i].program))
            return &removers[i];
    return NULL;
}

static bool is_tool(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(tool_packages); i++)
        if (fnmatch(tool_packages[i], name, 0) == 0)
            return true;
    return false;
}

/* It becomes a word of a shell's command, too. */
static bool is_plain(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("+-._:", *c))
            return false;
    return true;
}

int guest_tools_removal(const struct fix_context *ctx, const struct plan *plan, struct strlist *ret,
                        struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    const struct remover *remover = find_remover(ctx, plan);

    for (size_t i = 0; i < ctx->facts->n_packages; i++) {
        const char *name = ctx->facts->packages[i].name;

        if (is_tool(name) && is_plain(name) && !strlist_has(&names, name))
            strlist_add(&names, name);
    }
    if (names.n == 0)
        return 0;
    if (!remover)
        return err_status(err, STATUS_REFUSED,
                          "the guest has no package manager that is known to remove %s: leave "
                          "--remove-tools out",
                          names.items[0]);
    strlist_add(ret, remover->program);
    for (size_t i = 0; i < WORDS_MAX && remover->words[i]; i++)
        strlist_add(ret, remover->words[i]);
    for (size_t i = 0; i < names.n; i++)
        strlist_add(ret, names.items[i]);
    return 0;
}

int guest_tools_remove(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    CLEANUP_STRLIST struct strlist argv = { 0 };
    struct run *run;

    if (guest_tools_removal(ctx, plan, &argv, err) < 0)
        return -err->code;
    if (argv.n == 0)
        return 0;
    run = plan_run(plan, argv.items[0], "tools of the old hypervisor are to be removed");
    run->argv = argv;
    argv = (struct strlist){ 0 };
    strlist_add(&run->env, "DEBIAN_FRONTEND=noninteractive");
    return 0;
}
