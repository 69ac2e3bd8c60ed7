/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VHDX. On-disk facts: Microsoft's [MS-VHDX]; all numbers little endian. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/image_format.h"
#include "engine/image_vhdx.h"

#define REGION_SIZE 65536U
#define REGIONS_MAX 2047U
#define METADATA_TABLE 65536U
#define METADATA_ITEMS_MAX 2047U
#define MB (1ULL << 20)
#define DISK_MAX (64ULL << 40)

const uint64_t vhdx_header_offsets[2] = { 65536, 131072 };
static const uint64_t region_offsets[] = { 196608, 262144 };

/* GUIDs as they lie on the disk */
static const uint8_t guid_bat[16] = { 0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0x00, 0x42,
                                      0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08 };
static const uint8_t guid_metadata[16] = { 0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b,
                                           0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e };
static const uint8_t guid_zero[16];

enum item { ITEM_PARAMETERS, ITEM_SIZE, ITEM_SECTOR, ITEM_PARENT, N_ITEMS };

static const struct {
    uint8_t guid[16];
    uint32_t len; /* bytes that are read */
    const char *what;
} items[N_ITEMS] = {
    [ITEM_PARAMETERS] = { { 0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d, 0xb3, 0xb6, 0x33, 0xf0,
                            0xaa, 0x44, 0xe7, 0x6b },
                          8,
                          "the file parameters" },
    [ITEM_SIZE] = { { 0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48, 0xb2, 0x11, 0x5d, 0xbe, 0xd8,
                      0x3b, 0xf4, 0xb8 },
                    8,
                    "the disk size" },
    [ITEM_SECTOR] = { { 0x1d, 0xbf, 0x41, 0x81, 0x6f, 0xa9, 0x09, 0x47, 0xba, 0x47, 0xf2, 0x33,
                        0xa8, 0xfa, 0xab, 0x5f },
                      4,
                      "the sector size" },
    [ITEM_PARENT] = { { 0x2d, 0x5f, 0xd3, 0xa8, 0x0b, 0xb3, 0x4d, 0x45, 0xab, 0xf7, 0xd3, 0xd8,
                        0x48, 0x34, 0xab, 0x0c },
                      0,
                      "the parent locator" },
};

struct vhdx {
    struct image_walk walk;
    uint64_t bat_offset, metadata_offset;
    uint32_t bat_len, metadata_len;
    uint8_t item[N_ITEMS][8];
    bool has_item[N_ITEMS];
    uint64_t size, chunk_ratio;
    uint32_t block_size, sector_size;
};

static bool detect(const struct image_io *io)
{
    return image_has_magic(io, 0, "vhdxfile", 8);
}

uint32_t vhdx_crc32c(const uint8_t *data, size_t len)
{
    uint32_t table[256];
    uint32_t crc = ~0U;

    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;

        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? (c >> 1) ^ 0x82f63b78U : c >> 1;
        table[i] = c;
    }
    for (size_t i = 0; i < len; i++)
        crc = table[(crc ^ (i >= 4 && i < 8 ? 0 : data[i])) & 0xff] ^ (crc >> 8);
    return ~crc;
}

int vhdx_read_header(const struct image_io *io, uint8_t *ret, struct err *err)
{
    uint8_t raw[VHDX_HEADER_SIZE];
    int current = -1;

    for (int i = 0; i < 2; i++) {
        if (image_read(io, "a header", vhdx_header_offsets[i], raw, sizeof(raw), err) < 0)
            return -err->code;
        if (memcmp(raw, "head", 4) != 0 ||
            vhdx_crc32c(raw, sizeof(raw)) != get_le32(raw + VHDX_HEADER_CRC))
            continue;
        if (current >= 0 &&
            get_le64(raw + VHDX_HEADER_SEQUENCE) <= get_le64(ret + VHDX_HEADER_SEQUENCE))
            continue;
        memcpy(ret, raw, sizeof(raw));
        current = i;
    }
    if (current < 0)
        return err_status(err, STATUS_FAILED, "damaged: neither header has a right checksum");
    return current;
}

bool vhdx_header_has_log(const uint8_t *header)
{
    return memcmp(header + VHDX_HEADER_LOG_GUID, guid_zero, sizeof(guid_zero)) != 0;
}

static int check_headers(const struct image_io *io, bool *ret_has_log, struct err *err)
{
    uint8_t current[VHDX_HEADER_SIZE];

    if (vhdx_read_header(io, current, err) < 0)
        return -err->code;
    if (get_le16(current + 66) != 1)
        return err_status(err, STATUS_FAILED, "VHDX version %u is not supported",
                          get_le16(current + 66));
    *ret_has_log = vhdx_header_has_log(current);
    return image_need(io, "the log", get_le64(current + 72), get_le32(current + 68), err);
}

static int read_regions(const struct image_io *io, struct vhdx *vhdx, struct err *err)
{
    uint8_t *raw = vhdx->walk.piece[0];
    size_t copy = 0;
    uint32_t n;

    for (; copy < ARRAY_SIZE(region_offsets); copy++) {
        if (image_read(io, "a region table", region_offsets[copy], raw, REGION_SIZE, err) < 0)
            return -err->code;
        if (memcmp(raw, "regi", 4) == 0 && vhdx_crc32c(raw, REGION_SIZE) == get_le32(raw + 4))
            break;
    }
    if (copy == ARRAY_SIZE(region_offsets))
        return err_status(err, STATUS_FAILED, "damaged: neither region table has a right checksum");
    n = get_le32(raw + 8);
    if (n > REGIONS_MAX)
        return err_status(err, STATUS_FAILED, "damaged: %u regions", n);
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *entry = raw + 16 + (size_t)i * 32;

        if (memcmp(entry, guid_bat, 16) == 0) {
            vhdx->bat_offset = get_le64(entry + 16);
            vhdx->bat_len = get_le32(entry + 24);
        } else if (memcmp(entry, guid_metadata, 16) == 0) {
            vhdx->metadata_offset = get_le64(entry + 16);
            vhdx->metadata_len = get_le32(entry + 24);
        } else if (get_le32(entry + 28) & 1) {
            return err_status(err, STATUS_REFUSED, "needs a VHDX region that is not known here");
        }
    }
    if (vhdx->bat_offset < MB || vhdx->metadata_offset < MB)
        return err_status(err, STATUS_FAILED, "damaged: no block table or no metadata");
    return 0;
}

static int read_item(const struct image_io *io, struct vhdx *vhdx, const uint8_t *entry,
                     struct err *err)
{
    uint32_t offset = get_le32(entry + 16), len = get_le32(entry + 20);

    for (size_t i = 0; i < N_ITEMS; i++) {
        if (memcmp(entry, items[i].guid, 16) != 0)
            continue;
        if (offset < METADATA_TABLE || offset > vhdx->metadata_len || len < items[i].len ||
            len > vhdx->metadata_len - offset)
            return err_status(err, STATUS_FAILED, "damaged: %s in the metadata", items[i].what);
        vhdx->has_item[i] = true;
        return image_read(io, items[i].what, vhdx->metadata_offset + offset, vhdx->item[i],
                          items[i].len, err);
    }
    return 0;
}

static int read_metadata(const struct image_io *io, struct vhdx *vhdx, struct err *err)
{
    uint8_t *raw = vhdx->walk.piece[0];
    unsigned n;

    if (image_read(io, "the metadata", vhdx->metadata_offset, raw, METADATA_TABLE, err) < 0)
        return -err->code;
    n = get_le16(raw + 10);
    if (memcmp(raw, "metadata", 8) != 0 || n > METADATA_ITEMS_MAX)
        return err_status(err, STATUS_FAILED, "damaged: metadata table");
    for (unsigned i = 0; i < n; i++)
        if (read_item(io, vhdx, raw + 32 + (size_t)i * 32, err) < 0)
            return -err->code;
    if (!vhdx->has_item[ITEM_PARAMETERS] || !vhdx->has_item[ITEM_SIZE] ||
        !vhdx->has_item[ITEM_SECTOR])
        return err_status(err, STATUS_FAILED, "damaged: incomplete metadata");
    if (vhdx->has_item[ITEM_PARENT] || get_le32(vhdx->item[ITEM_PARAMETERS] + 4) & 2)
        return err_status(err, STATUS_REFUSED,
                          "is a differencing VHDX, which holds only the changes to its parent: "
                          "merge it on its host first");
    vhdx->block_size = get_le32(vhdx->item[ITEM_PARAMETERS]);
    vhdx->size = get_le64(vhdx->item[ITEM_SIZE]);
    vhdx->sector_size = get_le32(vhdx->item[ITEM_SECTOR]);
    if (vhdx->sector_size != 512 && vhdx->sector_size != 4096)
        return err_status(err, STATUS_FAILED, "damaged: sectors of %u bytes", vhdx->sector_size);
    if (vhdx->block_size < MB || vhdx->block_size > 256 * MB ||
        (vhdx->block_size & (vhdx->block_size - 1)))
        return err_status(err, STATUS_FAILED, "damaged: blocks of %u bytes", vhdx->block_size);
    if (vhdx->size > DISK_MAX || vhdx->size % vhdx->sector_size)
        return err_status(err, STATUS_FAILED, "damaged: disk of %" PRIu64 " bytes", vhdx->size);
    vhdx->chunk_ratio = (1ULL << 23) * vhdx->sector_size / vhdx->block_size;
    return 0;
}

/* Payload entries, with one for a sector bitmap (unused without a parent) after each chunk. */
static int look(void *arg, const uint8_t *entries, uint64_t first, size_t n, struct err *err)
{
    const struct vhdx *vhdx = arg;

    for (size_t i = 0; i < n; i++) {
        uint64_t entry = get_le64(entries + i * 8), number = first + i;
        uint64_t start = (number - number / (vhdx->chunk_ratio + 1)) * vhdx->block_size;
        uint64_t left = start < vhdx->size ? vhdx->size - start : 0;
        unsigned state = entry & 7;

        if (state < 6 || left == 0 || number % (vhdx->chunk_ratio + 1) == vhdx->chunk_ratio)
            continue;
        if (state == 7)
            return err_status(err, STATUS_REFUSED,
                              "has partly present blocks, so it belongs to a differencing chain");
        if (image_need(vhdx->walk.io, "a data block", (entry >> 20) * MB,
                       left < vhdx->block_size ? left : vhdx->block_size, err) < 0)
            return -err->code;
    }
    return 0;
}

static int walk_bat(const struct image_io *io, struct vhdx *vhdx, struct err *err)
{
    struct image_table bat = { .what = "the block table",
                               .offset = vhdx->bat_offset,
                               .width = 8,
                               .skip_holes = true,
                               .look = look,
                               .arg = vhdx };
    uint64_t blocks = (vhdx->size + vhdx->block_size - 1) / vhdx->block_size;

    vhdx->walk.io = io;
    bat.n = blocks ? blocks + (blocks - 1) / vhdx->chunk_ratio : 0;
    if (bat.n * 8 > vhdx->bat_len)
        return err_status(err, STATUS_FAILED, "damaged: block table of %u bytes", vhdx->bat_len);
    return image_walk_table(&vhdx->walk, &bat, err);
}

static int walk(const struct image_io *io, struct image_scan *ret, struct err *err)
{
    CLEANUP_FREE struct vhdx *vhdx = mem_alloc(sizeof(*vhdx));

    if (!detect(io))
        return err_status(err, STATUS_FAILED, "not a vhdx image");
    if (check_headers(io, &ret->has_log, err) < 0 || read_regions(io, vhdx, err) < 0 ||
        read_metadata(io, vhdx, err) < 0 || walk_bat(io, vhdx, err) < 0)
        return -err->code;
    ret->size_bytes = vhdx->size;
    ret->sector_size = vhdx->sector_size;
    ret->subformat = get_le32(vhdx->item[ITEM_PARAMETERS] + 4) & 1 ? "fixed" : "dynamic";
    ret->can_rewrite = true;
    return 0;
}

const struct image_format image_format_vhdx = {
    .name = "vhdx",
    .detect = detect,
    .walk = walk,
};
