/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounting all of a system's file systems, and collecting its facts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "inspect/fields.h"
#include "inspect/inspect.h"

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
    return mtree_mount(system->tree, system->volume, "/", &how, err);
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

/* ---- boot partitions that nothing names ---- */

/* By the type in the partition table, and where they are mounted then, in this order (the
 * Discoverable Partitions Specification; GRUB's packages use /boot/efi). */
static const struct boot_part {
    const char *types[2];
    const char *folders[3];
} boot_parts[] = {
    { { "bc13c2ff-59e6-4262-a352-b275fd6f7172", NULL }, { "/boot" } },
    { { "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "0xef" }, { "/boot/efi", "/efi", "/boot" } },
};

static bool is_boot_part(const struct boot_part *kind, const struct fact_device *device)
{
    for (size_t i = 0; i < ARRAY_SIZE(kind->types); i++)
        if (kind->types[i] && strcasecmp(device->part_type, kind->types[i]) == 0)
            return device->fstype[0] != '\0';
    return false;
}

/* The only one, when no mount is about it. */
static const struct fact_device *unlisted(const struct facts *facts, const struct boot_part *kind)
{
    const struct fact_device *found = NULL;

    for (size_t i = 0; i < facts->n_devices; i++) {
        if (!is_boot_part(kind, &facts->devices[i]))
            continue;
        if (found)
            return NULL;
        found = &facts->devices[i];
    }
    for (size_t i = 0; found && i < facts->n_mounts; i++)
        if (facts->mounts[i].device == found)
            return NULL;
    return found;
}

/* A folder that is there for it: empty, and mounted on by nothing. NULL: there is none. */
static const char *boot_folder(const struct guest_root *root, const struct facts *facts,
                               const struct boot_part *kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(kind->folders) && kind->folders[i]; i++) {
        const char *folder = kind->folders[i];
        CLEANUP_STRLIST struct strlist names = { 0 };
        struct err err = ERR_NONE;

        if (!facts_mount(facts, folder) && guest_is_dir(root, folder) &&
            guest_list(root, folder, &names, &err) == 0 && names.n == 0)
            return folder;
    }
    return NULL;
}

/* A guest may start without mounting it, but its boot loader or its kernels lie there. */
static int mount_boot_part(struct stack *stack, struct system *system, const struct boot_part *kind,
                           const struct inspect_opts *opts, struct err *err)
{
    struct facts *facts = system->facts;
    const struct fact_device *device = unlisted(facts, kind);
    const char *folder = device ? boot_folder(mtree_root(system->tree), facts, kind) : NULL;
    struct mount_opts how = { .read_only = opts->read_only };
    struct fact_mount *mount;
    struct err one = ERR_NONE;
    char text[2 * ERR_TEXT];
    int r;

    if (!folder)
        return 0;
    r = mtree_mount(system->tree, stack_find(stack, device->name), folder, &how, &one);
    if (r == -EINTR) {
        *err = one;
        return r;
    }
    if (r < 0) {
        log_debug("%s is not looked at: %s", device->name, err_text(&one, text, sizeof(text)));
        return 0;
    }
    mount = facts_add_mount(facts);
    mount->device = device;
    mount->mounted = true;
    mount->dirty = mtree_was_dirty(system->tree, folder);
    facts_set(&mount->source, device->name);
    facts_set(&mount->target, folder);
    facts_set(&mount->type, device->fstype);
    return 0;
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

int inspect_open(struct stack *stack, struct system *system, const struct inspect_opts *opts,
                 struct err *err)
{
    int r = mount_root(stack, system, opts, err);

    if (r < 0)
        return r;
    system->probe->mounts(mtree_root(system->tree), system->facts);
    mark_root(system);
    r = mount_rest(stack, system, opts, err);
    for (size_t i = 0; i < ARRAY_SIZE(boot_parts) && r >= 0; i++)
        r = mount_boot_part(stack, system, &boot_parts[i], opts, err);
    if (r < 0)
        return r;
    r = system->probe->collect(mtree_root(system->tree), opts, system->facts, err);
    return r < 0 ? err_wrap(err, "inspect %s", system->facts->root) : 0;
}
