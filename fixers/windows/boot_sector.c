/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Boot sectors of NTFS volumes, for firmware that starts those: an emulated disk has other heads
 * than the old one, and boot code before Windows Vista's counts them.
 */
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "fixers/windows/boot.h"
#include "fixers/windows/boot_ntfs.h"
#include "inspect/windows/facts.h"
#include "storage/volume.h"

#define PRIMARY_MAX 4U /* logical partitions are started by no firmware */

/* The copy at the end of the volume follows its original, if it is one. */
static void plan_copy_of(const struct volume *volume, struct plan *plan, const struct patch *patch,
                         const uint8_t old[NTFS_SECTOR])
{
    uint64_t sectors = get_le64(old + NTFS_SECTORS);
    struct patch copy = *patch;
    uint8_t there[NTFS_SECTOR];

    if (sectors >= volume->size_bytes / NTFS_SECTOR ||
        volume_read(volume, sectors * NTFS_SECTOR, there, sizeof(there)) < 0 ||
        memcmp(there, old, NTFS_SECTOR) != 0)
        return;
    copy.at += sectors * NTFS_SECTOR;
    plan_patch(plan, volume->name, &copy, "the same in the copy of the boot sector",
               "the copy at the end of the volume must be like the boot sector");
}

static int plan_sector(const struct fix_context *ctx, struct plan *plan,
                       const struct fact_device *device, struct err *err)
{
    const struct fact_device *disk = facts_resolve(ctx->facts, device->disk);
    const struct volume *volume = ctx->stack ? stack_find(ctx->stack, device->name) : NULL;
    uint8_t old[NTFS_SECTOR], fixed[NTFS_SECTOR];
    const struct patch patch = { NTFS_HEADS, old + NTFS_HEADS, fixed + NTFS_HEADS, NTFS_PATCH_LEN };
    CLEANUP_FREE char *note = NULL;
    struct ntfs_place place;
    int r;

    if (!disk || !volume || strcmp(disk->table, "dos") != 0 ||
        strcmp(device->fstype, "ntfs") != 0 || device->part_number == 0 ||
        device->part_number > PRIMARY_MAX)
        return 0;
    r = volume_read(volume, 0, old, sizeof(old));
    if (r < 0)
        return err_set(err, -r, "read the boot sector of %s", device->name);
    place = (struct ntfs_place){ disk->size_bytes, device->start_bytes,
                                 ctx->facts->windows->nt_major < 6 };
    memcpy(fixed, old, sizeof(fixed));
    if (!ntfs_boot_fix(fixed, &place))
        return 0;
    note = mem_printf("heads %u, hidden sectors %u; before: %u, %u", get_le16(fixed + NTFS_HEADS),
                      get_le32(fixed + NTFS_HIDDEN), get_le16(old + NTFS_HEADS),
                      get_le32(old + NTFS_HIDDEN));
    plan_patch(plan, device->name, &patch, note,
               "the boot code must know the shape of the disk and its own place there");
    plan_copy_of(volume, plan, &patch, old);
    return 0;
}

int boot_sector_plan(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    const struct fact_device *root = facts_root_device(ctx->facts);
    const struct fact_mount *system = facts_mount(ctx->facts, WINDOWS_SYSTEM_VOLUME);
    int r = 0;

    if (ctx->facts->firmware != FIRMWARE_BIOS)
        return 0;
    if (root)
        r = plan_sector(ctx, plan, root, err);
    if (r >= 0 && system && system->device && system->device != root)
        r = plan_sector(ctx, plan, system->device, err);
    return r;
}
