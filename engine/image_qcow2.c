/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* qcow2, versions 2 and 3. On-disk facts: QEMU's docs/interop/qcow2.txt; all numbers big endian. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/image_format.h"

#define HEADER_V2 72U
#define HEADER_V3 104U
#define OFFSET_MASK 0x00fffffffffffe00ULL
#define ENTRY_COMPRESSED (1ULL << 62)
#define ENTRY_ZERO 1ULL
#define L1_MAX ((32U << 20) / 8) /* QEMU's own limit: 32 MiB */
#define REFTABLE_MAX (8U << 20)  /* QEMU's own limit */
#define BACKING_MAX 1023U        /* bytes of a backing file name */
#define EXT_BACKING_FORMAT 0xe2792acaU
#define EXT_DATA_FILE 0x44415441U
#define EXT_MAX 64U /* header extensions looked at */

/* incompatible feature bits */
#define F_DIRTY (1ULL << 0)
#define F_CORRUPT (1ULL << 1)
#define F_DATA_FILE (1ULL << 2)
#define F_COMPRESSION (1ULL << 3)
#define F_EXTENDED_L2 (1ULL << 4)
#define F_KNOWN (F_DIRTY | F_CORRUPT | F_DATA_FILE | F_COMPRESSION | F_EXTENDED_L2)

static const char magic[4] = { 'Q', 'F', 'I', (char)0xfb };

struct header {
    uint32_t version, cluster_bits, crypt, l1_size, reftable_clusters, length, backing_len;
    uint64_t size, l1_offset, reftable_offset, backing_offset, features;
};

struct qcow2 {
    struct image_walk walk;
    struct header h;
    uint64_t l2_entries; /* of one table */
    unsigned width;      /* bytes of an L2 entry */
    uint64_t first;      /* guest cluster number of the L2 table being walked */
    uint64_t mapped;     /* clusters with data */
    bool has_compressed; /* and some of them compressed */
};

static bool detect(const struct image_io *io)
{
    return image_has_magic(io, 0, magic, sizeof(magic));
}

static int read_header(const struct image_io *io, struct header *h, struct err *err)
{
    uint8_t raw[HEADER_V3] = { 0 };
    size_t len = io->size < sizeof(raw) ? (size_t)io->size : sizeof(raw);

    if (image_need(io, "the header", 0, HEADER_V2, err) < 0 ||
        image_read(io, "the header", 0, raw, len, err) < 0)
        return -err->code;
    if (memcmp(raw, magic, sizeof(magic)) != 0)
        return err_status(err, STATUS_FAILED, "not a qcow2 image");
    *h = (struct header){
        .version = get_be32(raw + 4),
        .backing_offset = get_be64(raw + 8),
        .backing_len = get_be32(raw + 16),
        .cluster_bits = get_be32(raw + 20),
        .size = get_be64(raw + 24),
        .crypt = get_be32(raw + 32),
        .l1_size = get_be32(raw + 36),
        .l1_offset = get_be64(raw + 40),
        .reftable_offset = get_be64(raw + 48),
        .reftable_clusters = get_be32(raw + 56),
        .length = HEADER_V2,
    };
    if (h->version == 3) {
        h->features = get_be64(raw + 72);
        h->length = get_be32(raw + 100);
    }
    return 0;
}

static int check_features(const struct header *h, struct image_scan *ret, struct err *err)
{
    if (h->version != 2 && h->version != 3)
        return err_status(err, STATUS_FAILED,
                          "qcow version %u is not supported: convert it with qemu-img first",
                          h->version);
    if (h->features & ~F_KNOWN)
        return err_status(err, STATUS_REFUSED,
                          "uses qcow2 features that are not known here (bits 0x%" PRIx64 ")",
                          (uint64_t)(h->features & ~F_KNOWN));
    if (h->features & F_DATA_FILE)
        return err_status(err, STATUS_REFUSED,
                          "keeps its data in an external file: merge it with qemu-img convert on "
                          "its own host");
    if (h->features & F_CORRUPT)
        return err_status(err, STATUS_FAILED,
                          "is marked corrupt: run qemu-img check -r all on a copy of it");
    if (h->crypt)
        return err_status(err, STATUS_REFUSED,
                          "is encrypted by qemu (%s): decrypt it with qemu-img convert first",
                          h->crypt == 2 ? "LUKS" : "AES");
    if (h->features & F_DIRTY)
        strlist_add(&ret->notes, "qcow2: was not closed cleanly (dirty bit)");
    return 0;
}

static int check_geometry(const struct image_io *io, const struct header *h, struct err *err)
{
    bool extended = h->features & F_EXTENDED_L2;
    uint64_t l1_span;

    if (h->cluster_bits < (extended ? 14U : 9U) || h->cluster_bits > 21)
        return err_status(err, STATUS_FAILED, "damaged: cluster size 2^%u", h->cluster_bits);
    if (h->version == 3 && (h->length < HEADER_V3 || h->length > (1U << h->cluster_bits)))
        return err_status(err, STATUS_FAILED, "damaged: header of %u bytes", h->length);
    if (h->size > IMAGE_SIZE_MAX)
        return err_status(err, STATUS_FAILED, "damaged: disk of %" PRIu64 " bytes", h->size);
    l1_span = 1ULL << (2 * h->cluster_bits - (extended ? 4 : 3));
    if (h->l1_size > L1_MAX || h->l1_size < (h->size + l1_span - 1) / l1_span)
        return err_status(err, STATUS_FAILED, "damaged: L1 table of %u entries", h->l1_size);
    if ((h->l1_offset | h->reftable_offset) & ((1ULL << h->cluster_bits) - 1))
        return err_status(err, STATUS_FAILED, "damaged: a table is not aligned to a cluster");
    if ((uint64_t)h->reftable_clusters << h->cluster_bits > REFTABLE_MAX)
        return err_status(err, STATUS_FAILED, "damaged: refcount table of %u clusters",
                          h->reftable_clusters);
    return image_need(io, "the refcount table", h->reftable_offset,
                      (uint64_t)h->reftable_clusters << h->cluster_bits, err);
}

/* Names of up to @max bytes; a NUL would make qemu see another name than we do. */
static int read_name(const struct image_io *io, const char *what, uint64_t offset, uint32_t len,
                     char **ret, struct err *err)
{
    CLEANUP_FREE char *name = NULL;

    if (len > BACKING_MAX)
        return err_status(err, STATUS_FAILED, "damaged: %s of %u bytes", what, len);
    name = mem_alloc((size_t)len + 1);
    if (image_read(io, what, offset, name, len, err) < 0)
        return -err->code;
    if (strlen(name) != len)
        return err_status(err, STATUS_FAILED, "damaged: NUL in %s", what);
    free(*ret);
    *ret = TAKE(name);
    return 0;
}

/* Header extensions lie between the header and the backing file's name or the end of the first
 * cluster. */
static int read_extensions(const struct image_io *io, const struct header *h,
                           struct image_scan *ret, struct err *err)
{
    uint64_t end = h->backing_offset ? h->backing_offset : 1ULL << h->cluster_bits;
    uint64_t at = h->length;

    for (unsigned i = 0; i < EXT_MAX && at + 8 <= end; i++) {
        uint8_t raw[8];
        uint32_t type, len;

        if (image_read(io, "the header", at, raw, sizeof(raw), err) < 0)
            return -err->code;
        type = get_be32(raw);
        len = get_be32(raw + 4);
        if (type == 0)
            return 0;
        at += 8;
        if (len > end - at)
            return err_status(err, STATUS_FAILED, "damaged: header extension of %u bytes", len);
        if (type == EXT_DATA_FILE)
            return err_status(err, STATUS_REFUSED, "names an external data file");
        if (type == EXT_BACKING_FORMAT &&
            read_name(io, "the backing format", at, len, &ret->backing_format, err) < 0)
            return -err->code;
        at += ((uint64_t)len + 7) & ~7ULL;
    }
    return 0;
}

static int look_at_compressed(const struct qcow2 *q, uint64_t entry, struct err *err)
{
    unsigned bits = q->h.cluster_bits - 8; /* of the number of further sectors */
    uint64_t offset = entry & ((1ULL << (62 - bits)) - 1);
    uint64_t sectors = ((entry >> (62 - bits)) & ((1ULL << bits) - 1)) + 1;
    uint64_t len = sectors * 512 - (offset & 511);

    /* the last sector of compressed data need not be complete */
    if (offset + len <= ((q->walk.io->size + 511) & ~511ULL))
        return 0;
    return image_need(q->walk.io, "a compressed cluster", offset, len, err);
}

/* How much of a cluster holds data: of one whose subclusters are allocated one by one, up to the
 * last of them; nothing of one that reads as zeros. */
static uint64_t data_in_cluster(const struct qcow2 *q, const uint8_t *raw, uint64_t entry)
{
    uint64_t cluster = 1ULL << q->h.cluster_bits;
    uint32_t allocated;

    if (q->width == 8)
        return q->h.version == 3 && (entry & ENTRY_ZERO) ? 0 : cluster;
    allocated = get_be32(raw + 12);
    return allocated ? cluster / 32 * (32 - (unsigned)__builtin_clz(allocated)) : 0;
}

static int look_at_l2(void *arg, const uint8_t *entries, uint64_t first, size_t n, struct err *err)
{
    struct qcow2 *q = arg;

    for (size_t i = 0; i < n; i++) {
        const uint8_t *raw = entries + i * q->width;
        uint64_t entry = get_be64(raw);
        uint64_t start = (q->first + first + i) << q->h.cluster_bits;
        uint64_t len;

        if (entry == 0 || start >= q->h.size)
            continue;
        q->mapped++;
        if (entry & ENTRY_COMPRESSED) {
            q->has_compressed = true;
            if (look_at_compressed(q, entry, err) < 0)
                return -err->code;
            continue;
        }
        len = data_in_cluster(q, raw, entry);
        if (len > q->h.size - start)
            len = q->h.size - start;
        if ((entry & OFFSET_MASK) != 0 && len > 0 &&
            image_need(q->walk.io, "a data cluster", entry & OFFSET_MASK, len, err) < 0)
            return -err->code;
    }
    return 0;
}

static int look_at_l1(void *arg, const uint8_t *entries, uint64_t first, size_t n, struct err *err)
{
    struct qcow2 *q = arg;

    for (size_t i = 0; i < n; i++) {
        struct image_table l2 = { .what = "an L2 table",
                                  .offset = get_be64(entries + i * 8) & OFFSET_MASK,
                                  .n = q->l2_entries,
                                  .width = q->width,
                                  .level = 1,
                                  .look = look_at_l2,
                                  .skip_holes = true,
                                  .arg = q };

        if (l2.offset == 0)
            continue;
        q->first = (first + i) * q->l2_entries;
        if (image_walk_table(&q->walk, &l2, err) < 0)
            return -err->code;
    }
    return 0;
}

static int walk_tables(const struct image_io *io, const struct header *h, struct image_scan *ret,
                       struct err *err)
{
    CLEANUP_FREE struct qcow2 *q = mem_alloc(sizeof(*q));
    struct image_table l1 = { .what = "the L1 table",
                              .offset = h->l1_offset,
                              .width = 8,
                              .look = look_at_l1,
                              .skip_holes = true,
                              .arg = q };
    unsigned span_bits;

    q->walk.io = io;
    q->h = *h;
    q->width = h->features & F_EXTENDED_L2 ? 16 : 8;
    q->l2_entries = (1ULL << h->cluster_bits) / q->width;
    span_bits = h->cluster_bits * 2 - (q->width == 16 ? 4 : 3);
    /* entries beyond the disk hold the memory of saved machines: not ours to read */
    l1.n = (h->size + (1ULL << span_bits) - 1) >> span_bits;
    if (image_walk_table(&q->walk, &l1, err) < 0)
        return -err->code;
    ret->unpacked_bytes = q->has_compressed ? q->mapped << h->cluster_bits : 0;
    return 0;
}

static int walk(const struct image_io *io, struct image_scan *ret, struct err *err)
{
    struct header h = { 0 };

    if (read_header(io, &h, err) < 0 || check_features(&h, ret, err) < 0 ||
        check_geometry(io, &h, err) < 0 || read_extensions(io, &h, ret, err) < 0)
        return -err->code;
    if (h.backing_offset != 0 && h.backing_len > 0 &&
        read_name(io, "the backing file's name", h.backing_offset, h.backing_len, &ret->backing,
                  err) < 0)
        return -err->code;
    if (walk_tables(io, &h, ret, err) < 0)
        return -err->code;
    ret->size_bytes = h.size & ~511ULL; /* as qemu counts: whole sectors */
    ret->sector_size = 512;
    ret->subformat = "";
    ret->can_rewrite = true;
    return 0;
}

const struct image_format image_format_qcow2 = {
    .name = "qcow2",
    .detect = detect,
    .walk = walk,
};
