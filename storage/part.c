/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Partitions of MBR (logical ones too) and GPT disks, read by libblkid. The sector size is not
 * always known from the image, so the other one is tried when a table is not found.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "storage/gpt.h"
#include "storage/layers.h"
#include "storage/md_read.h"
#include "storage/peek.h"
#include "storage/probe.h"

#define BLKID_SECTOR 512U /* the unit of libblkid's partition list, whatever the disk's sectors */

/* GPT header (UEFI 2.10, 5.3.2): at LBA 1, fields little-endian */
#define GPT_MAGIC "EFI PART"
#define GPT_LAST_USABLE 48 /* u64 LBA */
#define GPT_HEADER_SIZE 92

/* As the kernel names them: a 'p' behind a digit ("/dev/md0p1"). */
static char *part_name(const struct volume *disk, int number)
{
    bool digit = isdigit((unsigned char)disk->name[strlen(disk->name) - 1]) != 0;

    return mem_printf("%s%s%d", disk->name, digit ? "p" : "", number);
}

/* @volume begins where @parent does. */
static void lie_on(struct volume *volume, const struct volume *parent)
{
    volume->disk = parent->disk;
    volume->fd = parent->fd;
    volume->offset = parent->offset;
    if (parent->read_only[0] != '\0')
        volume_set_read_only(volume, parent->read_only_status, parent->read_only);
    if (parent->inactive) {
        volume->inactive = true;
        volume_set_problem(volume, parent->problem_status, parent->problem);
    }
}

static int add_partition(struct stack *stack, size_t parent, blkid_partition part, struct err *err)
{
    const struct volume *disk = &stack->volumes[parent];
    const char *label = blkid_partition_get_name(part);
    const char *uuid = blkid_partition_get_uuid(part);
    const char *type = blkid_partition_get_type_string(part);
    int number = blkid_partition_get_partno(part);
    const uint64_t size = disk->size_bytes;
    uint64_t offset = 0, len = 0;
    struct volume *volume;
    char *name = part_name(disk, number);
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
    lie_on(volume, &stack->volumes[parent]);
    volume->offset += offset;
    volume->size_bytes = len;
    if (volume->inactive)
        peek_piece(stack, volume, parent, offset);
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
    uint64_t last, start, sectors = disk->size_bytes / sector_size;
    int fd = volume_fd(disk, &start);

    if (io_pread_full(fd, header, sizeof(header), start + sector_size) < 0 ||
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
            probe_new(disk, start, size, disk->disk->sector_size, &err);

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

/* Is the whole disk a member of an md array whose superblock is at its end? Then the table at its
 * start is the array's. A superblock of format 0.90 may be that of the last partition as well. */
static bool is_md_member(const struct volume *disk, blkid_partlist list)
{
    struct md_super super;

    if (disk->kind != VOLUME_DISK || md_super_read_end(disk, &super) <= 0)
        return false;
    for (int i = 0; list && super.major == 0 && i < blkid_partlist_numof_partitions(list); i++) {
        blkid_partition part = blkid_partlist_get_partition(list, i);
        struct md_place places[MD_PLACES];
        size_t n = md_super_places((uint64_t)blkid_partition_get_size(part), places);

        if (n == MD_PLACES &&
            (uint64_t)blkid_partition_get_start(part) + places[MD_PLACES - 1].sector ==
                super.super_offset)
            return false;
    }
    return true;
}

/* Firmware RAID over several disks: a table may describe more than this disk. */
static bool has_firmware_raid(struct volume *disk)
{
    const char *raid = disk->kind == VOLUME_DISK ? md_foreign_read(disk) : NULL;
    CLEANUP_FREE char *text = NULL;

    if (!raid)
        return false;
    text = mem_printf("it is a member of an array of %s, which h2k does not read: convert it with "
                      "the array's volume as the source",
                      raid);
    volume_set_problem(disk, STATUS_REFUSED, text);
    return true;
}

/* Do all partitions lie on the disk? */
static bool is_complete(const struct volume *disk, blkid_partlist list)
{
    for (int i = 0; i < blkid_partlist_numof_partitions(list); i++) {
        blkid_partition part = blkid_partlist_get_partition(list, i);
        uint64_t start = (uint64_t)blkid_partition_get_start(part);
        uint64_t sectors = disk->size_bytes / BLKID_SECTOR;

        if (start > sectors || (uint64_t)blkid_partition_get_size(part) > sectors - start)
            return false;
    }
    return true;
}

/* 1 when a table with partitions was found and added. */
static int try_table(struct stack *stack, size_t index, unsigned sector_size, struct err *err)
{
    static char dos[] = "dos", gpt[] = "gpt";
    char *wanted[] = { dos, gpt, NULL };
    struct volume *disk = &stack->volumes[index];
    CLEANUP_PROBE blkid_probe probe = probe_new(disk, 0, disk->size_bytes, sector_size, err);
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
    if (n <= 0) /* a table that speaks of more than the disk may be that of an array */
        return is_md_member(disk, NULL) || has_firmware_raid(disk)
                   ? 0
                   : check_gpt_truncated(disk, sector_size, err);
    if (sector_size == 512 && strcmp(blkid_parttable_get_type(table), "dos") == 0 &&
        has_large_sectors(disk, list))
        return 0;
    if (is_md_member(disk, list) || (has_firmware_raid(disk) && !is_complete(disk, list)))
        return 0;
    disk->table = mem_strdup(blkid_parttable_get_type(table));
    disk->table_is_backup = strcmp(disk->table, "gpt") == 0 && !gpt_is_whole(disk, sector_size);
    disk->table_sector_size = sector_size;
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
        if (stack->volumes[i].inactive && !stack->volumes[i].peek) {
            stack->volumes[i].table = mem_strdup("");
            continue;
        }
        (void)has_firmware_raid(&stack->volumes[i]);
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
