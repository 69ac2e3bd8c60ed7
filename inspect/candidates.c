/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/candidates.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "storage/btrfs.h"
#include "storage/ntfs_read.h"

/* Is there any of what Windows has at its root? To mount an NTFS takes a server that is started for
 * it, and most hold data only. What cannot be read here is looked at by those who know more. */
static bool may_hold_windows(const struct volume *volume)
{
    static const char *const names[] = { "Windows", "WINNT", "Program Files", "boot.ini" };
    struct ntfs fs;
    uint64_t number = 0;
    bool is_known = ntfs_open(volume, &fs);

    if (!is_known)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(names) && is_known && number == 0; i++)
        is_known = ntfs_root_find(&fs, names[i], &number);
    ntfs_close(&fs);
    return !is_known || number != 0;
}

enum candidate candidate_kind(const struct stack *stack, const struct volume *volume)
{
    static const char *const types[] = { "ext2", "ext3", "ext4", "xfs", "btrfs", "ntfs" };
    size_t type = 0;

    while (type < ARRAY_SIZE(types) && strcmp(volume->fstype, types[type]) != 0)
        type++;
    if (type == ARRAY_SIZE(types) || volume->problem[0] != '\0' ||
        btrfs_lead(stack, volume) != volume)
        return CANDIDATE_NONE;
    if (strcmp(volume->fstype, "ntfs") == 0 && !may_hold_windows(volume))
        return CANDIDATE_NONE;
    return volume->snapshot_of[0] != '\0' ? CANDIDATE_SNAPSHOT : CANDIDATE_FIRST;
}

bool candidate_is_wanted(const struct volume *volume, const char *wanted,
                         const struct strlist *boot_roots, const struct facts *facts)
{
    if (wanted && strcmp(volume->name, wanted) == 0)
        return true;
    for (size_t i = 0; i < boot_roots->n; i++) {
        const struct fact_device *device = facts_resolve(facts, boot_roots->items[i]);

        if (device && strcmp(device->name, volume->name) == 0)
            return true;
    }
    return false;
}
