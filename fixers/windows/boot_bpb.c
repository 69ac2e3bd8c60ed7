/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/boot_bpb.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"

enum {
    BPB_OEM = 3,
    BPB_SECTOR_BYTES = 0x0b,
    BPB_NTFS_SECTORS = 0x28,
    BPB_FAT32_COPY = 0x32,
    BPB_FAT16_NAME = 0x36, /* "FAT16   ", or of 12 */
    BPB_FAT32_STATE = 0x41,
    BPB_FAT32_NAME = 0x52,
    BPB_SIGNATURE = 510, /* 55 aa */
};

#define HEADS_MAX 255U
#define NO_COPY 0xffffU

static bool is_ntfs(const uint8_t *sector)
{
    return memcmp(sector + BPB_OEM, "NTFS    ", 8) == 0;
}

static bool is_fat32(const uint8_t *sector)
{
    return memcmp(sector + BPB_FAT32_NAME, "FAT32   ", 8) == 0;
}

static bool is_known(const uint8_t *sector)
{
    return (is_ntfs(sector) || is_fat32(sector) ||
            memcmp(sector + BPB_FAT16_NAME, "FAT", 3) == 0) &&
           get_le16(sector + BPB_SECTOR_BYTES) == BPB_SECTOR &&
           get_le16(sector + BPB_SIGNATURE) == 0xaa55;
}

/* A firmware that speaks of 63 sectors and at most 1024 cylinders takes as few heads as will do,
 * doubling them, and 255 at last. */
uint16_t bpb_heads(uint64_t disk_bytes)
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

bool bpb_fix(uint8_t sector[BPB_SECTOR], const struct bpb_place *place)
{
    uint64_t hidden = place->start_bytes / BPB_SECTOR;
    uint16_t heads = bpb_heads(place->disk_bytes);
    bool changed = false;

    if (!is_known(sector) || hidden > UINT32_MAX)
        return false;
    if (get_le32(sector + BPB_HIDDEN) != hidden) {
        put_le32(sector + BPB_HIDDEN, (uint32_t)hidden);
        changed = true;
    }
    if (place->needs_heads && get_le16(sector + BPB_HEADS) != heads) {
        put_le16(sector + BPB_HEADS, heads);
        changed = true;
    }
    return changed;
}

/* Of NTFS it is behind the last sector that counts, of FAT32 it says where; FAT16 has none. */
uint64_t bpb_copy(const uint8_t sector[BPB_SECTOR])
{
    uint16_t at = get_le16(sector + BPB_FAT32_COPY);

    if (is_ntfs(sector))
        return get_le64(sector + BPB_NTFS_SECTORS);
    return is_fat32(sector) && at != NO_COPY ? at : 0;
}

bool bpb_is_copy(const uint8_t sector[BPB_SECTOR], const uint8_t there[BPB_SECTOR])
{
    size_t mark = is_fat32(sector) ? BPB_FAT32_STATE : BPB_SECTOR;
    size_t after = mark < BPB_SECTOR ? mark + 1 : BPB_SECTOR;

    return memcmp(sector, there, mark) == 0 &&
           memcmp(sector + after, there + after, BPB_SECTOR - after) == 0;
}
