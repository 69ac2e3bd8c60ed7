/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "storage/crypt_bitlk.h"

#define SIGNATURE "-FVE-FS-"
#define TO_GO "MSWIN4.1"

#define BOOT_SECTOR_SIZE_AT 11 /* u16, as in any boot sector */

/* Boot sector: a GUID, then the places of the metadata (u64 each). */
#define BOOT_AT 160
#define BOOT_TO_GO_AT 424
#define GUID_LEN 16

/* An area of metadata: a block header, a header with the size of all that follows, entries. */
#define VERSION_AT 10
#define STATE_AT 12
#define BLOCK_HEADER 64
#define HEADER 48

/* Entries: size with the header, type, kind of value, version (u16 each). */
#define ENTRY 8
#define TYPE_PROPERTY 0
#define TYPE_PROTECTOR 2
#define TYPE_STARTUP_KEY 6
#define TYPE_VOLUME_HEADER 15
#define VALUE_KEY 1
#define VALUE_EXTERNAL_KEY 9

/* A protector: GUID, time, two numbers; then entries of its own. */
#define PROTECTOR 28
#define PROTECTION_AT 26
#define PROTECTION_CLEAR 0x0000
#define PROTECTION_STARTUP 0x0200
#define KEY_LEN 36 /* method (u32) and 32 bytes */

#define HEADER_MAX (1U << 20) /* of the volume; usual are 8 KiB */

struct hole {
    uint64_t at, end; /* sectors */
};

bool bitlk_areas(const uint8_t boot[BITLK_BOOT_SIZE], uint64_t ret[BITLK_AREAS])
{
    /* 4967d63b-2e29-4ad8-8399-f6a339e3d001; another one stands for "encrypt on write" */
    static const uint8_t whole[GUID_LEN] = { 0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a,
                                             0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 0x01 };
    size_t at = memcmp(boot + 3, SIGNATURE, strlen(SIGNATURE)) == 0 ? BOOT_AT
                : memcmp(boot + 3, TO_GO, strlen(TO_GO)) == 0       ? BOOT_TO_GO_AT
                                                                    : 0;

    if (at == 0 || memcmp(boot + at, whole, sizeof(whole)) != 0)
        return false;
    for (size_t i = 0; i < BITLK_AREAS; i++)
        ret[i] = get_le64(boot + at + GUID_LEN + 8 * i);
    return true;
}

uint32_t bitlk_sector_size(const uint8_t boot[BITLK_BOOT_SIZE])
{
    return get_le16(boot + BOOT_SECTOR_SIZE_AT);
}

bool bitlk_meta_parse(const uint8_t *area, size_t len, struct bitlk_meta *ret)
{
    size_t at = BLOCK_HEADER + HEADER, end;

    *ret = (struct bitlk_meta){ 0 };
    if (len < at || memcmp(area, SIGNATURE, strlen(SIGNATURE)) != 0 ||
        get_le16(area + VERSION_AT) != 2)
        return false;
    end = get_le32(area + BLOCK_HEADER);
    if (end < HEADER || end > len - BLOCK_HEADER)
        return false;
    end += BLOCK_HEADER;
    ret->state = get_le16(area + STATE_AT);
    while (end - at >= ENTRY && get_le16(area + at) != 0) {
        size_t size = get_le16(area + at);
        unsigned type = get_le16(area + at + 2);

        if (size < ENTRY || size > end - at)
            return false;
        if (type == TYPE_VOLUME_HEADER && size >= ENTRY + 16) {
            ret->header_at = get_le64(area + at + ENTRY);
            ret->header_len = get_le64(area + at + ENTRY + 8);
        }
        if (type == TYPE_PROTECTOR && size >= ENTRY + PROTECTOR &&
            get_le16(area + at + ENTRY + PROTECTION_AT) == PROTECTION_CLEAR) {
            ret->clear_at = at;
            ret->clear_len = size;
        }
        at += size;
    }
    return ret->header_len > 0;
}

static int by_place(const void *a, const void *b)
{
    const struct hole *one = a, *other = b;

    return one->at < other->at ? -1 : one->at > other->at;
}

static void add(struct crypt_row *rows, size_t *n, uint64_t start, uint64_t end)
{
    if (end > start)
        rows[(*n)++] =
            (struct crypt_row){ .start = start, .len = end - start, .at = start, .iv = start };
}

bool bitlk_rows(const struct bitlk_meta *meta, const uint64_t areas[BITLK_AREAS],
                uint64_t n_sectors, struct crypt_row rows[CRYPT_ROWS_MAX], size_t *ret_n)
{
    struct hole holes[BITLK_AREAS + 1];
    uint64_t pos = meta->header_len / CRYPT_SECTOR;
    size_t n = 0;

    if (meta->header_len > HEADER_MAX || (meta->header_len | meta->header_at) % CRYPT_SECTOR != 0)
        return false;
    holes[0].at = meta->header_at / CRYPT_SECTOR;
    holes[0].end = holes[0].at + pos;
    for (size_t i = 0; i < BITLK_AREAS; i++) {
        if (areas[i] % CRYPT_SECTOR != 0)
            return false;
        holes[i + 1].at = areas[i] / CRYPT_SECTOR;
        holes[i + 1].end = holes[i + 1].at + BITLK_AREA_SIZE / CRYPT_SECTOR;
    }
    qsort(holes, ARRAY_SIZE(holes), sizeof(holes[0]), by_place);
    rows[n++] = (struct crypt_row){ .len = pos,
                                    .at = meta->header_at / CRYPT_SECTOR,
                                    .iv = meta->header_at / CRYPT_SECTOR };
    for (size_t i = 0; i < ARRAY_SIZE(holes); i++) {
        if (holes[i].at < pos || holes[i].end > n_sectors)
            return false;
        add(rows, &n, pos, holes[i].at);
        add(rows, &n, holes[i].at, holes[i].end);
        rows[n - 1].zero = true;
        pos = holes[i].end;
    }
    add(rows, &n, pos, n_sectors);
    *ret_n = n;
    return true;
}

/* The key among a protector's entries; NULL: it has none. */
static const uint8_t *find_key(const uint8_t *protector, size_t len)
{
    size_t at = ENTRY + PROTECTOR;

    while (len - at >= ENTRY) {
        size_t size = get_le16(protector + at);

        if (size < ENTRY || size > len - at)
            return NULL;
        if (get_le16(protector + at + 2) == TYPE_PROPERTY &&
            get_le16(protector + at + 4) == VALUE_KEY && size == ENTRY + KEY_LEN)
            return protector + at + ENTRY;
        at += size;
    }
    return NULL;
}

/* Little-endian. */
static void put(uint8_t *at, size_t len, uint32_t value)
{
    for (size_t i = 0; i < len; i++, value >>= 8)
        at[i] = (uint8_t)value;
}

static size_t put_entry(uint8_t *at, size_t size, unsigned type, unsigned value)
{
    const uint32_t words[] = { (uint32_t)size, type, value, 1 };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        put(at + 2 * i, 2, words[i]);
    return ENTRY;
}

size_t bitlk_clear_to_startup(uint8_t *area, const struct bitlk_meta *meta,
                              uint8_t bek[BITLK_BEK_MAX])
{
    uint8_t *protector = area + meta->clear_at;
    const uint8_t *key = meta->clear_at ? find_key(protector, meta->clear_len) : NULL;
    const size_t outer = ENTRY + GUID_LEN + 8 + ENTRY + KEY_LEN, total = HEADER + outer;
    size_t at = HEADER;

    if (!key)
        return 0;
    put(protector + ENTRY + PROTECTION_AT, 2, PROTECTION_STARTUP);
    /* a .bek file: a header as the metadata has it, and the key with the GUID of its protector */
    memset(bek, 0, BITLK_BEK_MAX);
    put(bek, 4, (uint32_t)total);
    put(bek + 4, 4, 1);
    put(bek + 8, 4, HEADER);
    put(bek + 12, 4, (uint32_t)total);
    memcpy(bek + 16, protector + ENTRY, GUID_LEN);
    at += put_entry(bek + at, outer, TYPE_STARTUP_KEY, VALUE_EXTERNAL_KEY);
    memcpy(bek + at, protector + ENTRY, GUID_LEN + 8); /* with the time */
    at += GUID_LEN + 8;
    at += put_entry(bek + at, ENTRY + KEY_LEN, TYPE_PROPERTY, VALUE_KEY);
    memcpy(bek + at, key, KEY_LEN);
    return total;
}
