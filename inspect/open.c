/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounting all of a system's file systems, and collecting its facts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
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

/* ---- the rest of fstab ---- */

static bool is_mountable(const char *fstype)
{
    static const char *const types[] = { "ext2", "ext3", "ext4", "xfs", "btrfs", "vfat", "ntfs" };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (strcmp(fstype, types[i]) == 0)
            return true;
    return false;
}

/* Does the guest mount it when it starts (or as soon as somebody looks)? */
static bool is_wanted(const struct fact_mount *mount)
{
    if (!mount->device || mount->target[0] != '/' || strcmp(mount->target, "/") == 0 ||
        !is_mountable(mount->device->fstype))
        return false;
    if (list_has(mount->options, "bind") || list_has(mount->options, "rbind"))
        return false;
    return !list_has(mount->options, "noauto") || list_has(mount->options, "x-systemd.automount");
}

static bool is_mounted(const struct facts *facts, const char *target)
{
    for (size_t i = 0; i < facts->n_mounts; i++)
        if (facts->mounts[i].mounted && strcmp(facts->mounts[i].target, target) == 0)
            return true;
    return false;
}

/* The subvolume that the options name; NULL: the default one. Free it. */
static char *wanted_subvol(struct system *system, const struct fact_mount *mount)
{
    CLEANUP_FREE char *id_text = list_value(mount->options, "subvolid");
    char *subvol = list_value(mount->options, "subvol");
    struct subvolume *subvolumes = NULL;
    struct err err = ERR_NONE;
    size_t n = 0;

    if (subvol || !id_text || mount->device != facts_root_device(system->facts) ||
        mtree_subvolumes(system->tree, "/", &subvolumes, &n, &err) < 0)
        return subvol;
    for (size_t i = 0; i < n && !subvol; i++) {
        CLEANUP_FREE char *id = mem_printf("%llu", (unsigned long long)subvolumes[i].id);

        if (strcmp(id, id_text) == 0)
            subvol = mem_strdup(subvolumes[i].path[0] ? subvolumes[i].path : "/");
    }
    subvolumes_free(subvolumes, n);
    return subvol;
}

static int mount_one(struct stack *stack, struct system *system, struct fact_mount *mount,
                     const struct inspect_opts *opts, struct err *err)
{
    bool is_btrfs = strcmp(mount->device->fstype, "btrfs") == 0;
    CLEANUP_FREE char *subvol = is_btrfs ? wanted_subvol(system, mount) : NULL;
    struct mount_opts how = { .read_only = opts->read_only, .subvol = subvol };
    struct volume *volume = stack_find(stack, mount->device->name);
    struct err one = ERR_NONE;
    char text[2 * ERR_TEXT];
    int r = mtree_mount(system->tree, volume, mount->target, &how, &one);

    if (r == 0) {
        mount->mounted = true;
        mount->dirty = mtree_was_dirty(system->tree, mount->target);
        return 0;
    }
    /* what is only looked at may be incomplete; what is repaired must not */
    if (r == -EINTR || (!opts->read_only && !list_has(mount->options, "nofail"))) {
        *err = one;
        return r;
    }
    log_debug("%s is left out: %s", mount->target, err_text(&one, text, sizeof(text)));
    return 0;
}

static size_t depth(const char *target)
{
    size_t n = 0;

    for (const char *c = target; *c; c++)
        n += *c == '/';
    return n;
}

static int mount_rest(struct stack *stack, struct system *system, const struct inspect_opts *opts,
                      struct err *err)
{
    struct facts *facts = system->facts;
    size_t deepest = 0;

    for (size_t i = 0; i < facts->n_mounts; i++)
        if (depth(facts->mounts[i].target) > deepest)
            deepest = depth(facts->mounts[i].target);
    /* parents before what lies below them, whatever order the lines have */
    for (size_t level = 1; level <= deepest && level <= MAX_DEPTH; level++) {
        for (size_t i = 0; i < facts->n_mounts; i++) {
            struct fact_mount *mount = &facts->mounts[i];
            int r;

            if (depth(mount->target) != level || !is_wanted(mount) ||
                is_mounted(facts, mount->target))
                continue;
            r = mount_one(stack, system, mount, opts, err);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

/* ---- the EFI system partition ---- */

/* The only ESP, when no line of fstab is about it. */
static const struct fact_device *unlisted_esp(const struct facts *facts)
{
    const struct fact_device *esp = NULL;

    for (size_t i = 0; i < facts->n_devices; i++) {
        if (!fact_device_is_esp(&facts->devices[i]) ||
            strcmp(facts->devices[i].fstype, "vfat") != 0)
            continue;
        if (esp)
            return NULL;
        esp = &facts->devices[i];
    }
    for (size_t i = 0; esp && i < facts->n_mounts; i++)
        if (facts->mounts[i].device == esp)
            return NULL;
    return esp;
}

/* A folder that is there for it: empty, and not in fstab. NULL: there is none. */
static const char *esp_folder(const struct guest_root *root, const struct facts *facts)
{
    static const char *const folders[] = { "/boot/efi", "/efi" };

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        CLEANUP_STRLIST struct strlist names = { 0 };
        struct err err = ERR_NONE;

        if (!facts_mount(facts, folders[i]) && guest_is_dir(root, folders[i]) &&
            guest_list(root, folders[i], &names, &err) == 0 && names.n == 0)
            return folders[i];
    }
    return NULL;
}

/* A guest starts without mounting its ESP, but its boot loader lies there. */
static int mount_esp(struct stack *stack, struct system *system, const struct inspect_opts *opts,
                     struct err *err)
{
    struct facts *facts = system->facts;
    const struct fact_device *esp = unlisted_esp(facts);
    const char *folder = esp ? esp_folder(mtree_root(system->tree), facts) : NULL;
    struct mount_opts how = { .read_only = opts->read_only };
    struct fact_mount *mount;
    struct err one = ERR_NONE;
    char text[2 * ERR_TEXT];
    int r;

    if (!folder)
        return 0;
    r = mtree_mount(system->tree, stack_find(stack, esp->name), folder, &how, &one);
    if (r == -EINTR) {
        *err = one;
        return r;
    }
    if (r < 0) {
        log_debug("%s is not looked at: %s", esp->name, err_text(&one, text, sizeof(text)));
        return 0;
    }
    mount = facts_add_mount(facts);
    mount->device = esp;
    mount->mounted = true;
    mount->dirty = mtree_was_dirty(system->tree, folder);
    facts_set(&mount->source, esp->name);
    facts_set(&mount->target, folder);
    facts_set(&mount->type, esp->fstype);
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
    if (r >= 0)
        r = mount_esp(stack, system, opts, err);
    if (r < 0)
        return r;
    r = system->probe->collect(mtree_root(system->tree), opts, system->facts, err);
    return r < 0 ? err_wrap(err, "inspect %s", system->facts->root) : 0;
}
