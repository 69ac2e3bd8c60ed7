/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/windows/place.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/base/le.h"
#include "inspect/windows/guid.h"

static const struct fact_device *find_disk(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->n_devices; i++)
        if (strcmp(facts->devices[i].kind, "disk") == 0 &&
            strcmp(facts->devices[i].name, name) == 0)
            return &facts->devices[i];
    return NULL;
}

const struct fact_device *place_mbr(const struct facts *facts, uint32_t disk_id,
                                    uint64_t start_bytes)
{
    char id[9];

    (void)snprintf(id, sizeof(id), "%08x", disk_id);
    for (size_t i = 0; i < facts->n_devices; i++) {
        const struct fact_device *device = &facts->devices[i];
        const struct fact_device *disk =
            device->part_number > 0 ? find_disk(facts, device->disk) : NULL;

        if (disk && device->start_bytes == start_bytes && strcmp(disk->table, "dos") == 0 &&
            strcasecmp(disk->table_id, id) == 0)
            return device;
    }
    return NULL;
}

const struct fact_device *place_gpt(const struct facts *facts, const char *part_uuid)
{
    for (size_t i = 0; i < facts->n_devices; i++)
        if (facts->devices[i].part_number > 0 && facts->devices[i].part_uuid[0] != '\0' &&
            strcasecmp(facts->devices[i].part_uuid, part_uuid) == 0)
            return &facts->devices[i];
    return NULL;
}

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
