/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/gpt.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"

/* GPT header (UEFI 2.10, 5.3.2): at LBA 1, fields little-endian */
#define MAGIC "EFI PART"
#define HEADER_SIZE 12
#define HEADER_CRC 16 /* CRC-32 of the header with this field zero */
#define MY_LBA 24
#define ENTRIES_LBA 72
#define N_ENTRIES 80
#define ENTRY_SIZE 84
#define ENTRIES_CRC 88
#define HEADER_MIN 92
#define SECTOR_MAX 4096
#define ENTRIES_MAX (1U << 20) /* bytes; usual are 16 KiB */

static uint32_t crc(const void *data, size_t len)
{
    return (uint32_t)crc32(0, data, (uInt)len);
}

static bool header_is_whole(uint8_t *header, unsigned sector_size)
{
    uint32_t size = get_le32(header + HEADER_SIZE), sum = get_le32(header + HEADER_CRC);

    if (memcmp(header, MAGIC, strlen(MAGIC)) != 0 || size < HEADER_MIN || size > sector_size ||
        get_le64(header + MY_LBA) != 1)
        return false;
    memset(header + HEADER_CRC, 0, sizeof(sum));
    return crc(header, size) == sum;
}

bool gpt_is_whole(const struct volume *disk, unsigned sector_size)
{
    uint8_t header[SECTOR_MAX];
    CLEANUP_FREE uint8_t *entries = NULL;
    uint64_t len, at;

    if (sector_size > sizeof(header) || volume_read(disk, sector_size, header, sector_size) < 0 ||
        !header_is_whole(header, sector_size))
        return false;
    len = (uint64_t)get_le32(header + N_ENTRIES) * get_le32(header + ENTRY_SIZE);
    if (len == 0 || len > ENTRIES_MAX ||
        __builtin_mul_overflow(get_le64(header + ENTRIES_LBA), (uint64_t)sector_size, &at))
        return false;
    entries = malloc(len);
    return entries && volume_read(disk, at, entries, len) == 0 &&
           crc(entries, len) == get_le32(header + ENTRIES_CRC);
}
