/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Image headers. An input is a sparse file in small: what to do (1 byte), number of pieces (1),
 * size of the file (8), offset (8) and length (2) of each piece, then their bytes one after the
 * other. Checksums are set right, so that the fuzzer gets past them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/image_format.h"
#include "engine/image_vmdk.h"

#define SIZE_MASK ((1ULL << 25) - 1)
#define PIECES_MAX 16
#define FIXED 10U /* bytes before the table of pieces */

struct piece {
    uint64_t offset;
    size_t len;
    uint8_t *data;
};

struct sparse {
    struct piece pieces[PIECES_MAX];
    size_t n;
    uint64_t size;
};

enum action { DETECT, FORMATS, TEXT = 6, EXTENTS = 7, ACTIONS = 11 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_sparse(void *ctx, uint64_t offset, void *buf, size_t len)
{
    const struct sparse *sparse = ctx;

    if (offset > sparse->size || len > sparse->size - offset)
        abort(); /* the readers promise to stay inside */
    memset(buf, 0, len);
    for (size_t i = 0; i < sparse->n; i++) {
        const struct piece *piece = &sparse->pieces[i];
        uint64_t start = piece->offset > offset ? piece->offset : offset;
        uint64_t end = piece->offset + piece->len;

        if (end > offset + len)
            end = offset + len;
        if (start < end)
            memcpy((uint8_t *)buf + (start - offset), piece->data + (start - piece->offset),
                   (size_t)(end - start));
    }
    return 0;
}

static uint64_t next_data(void *ctx, uint64_t offset)
{
    const struct sparse *sparse = ctx;
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < sparse->n; i++) {
        const struct piece *piece = &sparse->pieces[i];

        if (piece->offset + piece->len > offset && piece->offset < next)
            next = piece->offset > offset ? piece->offset : offset;
    }
    return next;
}

static void put(struct sparse *sparse, uint64_t offset, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < sparse->n; i++) {
        struct piece *piece = &sparse->pieces[i];

        for (size_t k = 0; k < len; k++)
            if (offset + k >= piece->offset && offset + k - piece->offset < piece->len)
                piece->data[offset + k - piece->offset] = bytes[k];
    }
}

/* CRC-32C at byte 4 of a VHDX structure. */
static void fix_crc(struct sparse *sparse, uint64_t offset, size_t len)
{
    static uint8_t raw[65536];
    uint32_t crc = ~0U;

    if (offset > sparse->size || len > sparse->size - offset)
        return;
    (void)read_sparse(sparse, offset, raw, len);
    memset(raw + 4, 0, 4);
    for (size_t i = 0; i < len; i++) {
        crc ^= raw[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78U : 0);
    }
    crc = htole32(~crc);
    put(sparse, offset + 4, (const uint8_t *)&crc, 4);
}

/* One's complement sum of a VHD structure. */
static void fix_sum(struct sparse *sparse, uint64_t offset, size_t len, size_t at)
{
    uint8_t raw[1024];
    uint32_t sum = 0;

    if (offset > sparse->size || len > sparse->size - offset)
        return;
    (void)read_sparse(sparse, offset, raw, len);
    for (size_t i = 0; i < len; i++)
        if (i < at || i >= at + 4)
            sum += raw[i];
    sum = htobe32(~sum);
    put(sparse, offset + at, (const uint8_t *)&sum, 4);
}

static void fix_checksums(struct sparse *sparse, const struct image_format *format)
{
    uint8_t raw[512];

    if (format == &image_format_vhdx) {
        fix_crc(sparse, 65536, 4096);
        fix_crc(sparse, 131072, 4096);
        fix_crc(sparse, 196608, 65536);
    } else if (format == &image_format_vpc && sparse->size >= sizeof(raw)) {
        (void)read_sparse(sparse, 0, raw, sizeof(raw));
        fix_sum(sparse, get_be64(raw + 16) & SIZE_MASK, 1024, 36);
        if (memcmp(raw, "conectix", 8) == 0) {
            fix_sum(sparse, 0, 512, 64);
            (void)read_sparse(sparse, 0, raw, sizeof(raw));
            put(sparse, sparse->size - 512, raw, sizeof(raw));
        }
        fix_sum(sparse, sparse->size - 512, 512, 64);
    }
}

static void walk(struct sparse *sparse, enum action action)
{
    struct image_io io = {
        .read = read_sparse, .next_data = next_data, .ctx = sparse, .size = sparse->size
    };
    CLEANUP_SCAN struct image_scan scan = { 0 };
    const struct image_format *format = NULL;
    struct image_extent extent = { .size_bytes = 1 << 20 };
    struct err err = ERR_NONE;

    if (action >= EXTENTS) {
        extent.kind = (enum image_extent_kind)(action - EXTENTS);
        (void)image_format_vmdk.walk_extent(&io, &extent, &err);
        return;
    }
    if (action == DETECT) {
        if (image_detect(&io, &format, &err) < 0 || !format)
            return;
    } else {
        format = image_formats[action - FORMATS];
        fix_checksums(sparse, format);
    }
    if (format->walk(&io, &scan, &err) < 0 && (err.code == 0 || err.depth == 0))
        abort(); /* a failure without a reason */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sparse sparse = { 0 };
    uint8_t *copy;
    enum action action;
    size_t at;

    if (size < FIXED)
        return 0;
    action = (enum action)(data[0] % ACTIONS);
    if (action == TEXT) {
        CLEANUP_SCAN struct image_scan scan = { 0 };
        struct vmdk_descriptor descriptor;
        struct err err = ERR_NONE;

        (void)vmdk_parse((const char *)data + 1, size - 1, &scan, &descriptor, &err);
        return 0;
    }
    sparse.n = data[1] % (PIECES_MAX + 1);
    sparse.size = get_le64(data + 2) & SIZE_MASK;
    at = FIXED + sparse.n * 10;
    if (at > size)
        return 0;
    copy = malloc(size);
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    for (size_t i = 0; i < sparse.n; i++) {
        size_t len = get_le16(data + FIXED + i * 10 + 8);

        if (len > size - at)
            len = size - at;
        sparse.pieces[i] = (struct piece){ .offset = get_le64(data + FIXED + i * 10) & SIZE_MASK,
                                           .len = len,
                                           .data = copy + at };
        at += len;
    }
    walk(&sparse, action);
    free(copy);
    return 0;
}
