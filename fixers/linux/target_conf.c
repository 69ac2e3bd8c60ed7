/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configuration that keeps a guest from using what KVM gives it: modules of virtio that
 * modprobe.d(5) forbids (udev loads them by itself otherwise), and a profile of tuned for the old
 * hypervisor.
 */
#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/linux.h"
#include "inspect/fields.h"

#define PROFILE "virtual-guest"

/* ---- modprobe.d ---- */

/* What drives the machine's devices; others (virtio_gpu) may be unwanted for good reasons. */
static const char *const modules[] = {
    "virtio",     "virtio_balloon", "virtio_blk", "virtio_console", "virtio_net",
    "virtio_pci", "virtio_ring",    "virtio_rng", "virtio_scsi",
};

/* '-' and '_' are the same in names of modules. */
static bool is_module(const char *text, struct span word)
{
    CLEANUP_FREE char *name = span_dup(text, word);

    for (char *c = name; *c; c++)
        if (*c == '-')
            *c = '_';
    for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
        if (strcmp(name, modules[i]) == 0)
            return true;
    return false;
}

/* "blacklist virtio_rng", "install virtio_rng /bin/false" */
static bool forbids(const char *text, const struct span *line)
{
    static const char *const nothing[] = { "/bin/false", "/bin/true", "/usr/bin/false",
                                           "/usr/bin/true", "/sbin/nologin" };
    struct span fields[3];
    size_t n = fields_split(text, line, fields, ARRAY_SIZE(fields));

    if (n < 2 || !is_module(text, fields[1]))
        return false;
    if (span_is(text, fields[0], "blacklist"))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(nothing) && n > 2; i++)
        if (span_is(text, fields[0], "install") && span_is(text, fields[2], nothing[i]))
            return true;
    return false;
}

int allow_virtio_modules(struct plan *plan, struct err *err)
{
    CLEANUP_STRLIST struct strlist files = { 0 };
    int r = guest_files(plan->root, "/etc/modprobe.d", "*", FNM_PERIOD, &files, err);

    strlist_add(&files, "/etc/modprobe.conf");
    for (size_t i = 0; r >= 0 && i < files.n; i++)
        r = comment_lines(plan, files.items[i], forbids, "KVM's devices need the drivers of virtio",
                          err);
    return r;
}

/* ---- tuned ---- */

int plan_tuned(struct plan *plan, struct err *err)
{
    static const struct {
        const char *active, *profiles;
    } places[] = {
        { "/etc/tuned/active_profile", "/usr/lib/tuned" },
        { "/etc/tuned/active_profile", "/usr/lib/tuned/profiles" },
        { "/etc/tune-profiles/active-profile", "/etc/tune-profiles" }, /* EL 6 */
    };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(places); i++) {
        CLEANUP_FREE char *profile = mem_printf("%s/" PROFILE, places[i].profiles);
        CLEANUP_FREE char *text = NULL;

        if (!guest_is_dir(plan->root, profile))
            continue;
        r = plan_read_text(plan, places[i].active, &text, err);
        /* any other one was chosen, or is right as it is */
        if (r > 0 && (strcasestr(text, "vmware") || strcasestr(text, "esx")))
            plan_write(plan, places[i].active, PROFILE "\n",
                       "tuned's profile is for the old hypervisor");
    }
    return r < 0 ? r : 0;
}
