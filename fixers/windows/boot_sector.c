/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Boot sectors of NTFS and FAT volumes, for firmware that starts those: an emulated disk has other
 * heads than the old one, and boot code before Windows Vista's counts them.
 */
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "fixers/windows/boot.h"
#include "fixers/windows/boot_bpb.h"
#include "inspect/windows/facts.h"
#include "storage/volume.h"

#define PRIMARY_MAX 4U /* logical partitions are started by no firmware */

/* A copy that the volume keeps follows its original, if it is one. */
static void plan_copy_of(const struct volume *volume, struct plan *plan, const struct patch *patch,
                         const uint8_t old[BPB_SECTOR])
{
    uint64_t sector = bpb_copy(old);
    struct patch copy = *patch;
    uint8_t there[BPB_SECTOR];

    if (sector == 0 || sector >= volume->size_bytes / BPB_SECTOR ||
        volume_read(volume, sector * BPB_SECTOR, there, sizeof(there)) < 0 ||
        !bpb_is_copy(old, there))
        return;
    copy.at += sector * BPB_SECTOR;
    plan_patch(plan, volume->name, &copy, "the same in the copy of the boot sector",
               "the copy that the volume keeps must be like the boot sector");
}

/* A primary partition of an MBR with a file system that such boot code starts from. */
static bool is_started(const struct fact_device *device, const struct fact_device *disk)
{
    return disk && strcmp(disk->table, "dos") == 0 && device->part_number != 0 &&
           device->part_number <= PRIMARY_MAX &&
           (strcmp(device->fstype, "ntfs") == 0 || strcmp(device->fstype, "vfat") == 0);
}

static int plan_sector(const struct fix_context *ctx, struct plan *plan,
                       const struct fact_device *device, struct err *err)
{
    const struct fact_device *disk = facts_resolve(ctx->facts, device->disk);
    const struct volume *volume = ctx->stack ? stack_find(ctx->stack, device->name) : NULL;
    uint8_t old[BPB_SECTOR], fixed[BPB_SECTOR];
    const struct patch patch = { BPB_HEADS, old + BPB_HEADS, fixed + BPB_HEADS, BPB_PATCH_LEN };
    CLEANUP_FREE char *note = NULL;
    struct bpb_place place;
    int r;

    if (!volume || !is_started(device, disk))
        return 0;
    r = volume_read(volume, 0, old, sizeof(old));
    if (r < 0)
        return err_set(err, -r, "read the boot sector of %s", device->name);
    place = (struct bpb_place){ disk->size_bytes, device->start_bytes,
                                ctx->facts->windows->nt_major < 6 };
    memcpy(fixed, old, sizeof(fixed));
    if (!bpb_fix(fixed, &place))
        return 0;
    note = mem_printf("heads %u, hidden sectors %u; before: %u, %u", get_le16(fixed + BPB_HEADS),
                      get_le32(fixed + BPB_HIDDEN), get_le16(old + BPB_HEADS),
                      get_le32(old + BPB_HIDDEN));
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
