/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/candidates.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "storage/btrfs.h"
#include "storage/fat_read.h"
#include "storage/ntfs_read.h"

/* Is there any of what Windows has at its root? To mount an NTFS takes a server that is started for
 * it, and most hold data only. What cannot be read here is looked at by those who know more. */
static bool ntfs_may_hold_windows(const struct volume *volume)
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

/* Up to 2003. Of FAT there are many that no Windows lies on: system partitions, floppies. */
static bool fat_may_hold_windows(const struct volume *volume)
{
    static const char *const names[] = { "WINDOWS    ", "WINNT      ", "PROGRA~1   ",
                                         "BOOT    INI" };
    struct fat_entry entry;
    struct fat fat;
    bool found = false;

    if (!fat_open(volume, &fat))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(names) && !found; i++)
        if (!fat_root_find(&fat, names[i], &entry, &found))
            return true;
    return found;
}

bool candidate_ignores_case(const struct volume *volume)
{
    return strcmp(volume->fstype, "ntfs") == 0 || strcmp(volume->fstype, "vfat") == 0;
}

enum candidate candidate_kind(const struct stack *stack, const struct volume *volume)
{
    static const char *const types[] = { "ext2", "ext3", "ext4", "xfs", "btrfs", "ntfs", "vfat" };
    size_t type = 0;

    while (type < ARRAY_SIZE(types) && strcmp(volume->fstype, types[type]) != 0)
        type++;
    if (type == ARRAY_SIZE(types) || volume->problem[0] != '\0' ||
        btrfs_lead(stack, volume) != volume)
        return CANDIDATE_NONE;
    if (strcmp(volume->fstype, "ntfs") == 0 && !ntfs_may_hold_windows(volume))
        return CANDIDATE_NONE;
    if (strcmp(volume->fstype, "vfat") == 0 && !fat_may_hold_windows(volume))
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
