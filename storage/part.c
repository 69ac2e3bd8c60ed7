/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Partitions of MBR (logical ones too) and GPT disks, read by libblkid. The sector size is not
 * always known from the image, so the other one is tried when a table is not found.
 */
#include <errno.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "storage/layers.h"
#include "storage/probe.h"

#define BLKID_SECTOR 512U /* the unit of libblkid's partition list, whatever the disk's sectors */

/* GPT header (UEFI 2.10, 5.3.2): at LBA 1, fields little-endian */
#define GPT_MAGIC "EFI PART"
#define GPT_LAST_USABLE 48 /* u64 LBA */
#define GPT_HEADER_SIZE 92

static int add_partition(struct stack *stack, size_t parent, blkid_partition part, struct err *err)
{
    const struct volume *disk = &stack->volumes[parent];
    const char *label = blkid_partition_get_name(part);
    const char *uuid = blkid_partition_get_uuid(part);
    const char *type = blkid_partition_get_type_string(part);
    int number = blkid_partition_get_partno(part);
    const uint64_t size = disk->size_bytes;
    struct disk *holder = disk->disk;
    uint64_t offset = 0, len = 0;
    struct volume *volume;
    char *name = mem_printf("%s%d", disk->name, number);
    bool gpt = strcmp(disk->table, "gpt") == 0;

    if (__builtin_mul_overflow((uint64_t)blkid_partition_get_start(part), BLKID_SECTOR, &offset) ||
        __builtin_mul_overflow((uint64_t)blkid_partition_get_size(part), BLKID_SECTOR, &len) ||
        offset > size || len > size - offset) {
        (void)err_status(err, STATUS_FAILED,
                         "the image is truncated: partition %s begins at byte %llu and has %llu "
                         "bytes, but the disk has only %llu bytes",
                         name, (unsigned long long)offset, (unsigned long long)len,
                         (unsigned long long)size);
        free(name);
        return -err->code;
    }
    volume = stack_add(stack, VOLUME_PARTITION, name);
    volume->disk = holder;
    volume->offset = offset;
    volume->size_bytes = len;
    volume->part_number = (unsigned)number;
    volume->bootable = !gpt && blkid_partition_get_flags(part) == 0x80;
    free(volume->part_type);
    volume->part_type =
        gpt ? mem_strdup(type ? type : "") : mem_printf("0x%x", blkid_partition_get_type(part));
    free(volume->part_uuid);
    volume->part_uuid = mem_strdup(uuid ? uuid : "");
    free(volume->part_label);
    volume->part_label = mem_strdup(label ? label : "");
    volume->parents = mem_dup(&parent, sizeof(parent));
    volume->n_parents = 1;
    return 0;
}

/* libblkid refuses a GPT whose last block lies beyond the disk, as if there were none. */
static int check_gpt_truncated(const struct volume *disk, unsigned sector_size, struct err *err)
{
    uint8_t header[GPT_HEADER_SIZE];
    uint64_t last, sectors = disk->size_bytes / sector_size;

    if (io_pread_full(disk->disk->fd, header, sizeof(header), sector_size) < 0 ||
        memcmp(header, GPT_MAGIC, strlen(GPT_MAGIC)) != 0)
        return 0;
    last = get_le64(header + GPT_LAST_USABLE);
    if (last < sectors)
        return 0;
    return err_status(err, STATUS_FAILED,
                      "the image is truncated: the partition table of %s speaks of %llu sectors "
                      "of %u bytes, but the disk has only %llu (%llu bytes)",
                      disk->name, (unsigned long long)last + 1, sector_size,
                      (unsigned long long)sectors, (unsigned long long)disk->size_bytes);
}

/* Does something that libblkid knows lie in a partition, if sectors are so large? */
static bool has_content(const struct volume *disk, blkid_partlist list, unsigned sector_size)
{
    for (int i = 0; i < blkid_partlist_numof_partitions(list); i++) {
        blkid_partition part = blkid_partlist_get_partition(list, i);
        uint64_t start = (uint64_t)blkid_partition_get_start(part) * sector_size;
        uint64_t size = (uint64_t)blkid_partition_get_size(part) * sector_size;
        struct err err = ERR_NONE;
        CLEANUP_PROBE blkid_probe probe =
            probe_new(disk->disk, start, size, disk->disk->sector_size, &err);

        if (probe && blkid_do_safeprobe(probe) == 0)
            return true;
    }
    return false;
}

/* An MBR does not tell how large its sectors are. Where all partitions fit on the disk with sectors
 * of 4096 bytes as well, what lies in them decides. */
static bool has_large_sectors(const struct volume *disk, blkid_partlist list)
{
    for (int i = 0; i < blkid_partlist_numof_partitions(list); i++) {
        blkid_partition part = blkid_partlist_get_partition(list, i);
        uint64_t end =
            (uint64_t)blkid_partition_get_start(part) + (uint64_t)blkid_partition_get_size(part);

        if (end > disk->size_bytes / 4096)
            return false;
    }
    return !has_content(disk, list, 512) && has_content(disk, list, 4096);
}

/* 1 when a table with partitions was found and added. */
static int try_table(struct stack *stack, size_t index, unsigned sector_size, struct err *err)
{
    static char dos[] = "dos", gpt[] = "gpt";
    char *wanted[] = { dos, gpt, NULL };
    struct volume *disk = &stack->volumes[index];
    CLEANUP_PROBE blkid_probe probe = probe_new(disk->disk, 0, disk->size_bytes, sector_size, err);
    blkid_partlist list;
    blkid_parttable table;
    int n;

    if (!probe)
        return err_wrap(err, "read the partition table of %s", disk->name);
    (void)blkid_probe_enable_superblocks(probe, 0);
    (void)blkid_probe_enable_partitions(probe, 1);
    (void)blkid_probe_filter_partitions_type(probe, BLKID_FLTR_ONLYIN, wanted);
    list = blkid_probe_get_partitions(probe);
    table = list ? blkid_partlist_get_table(list) : NULL;
    n = table ? blkid_partlist_numof_partitions(list) : 0;
    if (n <= 0)
        return check_gpt_truncated(disk, sector_size, err);
    if (sector_size == 512 && strcmp(blkid_parttable_get_type(table), "dos") == 0 &&
        has_large_sectors(disk, list))
        return 0;
    disk->table = mem_strdup(blkid_parttable_get_type(table));
    free(disk->table_uuid);
    disk->table_uuid = mem_strdup(blkid_parttable_get_id(table));
    if (!disk->table_uuid)
        disk->table_uuid = mem_strdup("");
    for (int i = 0; i < n; i++) {
        blkid_partition part = blkid_partlist_get_partition(list, i);
        int r;

        if (blkid_parttable_get_parent(blkid_partition_get_table(part)))
            continue; /* a BSD or Minix label inside a partition */
        r = add_partition(stack, index, part, err);
        if (r < 0)
            return r;
    }
    return 1;
}

static int activate(struct stack *stack, struct err *err)
{
    for (size_t i = 0; i < stack->n_volumes; i++) {
        unsigned first;
        int r;

        if (stack->volumes[i].table)
            continue;
        first = stack->volumes[i].disk->sector_size == 4096 ? 4096 : 512;
        r = try_table(stack, i, first, err);
        if (r == 0)
            r = try_table(stack, i, first == 512 ? 4096 : 512, err);
        if (r < 0)
            return r;
        if (r == 0)
            stack->volumes[i].table = mem_strdup("");
    }
    return 0;
}

const struct layer layer_part = {
    .name = "part",
    .activate = activate,
};
