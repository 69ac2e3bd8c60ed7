/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/lvm_label.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"

#define SECTOR 512U
#define LABEL_SECTORS 4U
#define CRC_START 0xf597a6cfU
#define CRC_POLYNOMIAL 0xedb88320U

/* of a label */
#define LABEL_SECTOR_AT 8U
#define LABEL_CRC_AT 16U
#define LABEL_OFFSET_AT 20U
#define LABEL_TYPE_AT 24U
#define LABEL_TYPE "LVM2 001"

/* of an area's header */
#define MDA_MAGIC " LVM2 x[5A%r0N*>"
#define MDA_VERSION 1U
#define MDA_LOCATION_AT 40U
#define LOCATION_IGNORED 1U

#define MDA_MAX (1ULL << 28)
#define TEXT_MAX (1ULL << 25)

uint32_t lvm_crc(const void *data, size_t len)
{
    const uint8_t *bytes = data;
    uint32_t crc = CRC_START;

    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? CRC_POLYNOMIAL : 0);
    }
    return crc;
}

/* A list of areas that ends with an empty one. Returns where it ends; 0: it does not. */
static size_t parse_areas(const uint8_t *sector, size_t at, struct lvm_area *areas, size_t *ret_n)
{
    *ret_n = 0;
    for (; at + 16 <= SECTOR; at += 16) {
        struct lvm_area area = { get_le64(sector + at), get_le64(sector + at + 8) };

        if (area.offset == 0 && area.size == 0)
            return at + 16;
        if (*ret_n < LVM_AREAS_MAX)
            areas[(*ret_n)++] = area;
    }
    return 0;
}

static int parse_pv(const uint8_t *sector, size_t at, struct lvm_label *ret)
{
    struct lvm_area data[LVM_AREAS_MAX];
    size_t n_data;

    if (at > SECTOR - LVM_ID_LEN - 8)
        return -EBADMSG;
    for (size_t i = 0; i < LVM_ID_LEN; i++)
        if (!isalnum(sector[at + i]) && !strchr("!#", sector[at + i]))
            return -EBADMSG;
    memcpy(ret->id, sector + at, LVM_ID_LEN);
    ret->device_size = get_le64(sector + at + LVM_ID_LEN);
    at = parse_areas(sector, at + LVM_ID_LEN + 8, data, &n_data);
    if (at == 0 || parse_areas(sector, at, ret->metadata, &ret->n_metadata) == 0)
        return -EBADMSG;
    return 0;
}

int lvm_label_parse(const uint8_t bytes[LVM_LABEL_BYTES], struct lvm_label *ret)
{
    int r = -ENOENT;

    memset(ret, 0, sizeof(*ret));
    for (uint64_t i = 0; i < LABEL_SECTORS; i++) {
        const uint8_t *sector = bytes + i * SECTOR;

        if (memcmp(sector, "LABELONE", 8) != 0 ||
            memcmp(sector + LABEL_TYPE_AT, LABEL_TYPE, strlen(LABEL_TYPE)) != 0)
            continue;
        r = -EBADMSG;
        if (get_le64(sector + LABEL_SECTOR_AT) == i &&
            get_le32(sector + LABEL_CRC_AT) ==
                lvm_crc(sector + LABEL_OFFSET_AT, SECTOR - LABEL_OFFSET_AT))
            return parse_pv(sector, get_le32(sector + LABEL_OFFSET_AT), ret);
    }
    return r;
}

int lvm_mda_parse(const uint8_t bytes[LVM_MDA_HEADER], const struct lvm_area *area,
                  struct lvm_text_place *ret)
{
    const uint8_t *location = bytes + MDA_LOCATION_AT;

    if (memcmp(bytes + 4, MDA_MAGIC, strlen(MDA_MAGIC)) != 0 ||
        get_le32(bytes) != lvm_crc(bytes + 4, LVM_MDA_HEADER - 4) ||
        get_le32(bytes + 20) != MDA_VERSION || get_le64(bytes + 24) != area->offset)
        return -EBADMSG;
    if (area->size <= LVM_MDA_HEADER || area->size > MDA_MAX || get_le64(bytes + 32) != area->size)
        return -EBADMSG;
    *ret = (struct lvm_text_place){
        .start = get_le64(location),
        .size = get_le64(location + 8),
        .crc = get_le32(location + 16),
    };
    if (ret->start == 0 || (get_le32(location + 20) & LOCATION_IGNORED))
        return -ENOENT;
    if (ret->start < LVM_MDA_HEADER || ret->start >= area->size || ret->size == 0 ||
        ret->size > area->size - LVM_MDA_HEADER || ret->size > TEXT_MAX)
        return -EBADMSG;
    return 0;
}

int lvm_label_read(const struct volume *volume, struct lvm_label *ret)
{
    uint8_t bytes[LVM_LABEL_BYTES];
    int r = volume_read(volume, 0, bytes, sizeof(bytes));

    return r < 0 ? r : lvm_label_parse(bytes, ret);
}

int lvm_text_read(const struct volume *volume, const struct lvm_area *area, char **ret_text,
                  size_t *ret_len)
{
    uint8_t header[LVM_MDA_HEADER];
    CLEANUP_FREE char *text = NULL;
    struct lvm_text_place place = { 0 };
    size_t first;
    int r = volume_read(volume, area->offset, header, sizeof(header));

    if (r == 0)
        r = lvm_mda_parse(header, area, &place);
    if (r < 0)
        return r;
    text = mem_alloc((size_t)place.size + 1);
    first = (size_t)(area->size - place.start < place.size ? area->size - place.start : place.size);
    r = volume_read(volume, area->offset + place.start, text, first);
    if (r == 0 && first < place.size)
        r = volume_read(volume, area->offset + LVM_MDA_HEADER, text + first,
                        (size_t)place.size - first);
    if (r < 0)
        return r;
    if (lvm_crc(text, (size_t)place.size) != place.crc)
        return -EBADMSG;
    *ret_len = (size_t)place.size;
    *ret_text = TAKE(text);
    return 0;
}
