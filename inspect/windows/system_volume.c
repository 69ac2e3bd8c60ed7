/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The partition that the firmware starts Windows from: an ESP, or the active one of an MBR. */
#include <errno.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "inspect/windows/boot.h"
#include "inspect/windows/windows.h"

/* Guest name of the disk that @name lies on; "". */
static const char *disk_of(const struct facts *facts, const struct volume *volume)
{
    for (size_t i = 0; i < facts->n_devices; i++)
        if (strcmp(facts->devices[i].name, volume->name) == 0)
            return facts->devices[i].disk;
    return "";
}

static const struct fact_device *device_of(const struct facts *facts, const struct volume *volume)
{
    for (size_t i = 0; i < facts->n_devices; i++)
        if (strcmp(facts->devices[i].name, volume->name) == 0)
            return &facts->devices[i];
    return NULL;
}

static bool may_start_windows(const struct facts *facts, const struct volume *volume)
{
    const struct fact_device *device = device_of(facts, volume);
    bool is_esp = device && fact_device_is_esp(device);

    return volume->kind == VOLUME_PARTITION && !volume->inactive &&
           ((is_esp && strcmp(volume->fstype, "vfat") == 0) ||
            (volume->bootable &&
             (strcmp(volume->fstype, "ntfs") == 0 || strcmp(volume->fstype, "vfat") == 0)));
}

/* The one of the disk that Windows is on, else the first; NULL: none, or it is that of Windows. */
static struct volume *find_system_volume(struct stack *stack, const struct facts *facts)
{
    const struct fact_device *root = facts_root_device(facts);
    struct volume *found = NULL;

    for (size_t i = 0; root && i < stack->n_volumes; i++) {
        struct volume *volume = &stack->volumes[i];

        if (!may_start_windows(facts, volume))
            continue;
        if (strcmp(disk_of(facts, volume), root->disk) == 0) {
            found = volume;
            break;
        }
        if (!found)
            found = volume;
    }
    return found && strcmp(found->name, root->name) != 0 ? found : NULL;
}

static void add_mount(struct system *system, const struct volume *volume)
{
    struct fact_mount *mount = facts_add_mount(system->facts);
    const char *why = mtree_why_read_only(system->tree, WINDOWS_SYSTEM_VOLUME);
    CLEANUP_FREE char *text = why ? mem_printf("it is mounted read-only: %s", why) : NULL;

    mount->device = device_of(system->facts, volume);
    mount->mounted = true;
    mount->at_boot = true;
    mount->dirty = mtree_was_dirty(system->tree, WINDOWS_SYSTEM_VOLUME);
    facts_set(&mount->source, volume->name);
    facts_set(&mount->target, WINDOWS_SYSTEM_VOLUME);
    facts_set(&mount->type, volume->fstype);
    facts_set(&mount->problem, text);
}

int windows_mount_system(struct stack *stack, struct system *system,
                         const struct inspect_opts *opts, struct err *err)
{
    struct volume *volume = find_system_volume(stack, system->facts);
    struct mount_opts how = { .read_only = opts->read_only };
    struct err one = ERR_NONE;
    char text[2 * ERR_TEXT];
    int r;

    if (!volume)
        return 0;
    r = mtree_mount_beside(system->tree, volume, WINDOWS_SYSTEM_VOLUME, &how, &one);
    if (r == 0) {
        add_mount(system, volume);
        return 0;
    }
    if (one.code == EINTR || !opts->read_only) {
        *err = one;
        return err_wrap(err, "mount the partition that starts Windows (%s)", volume->name);
    }
    log_debug("%s is left out: %s", volume->name, err_text(&one, text, sizeof(text)));
    return 0;
}

/* ---- which of several is started ---- */

static void read_configuration(struct stack *stack, struct volume *volume, struct system *systems,
                               size_t n)
{
    struct mount_opts how = { .read_only = true };
    struct mtree *tree = NULL;
    struct err err = ERR_NONE;

    if (mtree_new(stack, &tree, &err) < 0)
        return;
    if (mtree_mount(tree, volume, "/", &how, &err) == 0) {
        guest_root_ignore_case(mtree_root(tree));
        for (size_t i = 0; i < n; i++) {
            struct facts *facts = systems[i].facts;

            if (!facts->windows)
                continue;
            (void)boot_read(mtree_root(tree), "", device_of(facts, volume), facts);
            systems[i].is_boot_default |= facts->windows->is_default;
        }
    }
    err_clear(&err);
    (void)mtree_release(tree, &err); /* the session's undo stack tries again */
}

void windows_mark_default(struct stack *stack, struct system *systems, size_t n)
{
    size_t n_windows = 0;

    for (size_t i = 0; i < n; i++)
        n_windows += systems[i].facts->windows != NULL;
    if (n < 2 || n_windows == 0)
        return;
    for (size_t i = 0; i < stack->n_volumes; i++)
        if (may_start_windows(systems[0].facts, &stack->volumes[i]))
            read_configuration(stack, &stack->volumes[i], systems, n);
}
