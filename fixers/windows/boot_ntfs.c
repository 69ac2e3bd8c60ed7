/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/boot_ntfs.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"

enum {
    NTFS_OEM = 3,
    NTFS_SECTOR_BYTES = 0x0b,
    NTFS_SIGNATURE = 510, /* 55 aa */
};

#define HEADS_MAX 255U

/* A firmware that speaks of 63 sectors and at most 1024 cylinders takes as few heads as will do,
 * doubling them, and 255 at last. */
uint16_t ntfs_heads(uint64_t disk_bytes)
{
    static const struct {
        uint64_t below;
        uint16_t heads;
    } steps[] = {
        { 2114445312, 64 },
        { 4228374780, 128 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (disk_bytes < steps[i].below)
            return steps[i].heads;
    return HEADS_MAX;
}

bool ntfs_boot_fix(uint8_t sector[NTFS_SECTOR], const struct ntfs_place *place)
{
    uint64_t hidden = place->start_bytes / NTFS_SECTOR;
    uint16_t heads = ntfs_heads(place->disk_bytes);
    bool changed = false;

    if (memcmp(sector + NTFS_OEM, "NTFS    ", 8) != 0 ||
        get_le16(sector + NTFS_SECTOR_BYTES) != NTFS_SECTOR ||
        get_le16(sector + NTFS_SIGNATURE) != 0xaa55 || hidden > UINT32_MAX)
        return false;
    if (get_le32(sector + NTFS_HIDDEN) != hidden) {
        put_le32(sector + NTFS_HIDDEN, (uint32_t)hidden);
        changed = true;
    }
    if (place->needs_heads && get_le16(sector + NTFS_HEADS) != heads) {
        put_le16(sector + NTFS_HEADS, heads);
        changed = true;
    }
    return changed;
}
