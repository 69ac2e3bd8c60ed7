/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/initramfs_kinds.h"

#include <fnmatch.h>
#include <string.h>

#include "engine/base/cleanup.h"

/* It has a program that loads drivers by the aliases of the hardware that the kernel reports. */
static bool loads_by_alias(const struct initramfs *found)
{
    if (naming_archive_has_udev(found))
        return true;
    for (size_t i = 0; i < found->names.n; i++)
        if (fnmatch("*/nlplug-findfs", found->names.items[i], 0) == 0) /* Alpine's mkinitfs */
            return true;
    return false;
}

static bool is_any(const struct initramfs *found)
{
    (void)found;
    return true;
}

static int warn(struct initramfs_work *work, struct err *err)
{
    (void)err;
    plan_note(work->plan,
              "%s: how it loads drivers is not known; virtio's are in it, but it must be made to "
              "load %s with the tool that made it",
              work->kernel->initrd, work->drivers.items[0]);
    return 0;
}

static const struct initrd_kind kind_by_alias = { .name = "by alias", .is = loads_by_alias };
static const struct initrd_kind kind_unknown = { .name = "unknown", .is = is_any, .adapt = warn };

/* Those with marks of their own come first: SUSE's has udev too, which does not load everything in
 * all of its versions. */
static const struct initrd_kind *const kinds[] = {
    &initrd_kind_booster,    &initrd_kind_nash,      &initrd_kind_suse, &kind_by_alias,
    &initrd_kind_mkinitcpio, &initrd_kind_genkernel, &initrd_kind_tiny,
};

const struct initrd_kind *initrd_kind_of(const struct initramfs *found)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (kinds[i]->is(found))
            return kinds[i];
    return &kind_unknown;
}

void work_replace_file(struct initramfs_work *work, const char *name, char *text, uint32_t mode)
{
    segment_add_mode(&work->segment, name, text, strlen(text), mode);
    strlist_add(&work->listed, name);
}
