/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/unlisted.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "inspect/linux.h"
#include "inspect/os_release.h"

/* ---- boot partitions ---- */

/* By the type in the partition table, and where they are mounted then, in this order (the
 * Discoverable Partitions Specification; GRUB's packages use /boot/efi). */
static const struct boot_part {
    const char *types[2];
    const char *folders[3];
    const char *ostree_label; /* of the file system: by it ostree systems without fstab find it */
} boot_parts[] = {
    { { "bc13c2ff-59e6-4262-a352-b275fd6f7172", NULL }, { "/boot" }, "boot" },
    { { "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "0xef" }, { "/boot/efi", "/efi", "/boot" }, NULL },
};

static bool is_boot_part(const struct boot_part *kind, bool is_ostree,
                         const struct fact_device *device)
{
    if (is_ostree && kind->ostree_label && strcmp(device->label, kind->ostree_label) == 0)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(kind->types); i++)
        if (kind->types[i] && strcasecmp(device->part_type, kind->types[i]) == 0)
            return device->fstype[0] != '\0';
    return false;
}

/* The only one, when no mount is about it. */
static const struct fact_device *unlisted(const struct facts *facts, const struct boot_part *kind,
                                          bool is_ostree)
{
    const struct fact_device *found = NULL;

    for (size_t i = 0; i < facts->n_devices; i++) {
        if (!is_boot_part(kind, is_ostree, &facts->devices[i]))
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

static void add_mount(struct system *system, const struct fact_device *device, const char *folder)
{
    struct fact_mount *mount = facts_add_mount(system->facts);

    mount->device = device;
    mount->mounted = true;
    mount->dirty = mtree_was_dirty(system->tree, folder);
    facts_set(&mount->source, device->name);
    facts_set(&mount->target, folder);
    facts_set(&mount->type, device->fstype);
}

/* A guest may start without mounting it, but its boot loader or its kernels lie there. */
static int mount_boot_part(struct stack *stack, struct system *system, const struct boot_part *kind,
                           const struct inspect_opts *opts, struct err *err)
{
    struct facts *facts = system->facts;
    const struct fact_device *device = unlisted(facts, kind, system->is_ostree);
    const char *folder = device ? boot_folder(mtree_root(system->tree), facts, kind) : NULL;
    struct mount_opts how = { .read_only = opts->read_only };
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
    add_mount(system, device, folder);
    return 0;
}

/* ---- /usr ---- */

/* Container Linux' (two of them take turns), then those of the Discoverable Partitions
 * Specification for x86, x86-64 and arm64. */
static const char *const usr_types[] = {
    "5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6",
    "75250d76-8cc6-458e-bd66-bd47cc81a812",
    "8484680c-9521-48c6-9c11-b0720656f69e",
    "b0e01050-ee5f-4390-949a-9101b17104e9",
};

static bool is_usr(const struct fact_device *device)
{
    for (size_t i = 0; i < ARRAY_SIZE(usr_types); i++)
        if (strcasecmp(device->part_type, usr_types[i]) == 0)
            return device->fstype[0] != '\0';
    return false;
}

/* Which version of the system is on it; NULL when none is. Free it. */
static char *version_on(struct stack *stack, const struct fact_device *device)
{
    struct mount_opts how = { .read_only = true };
    struct mtree *tree = NULL;
    struct err err = ERR_NONE;
    char *version = NULL;

    if (mtree_new(stack, &tree, &err) < 0)
        return NULL;
    if (mtree_mount(tree, stack_find(stack, device->name), "/", &how, &err) == 0) {
        struct os_release release CLEANUP_OS_RELEASE = { 0 };
        size_t len = 0;
        CLEANUP_FREE char *text = linux_read(mtree_root(tree), "/lib/os-release", &len);

        if (text) {
            os_release_parse(text, len, &release);
            version = mem_strdup(release.version);
        }
    }
    err_clear(&err);
    (void)mtree_release(tree, &err); /* the session's undo stack tries again */
    return version;
}

static bool has_usr(const struct system *system)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct err err = ERR_NONE;

    return facts_mount(system->facts, "/usr") ||
           guest_list(mtree_root(system->tree), "/usr", &names, &err) < 0 || names.n > 0;
}

/*
 * An initramfs may find /usr by itself: the folder is empty then, and there is a partition for it.
 * The newest version is taken. It is not written to: the hashes that guard it would not fit.
 */
static int mount_usr(struct stack *stack, struct system *system, struct err *err)
{
    struct facts *facts = system->facts;
    const struct fact_device *found = NULL;
    struct mount_opts how = { .read_only = true };
    CLEANUP_FREE char *newest = NULL;
    int r;

    if (has_usr(system))
        return 0;
    for (size_t i = 0; i < facts->n_devices; i++) {
        CLEANUP_FREE char *version =
            is_usr(&facts->devices[i]) ? version_on(stack, &facts->devices[i]) : NULL;

        if (!version || (newest && strverscmp(version, newest) <= 0))
            continue;
        free(newest);
        newest = TAKE(version);
        found = &facts->devices[i];
    }
    if (!found)
        return 0;
    r = mtree_mount(system->tree, stack_find(stack, found->name), "/usr", &how, err);
    if (r == 0)
        add_mount(system, found, "/usr");
    return r;
}

int mount_unlisted(struct stack *stack, struct system *system, const struct inspect_opts *opts,
                   struct err *err)
{
    int r = mount_usr(stack, system, err);

    for (size_t i = 0; i < ARRAY_SIZE(boot_parts) && r >= 0; i++)
        r = mount_boot_part(stack, system, &boot_parts[i], opts, err);
    return r;
}
