/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/windows/place.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "inspect/windows/guid.h"

static const struct fact_device *find_disk(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->n_devices; i++)
        if (strcmp(facts->devices[i].kind, "disk") == 0 &&
            strcmp(facts->devices[i].name, name) == 0)
            return &facts->devices[i];
    return NULL;
}

/* ---- one of several ---- */

struct meant {
    const struct facts *facts;
    const struct fact_device *first, *second; /* in the order of the devices */
    const struct fact_device *own;            /* on the disk of Windows */
};

static void add_meant(struct meant *meant, const struct fact_device *device)
{
    const struct fact_device *root = facts_root_device(meant->facts);

    if (root && !meant->own && strcmp(root->disk, device->disk) == 0)
        meant->own = device;
    if (!meant->first)
        meant->first = device;
    else if (!meant->second)
        meant->second = device;
}

static const struct fact_device *decide(const struct meant *meant,
                                        const struct fact_device **ret_other)
{
    *ret_other = meant->own ? NULL : meant->second;
    return meant->own ? meant->own : meant->first;
}

const struct fact_device *place_mbr(const struct facts *facts, uint32_t disk_id,
                                    uint64_t start_bytes, const struct fact_device **ret_other)
{
    struct meant meant = { .facts = facts };
    char id[9];

    (void)snprintf(id, sizeof(id), "%08x", disk_id);
    for (size_t i = 0; i < facts->n_devices; i++) {
        const struct fact_device *device = &facts->devices[i];
        const struct fact_device *disk =
            device->part_number > 0 ? find_disk(facts, device->disk) : NULL;

        if (disk && device->start_bytes == start_bytes && strcmp(disk->table, "dos") == 0 &&
            strcasecmp(disk->table_id, id) == 0)
            add_meant(&meant, device);
    }
    return decide(&meant, ret_other);
}

const struct fact_device *place_gpt(const struct facts *facts, const char *part_uuid,
                                    const struct fact_device **ret_other)
{
    struct meant meant = { .facts = facts };

    for (size_t i = 0; i < facts->n_devices; i++)
        if (facts->devices[i].part_number > 0 && facts->devices[i].part_uuid[0] != '\0' &&
            strcasecmp(facts->devices[i].part_uuid, part_uuid) == 0)
            add_meant(&meant, &facts->devices[i]);
    return decide(&meant, ret_other);
}

/* A signature of zero is none. */
static bool has_id(const struct fact_device *device)
{
    return strcmp(device->kind, "disk") == 0 && device->table[0] != '\0' &&
           device->table_id[strspn(device->table_id, "0x")] != '\0';
}

bool place_next_copy(const struct facts *facts, size_t *at, const struct fact_device **ret_first,
                     const struct fact_device **ret_copy)
{
    for (; *at < facts->n_devices; (*at)++) {
        const struct fact_device *disk = &facts->devices[*at];

        for (size_t i = 0; i < *at && has_id(disk); i++)
            if (has_id(&facts->devices[i]) && strcmp(facts->devices[i].table, disk->table) == 0 &&
                strcasecmp(facts->devices[i].table_id, disk->table_id) == 0) {
                *ret_first = &facts->devices[i];
                *ret_copy = disk;
                (*at)++;
                return true;
            }
    }
    return false;
}

char *place_copy_text(const struct fact_device *first, const struct fact_device *copy)
{
    return mem_printf(
        "%s and %s have the same %s %s: Windows takes one of them offline, or gives it "
        "another; detach the one that is not wanted",
        first->name, copy->name, strcmp(copy->table, "gpt") == 0 ? "GUID" : "signature",
        copy->table_id);
}

/* ---- others ---- */

/* As its database has it, or as Windows keeps GUIDs in memory. No two things have the same, in
 * whatever order. */
const struct fact_device *place_dynamic(const struct facts *facts, const uint8_t *id)
{
    char plain[37], swapped[37];
    uint8_t turned[GUID_LEN];

    guid_text(id, swapped);
    memcpy(turned, id, GUID_LEN);
    put_le32(turned, get_be32(id));
    put_le16(turned + 4, get_be16(id + 4));
    put_le16(turned + 6, get_be16(id + 6));
    guid_text(turned, plain);
    for (size_t i = 0; i < facts->n_devices; i++)
        if (strcmp(facts->devices[i].dynamic_id, plain) == 0 ||
            strcmp(facts->devices[i].dynamic_id, swapped) == 0)
            return &facts->devices[i];
    return NULL;
}

/* In the order of ntldr: primary partitions, then logical ones; what extends is not counted. */
static const struct fact_device *nth_partition(const struct facts *facts, const char *disk,
                                               uint32_t partition)
{
    uint32_t n = 0;

    for (size_t i = 0; i < facts->n_devices; i++) {
        const struct fact_device *device = &facts->devices[i];
        bool is_extended =
            strcmp(device->part_type, "0x5") == 0 || strcmp(device->part_type, "0xf") == 0;

        if (device->part_number > 0 && !is_extended && strcmp(device->disk, disk) == 0 &&
            ++n == partition)
            return device;
    }
    return NULL;
}

const struct fact_device *place_arc(const struct facts *facts, uint32_t rdisk, uint32_t partition)
{
    uint32_t n = 0;

    for (size_t i = 0; i < facts->n_devices; i++)
        if (strcmp(facts->devices[i].kind, "disk") == 0 && n++ == rdisk)
            return nth_partition(facts, facts->devices[i].name, partition);
    return NULL;
}
