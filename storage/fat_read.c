/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/fat_read.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "storage/hibernation.h"

/* the boot sector, as in linux/msdos_fs.h */
enum {
    FAT_SECTOR_BYTES = 0x0b,
    FAT_SECTORS_PER_CLUSTER = 0x0d,
    FAT_RESERVED = 0x0e,
    FAT_TABLES = 0x10,
    FAT_ROOT_ENTRIES = 0x11,
    FAT_SECTORS_16 = 0x13,
    FAT_TABLE_SECTORS_16 = 0x16,
    FAT_SECTORS_32 = 0x20,
    FAT_TABLE_SECTORS_32 = 0x24,
    FAT_ROOT_CLUSTER = 0x2c,
    FAT_BOOT_LEN = 0x40,
};

/* an entry of a folder */
enum {
    ENTRY_ATTRIBUTES = 11,
    ENTRY_CLUSTER_HIGH = 20,
    ENTRY_CLUSTER_LOW = 26,
    ENTRY_SIZE = 28,
    ENTRY_LEN = 32,
};

#define ENTRY_END 0x00
#define ENTRY_FREE 0xe5
#define ATTRIBUTE_LABEL 0x08 /* part of a long name, too */
#define ATTRIBUTE_FOLDER 0x10

#define BLOCK 512U             /* bytes of a folder that are read at once */
#define ROOT_MAX (2U << 20)    /* bytes that Windows lets a folder have */
#define CLUSTER_MAX (1U << 18) /* bytes */
#define LINK_MASK 0x0fffffffU  /* the rest of an entry of the table is kept for others */

static bool is_power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

bool fat_open(const struct volume *volume, struct fat *ret)
{
    uint8_t boot[FAT_BOOT_LEN];
    uint32_t sector, per_cluster, table_sectors;
    uint64_t sectors, data;

    if (volume_read(volume, 0, boot, sizeof(boot)) < 0)
        return false;
    sector = get_le16(boot + FAT_SECTOR_BYTES);
    per_cluster = boot[FAT_SECTORS_PER_CLUSTER];
    table_sectors = get_le16(boot + FAT_TABLE_SECTORS_16);
    sectors = get_le16(boot + FAT_SECTORS_16);
    if (!is_power_of_two(sector) || sector < BLOCK || sector > 4096 ||
        !is_power_of_two(per_cluster) || (uint64_t)sector * per_cluster > CLUSTER_MAX)
        return false;
    *ret = (struct fat){ .volume = volume, .cluster_bytes = sector * per_cluster };
    if (table_sectors == 0) {
        table_sectors = get_le32(boot + FAT_TABLE_SECTORS_32);
        ret->root_cluster = get_le32(boot + FAT_ROOT_CLUSTER);
    } else {
        ret->root_len = get_le16(boot + FAT_ROOT_ENTRIES) * (uint32_t)ENTRY_LEN;
        if (ret->root_len == 0)
            return false;
    }
    if (sectors == 0)
        sectors = get_le32(boot + FAT_SECTORS_32);
    ret->table = (uint64_t)get_le16(boot + FAT_RESERVED) * sector;
    ret->root_at = ret->table + (uint64_t)boot[FAT_TABLES] * table_sectors * sector;
    data = ret->root_at + ((uint64_t)ret->root_len + sector - 1) / sector * sector;
    if (ret->table == 0 || data >= sectors * sector || sectors * sector > volume->size_bytes)
        return false;
    ret->data = data;
    ret->n_clusters = (uint32_t)((sectors * sector - data) / ret->cluster_bytes);
    return true;
}

static bool cluster_at(const struct fat *fat, uint32_t cluster, uint64_t *ret)
{
    if (cluster < 2 || cluster - 2 >= fat->n_clusters)
        return false;
    *ret = fat->data + (uint64_t)(cluster - 2) * fat->cluster_bytes;
    return true;
}

/* ---- the root folder ---- */

enum look { LOOK_ON, LOOK_FOUND, LOOK_END, LOOK_FAILED };

static enum look look_at(const struct fat *fat, uint64_t at, uint32_t len, const char *name,
                         struct fat_entry *ret)
{
    uint8_t block[BLOCK];

    for (uint32_t done = 0; done < len; done += BLOCK) {
        size_t n = len - done < BLOCK ? len - done : BLOCK;

        if (volume_read(fat->volume, at + done, block, n) < 0)
            return LOOK_FAILED;
        for (size_t i = 0; i + ENTRY_LEN <= n; i += ENTRY_LEN) {
            const uint8_t *entry = block + i;

            if (entry[0] == ENTRY_END)
                return LOOK_END;
            if (entry[0] == ENTRY_FREE || (entry[ENTRY_ATTRIBUTES] & ATTRIBUTE_LABEL) ||
                memcmp(entry, name, FAT_NAME) != 0)
                continue;
            ret->cluster = get_le16(entry + ENTRY_CLUSTER_LOW);
            if (fat->root_len == 0)
                ret->cluster |= (uint32_t)get_le16(entry + ENTRY_CLUSTER_HIGH) << 16;
            ret->size = get_le32(entry + ENTRY_SIZE);
            ret->is_folder = entry[ENTRY_ATTRIBUTES] & ATTRIBUTE_FOLDER;
            return LOOK_FOUND;
        }
    }
    return LOOK_ON;
}

/* Of FAT32, cluster by cluster. */
static enum look look_at_chain(const struct fat *fat, const char *name, struct fat_entry *ret)
{
    uint32_t cluster = fat->root_cluster;
    uint64_t at;

    for (uint32_t done = 0; done < ROOT_MAX; done += fat->cluster_bytes) {
        enum look look;
        uint8_t next[4];

        if (!cluster_at(fat, cluster, &at))
            return done == 0 ? LOOK_FAILED : LOOK_END; /* any other number ends a chain */
        look = look_at(fat, at, fat->cluster_bytes, name, ret);
        if (look != LOOK_ON)
            return look;
        if (volume_read(fat->volume, fat->table + (uint64_t)cluster * sizeof(next), next,
                        sizeof(next)) < 0)
            return LOOK_FAILED;
        cluster = get_le32(next) & LINK_MASK;
    }
    return LOOK_FAILED;
}

bool fat_root_find(const struct fat *fat, const char *name, struct fat_entry *ret, bool *ret_found)
{
    enum look look = fat->root_len ? look_at(fat, fat->root_at, fat->root_len, name, ret)
                                   : look_at_chain(fat, name, ret);

    *ret_found = look == LOOK_FOUND;
    return look != LOOK_FAILED;
}

bool fat_where(const struct fat *fat, const struct fat_entry *entry, uint64_t *ret)
{
    return cluster_at(fat, entry->cluster, ret);
}

bool fat_is_hibernated(const struct fat *fat, uint64_t *ret)
{
    struct fat_entry entry;
    bool found = false;
    uint8_t head[4];

    return fat_root_find(fat, "HIBERFILSYS", &entry, &found) && found && !entry.is_folder &&
           entry.size >= sizeof(head) && fat_where(fat, &entry, ret) &&
           volume_read(fat->volume, *ret, head, sizeof(head)) >= 0 && hibernation_is_image(head);
}
