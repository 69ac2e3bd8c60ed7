/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounting all of a system's file systems, and collecting its facts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "inspect/candidates.h"
#include "inspect/fields.h"
#include "inspect/inspect.h"
#include "inspect/ostree.h"
#include "inspect/unlisted.h"

#define MAX_DEPTH 32 /* of mount points; deeper ones are left out */

static int mount_root(struct stack *stack, struct system *system, const struct inspect_opts *opts,
                      struct err *err)
{
    struct mount_opts how = {
        .read_only = opts->read_only,
        .subvol = system->subvol                                 ? system->subvol
                  : strcmp(system->volume->fstype, "btrfs") == 0 ? "/"
                                                                 : NULL,
    };
    int r;

    if (system->tree)
        return 0;
    r = mtree_new(stack, &system->tree, err);
    if (r < 0)
        return r;
    r = mtree_mount(system->tree, system->volume, "/", &how, err);
    if (r == 0 && candidate_ignores_case(system->volume))
        guest_root_ignore_case(mtree_root(system->tree));
    return r;
}

/* A driver may have mounted it read-only though it is to be changed. */
static int check_root(const struct system *system, const struct inspect_opts *opts, struct err *err)
{
    const char *why = mtree_why_read_only(system->tree, "/");
    const struct volume *volume = system->volume;

    if (opts->read_only || !why)
        return 0;
    return err_status(err, volume->read_only[0] ? volume->read_only_status : STATUS_REFUSED,
                      "%s cannot be changed: %s", system->facts->root, why);
}

/* ---- the rest of the mounts ---- */

/* What boot loaders, kernels and their modules may lie on: it is there before anything is edited,
 * even when the guest mounts it on request only. */
static bool is_for_boot(const struct fact_mount *mount)
{
    static const char *const targets[] = { "/boot", "/boot/efi", "/efi", "/usr" };

    for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
        if (strcmp(mount->target, targets[i]) == 0)
            return true;
    return false;
}

static bool is_bind(const struct fact_mount *mount)
{
    return mount->source[0] == '/' &&
           (list_has(mount->options, "bind") || list_has(mount->options, "rbind"));
}

static bool is_wanted(const struct fact_mount *mount)
{
    if ((!is_bind(mount) && !facts_names_device(mount->source)) || mount->target[0] != '/' ||
        strcmp(mount->target, "/") == 0)
        return false;
    return mount->at_boot || (is_for_boot(mount) && mount->problem[0] == '\0');
}

static bool is_mounted(const struct facts *facts, const char *target)
{
    for (size_t i = 0; i < facts->n_mounts; i++)
        if (facts->mounts[i].mounted && strcmp(facts->mounts[i].target, target) == 0)
            return true;
    return false;
}

/* Is there something to mount? */
static int find_volume(struct stack *stack, const struct fact_mount *mount, struct volume **ret,
                       struct err *err)
{
    struct volume *volume;

    if (!mount->device)
        return err_status(err, STATUS_REFUSED,
                          "it is on none of the given disks, or it is not clear on which: name "
                          "all disks of the guest (-a)");
    volume = stack_find(stack, mount->device->name);
    if (volume->inactive)
        return err_status(err, volume->problem_status, "%s: %s", volume->name, volume->problem);
    if (volume->fstype[0] == '\0')
        return err_status(err, STATUS_FAILED, "there is no file system on %s", volume->name);
    *ret = volume;
    return mount_check(volume->fstype, true, err);
}

/* The subvolume that the options name. */
static void set_subvol(const struct fact_mount *mount, struct mount_opts *how, char **ret_subvol)
{
    CLEANUP_FREE char *id = list_value(mount->options, "subvolid");

    *ret_subvol = list_value(mount->options, "subvol");
    how->subvol = *ret_subvol;
    if (!*ret_subvol && id)
        (void)io_parse_u64(id, UINT64_MAX, &how->subvolid);
}

/* A mount that failed is a problem unless the guest would do without it. What is only looked at may
 * be incomplete; where something is to be changed, what the boot needs may not, nor may what is
 * there but does not work. */
static int not_mounted(struct fact_mount *mount, bool read_only, bool is_there,
                       const struct err *why, struct err *err)
{
    bool needed = !list_has(mount->options, "nofail");
    char text[2 * ERR_TEXT];

    if (why->code == EINTR ||
        (!read_only && needed && (is_there || (is_for_boot(mount) && mount->at_boot)))) {
        *err = *why;
        return err_wrap(err, "mount %s of the guest (%s)", mount->target, mount->source);
    }
    (void)err_text(why, text, sizeof(text));
    log_debug("%s is left out: %s", mount->target, text);
    if (needed && mount->at_boot)
        facts_set(&mount->problem, text);
    return 0;
}

/* A folder of the guest that is seen at another place, too. */
static int bind_one(struct system *system, struct fact_mount *mount,
                    const struct inspect_opts *opts, struct err *err)
{
    struct err one = ERR_NONE;

    if (guest_is_file(mtree_root(system->tree), mount->source))
        return 0; /* it is looked at where it is */
    if (mtree_bind(system->tree, mount->source, mount->target, list_has(mount->options, "rbind"),
                   &one) < 0)
        return not_mounted(mount, opts->read_only, false, &one, err);
    mount->mounted = true;
    return 0;
}

/* It is there, but nothing can be changed on it. */
static void set_read_only(struct fact_mount *mount, const struct mtree *tree)
{
    const char *why = mtree_why_read_only(tree, mount->target);
    CLEANUP_FREE char *text = why ? mem_printf("it is mounted read-only: %s", why) : NULL;

    if (text)
        facts_set(&mount->problem, text);
}

static int mount_one(struct stack *stack, struct system *system, struct fact_mount *mount,
                     const struct inspect_opts *opts, struct err *err)
{
    struct mount_opts how = { .read_only = opts->read_only };
    CLEANUP_FREE char *subvol = NULL;
    struct volume *volume = NULL;
    struct err one = ERR_NONE;
    int r = find_volume(stack, mount, &volume, &one);

    if (r < 0)
        return not_mounted(mount, opts->read_only, false, &one, err);
    set_subvol(mount, &how, &subvol);
    r = mtree_mount(system->tree, volume, mount->target, &how, &one);
    if (r < 0)
        return not_mounted(mount, opts->read_only, true, &one, err);
    mount->mounted = true;
    mount->dirty = mtree_was_dirty(system->tree, mount->target);
    set_read_only(mount, system->tree);
    return 0;
}

static size_t depth(const char *target)
{
    size_t n = 0;

    for (const char *c = target; *c; c++)
        n += *c == '/';
    return n;
}

static bool is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Is the folder that is to be bound still without what is mounted there? */
static bool is_early(const struct facts *facts, const struct fact_mount *bind)
{
    for (size_t i = 0; i < facts->n_mounts; i++) {
        const struct fact_mount *mount = &facts->mounts[i];

        if (mount != bind && is_wanted(mount) && !mount->mounted && mount->problem[0] == '\0' &&
            is_below(bind->source, mount->target))
            return true;
    }
    return false;
}

/* Mount those whose targets are so deep; @all: binds that come early, too. */
static int mount_level(struct stack *stack, struct system *system, size_t level, bool all,
                       const struct inspect_opts *opts, struct err *err)
{
    struct facts *facts = system->facts;

    for (size_t i = 0; i < facts->n_mounts; i++) {
        struct fact_mount *mount = &facts->mounts[i];
        int r;

        if (depth(mount->target) != level || !is_wanted(mount) || is_mounted(facts, mount->target))
            continue;
        if (mount->problem[0] != '\0' || (is_bind(mount) && !all && is_early(facts, mount)))
            continue;
        r = is_bind(mount) ? bind_one(system, mount, opts, err)
                           : mount_one(stack, system, mount, opts, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Parents before what lies below them, whatever order the lines have; in a second round what had
 * to wait for something deeper. */
static int mount_rest(struct stack *stack, struct system *system, const struct inspect_opts *opts,
                      struct err *err)
{
    struct facts *facts = system->facts;
    size_t deepest = 0;

    for (size_t i = 0; i < facts->n_mounts; i++)
        if (depth(facts->mounts[i].target) > deepest)
            deepest = depth(facts->mounts[i].target);
    for (int round = 0; round < 2; round++) {
        for (size_t level = 1; level <= deepest && level <= MAX_DEPTH; level++) {
            int r = mount_level(stack, system, level, round > 0, opts, err);

            if (r < 0)
                return r;
        }
    }
    return 0;
}

/* ---- a root in a folder ---- */

/* Of an ostree system: which of its deployments is the root is known only now that all boot loaders
 * were looked at. */
static int enter_deployment(struct system *system, struct err *err)
{
    const struct guest_root *root = mtree_root(system->tree);
    CLEANUP_OSTREE struct ostree ostree = { 0 };

    if (!system->is_ostree || system->facts->deployment[0] != '\0')
        return 0;
    ostree_boot_args(root, "/boot", &system->ostree_args); /* no boot file system of its own */
    ostree_find(root, &system->ostree_args, &ostree);
    if (!ostree.path)
        return err_set(err, ENOENT, "no deployment is on %s any more", system->facts->root);
    facts_set(&system->facts->deployment, ostree.path);
    facts_set(&system->facts->kernels_at, ostree.kernels);
    return mtree_enter(system->tree, ostree.path, ostree.var, err);
}

/* ostree shows the whole file system's /boot there when that is where the loader's entries lie. */
static int bind_boot(struct system *system, struct err *err)
{
    if (!system->is_ostree || facts_mount(system->facts, "/boot") ||
        !guest_is_dir(mtree_root(system->tree), "/sysroot/boot/loader"))
        return 0;
    return mtree_bind(system->tree, "/sysroot/boot", "/boot", false, err);
}

/* The first line for "/" is the root that is mounted, whatever source it names. */
static void mark_root(struct system *system)
{
    struct facts *facts = system->facts;

    for (size_t i = 0; i < facts->n_mounts; i++) {
        struct fact_mount *mount = &facts->mounts[i];

        if (strcmp(mount->target, "/") != 0)
            continue;
        if (!mount->device)
            mount->device = facts_root_device(facts);
        mount->mounted = true;
        mount->dirty = mtree_was_dirty(system->tree, "/");
        return;
    }
}

/* What the guest's files say, and what it starts from without a word in any. */
static int mount_all(struct stack *stack, struct system *system, const struct inspect_opts *opts,
                     struct err *err)
{
    int r = bind_boot(system, err);

    if (r == 0)
        r = mount_rest(stack, system, opts, err);
    return r == 0 ? mount_unlisted(stack, system, opts, err) : r;
}

int inspect_open(struct stack *stack, struct system *system, const struct inspect_opts *opts,
                 struct err *err)
{
    int r;

    if (system->probe->os == OS_OTHER)
        return 0; /* nothing of it is mounted */
    r = mount_root(stack, system, opts, err);
    if (r == 0)
        r = check_root(system, opts, err);
    if (r == 0)
        r = enter_deployment(system, err);
    if (r < 0)
        return r;
    system->probe->mounts(mtree_root(system->tree), system->facts);
    mark_root(system);
    r = system->probe->mount_rest ? system->probe->mount_rest(stack, system, opts, err)
                                  : mount_all(stack, system, opts, err);
    if (r < 0)
        return r;
    r = system->probe->collect(mtree_root(system->tree), opts, system->facts, err);
    return r < 0 ? err_wrap(err, "inspect %s", system->facts->root) : 0;
}
