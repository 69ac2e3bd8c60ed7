/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VMDK. On-disk facts: VMware's "Virtual Disk Format 5.0" (hosted sparse extents, descriptors),
 * QEMU's block/vmdk.c (which copies of the tables it reads; COWD and SE sparse headers). Numbers
 * are little endian; offsets and sizes count sectors of 512 bytes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/image_vmdk.h"

#define SECTOR UINT64_C(512)
#define GD_AT_END UINT64_MAX
#define GTES_MAX 512U       /* entries of a grain table: qemu's limit */
#define GRAIN_MAX 0x200000U /* sectors: qemu's limit */
#define GD_MAX (32U << 20)  /* entries: qemu's limit */
#define DESCRIPTOR_SECTOR 1U
#define DESCRIPTOR_WINDOW ((size_t)20 * 512) /* bytes at sector 1 where qemu looks for a parent */
#define COWD_GTES 4096U
#define TEXT_MARK "# Disk DescriptorFile"

/* flags of a hosted sparse header */
#define F_ZERO_GRAIN (1U << 2)
#define F_COMPRESSED (1U << 16)
#define F_MARKERS (1U << 17)

enum marker { MARKER_END = 0, MARKER_TABLE = 1, MARKER_DIRECTORY = 2, MARKER_FOOTER = 3 };

/* The mapping of one sparse file. */
struct sparse {
    struct image_walk walk;
    uint64_t capacity, grain; /* sectors */
    uint64_t gd_offset;       /* bytes */
    uint32_t gtes;
    bool compressed, zero_grain;
    uint64_t first;  /* grain number of the table being walked */
    uint64_t last;   /* byte offset of the grain that lies last in the file */
    uint64_t mapped; /* sectors of the disk that grains hold */
};

struct header {
    uint32_t version, flags, gtes;
    uint64_t capacity, grain, descriptor, descriptor_len, gd, rgd, overhead;
    bool unclean;
    uint16_t compression;
    uint64_t unpacked_bytes; /* of compressed grains; not in the file but counted */
};

static bool is_sparse(const struct image_io *io)
{
    return image_has_magic(io, 0, "KDMV", 4);
}

static bool is_text(const struct image_io *io)
{
    char start[sizeof(TEXT_MARK)] = { 0 };

    return io->size >= sizeof(start) && io->read(io->ctx, 0, start, sizeof(start) - 1) == 0 &&
           strcasecmp(start, TEXT_MARK) == 0;
}

static bool detect(const struct image_io *io)
{
    return is_sparse(io) || is_text(io) || image_has_magic(io, 0, "COWD", 4) ||
           image_has_magic(io, 0, "\xbe\xba\xfe\xca\0\0\0\0", 8);
}

/* ---- grain directory and tables ---- */

static int look_at_grains(void *arg, const uint8_t *entries, uint64_t first, size_t n,
                          struct err *err)
{
    struct sparse *sparse = arg;

    for (size_t i = 0; i < n; i++) {
        uint64_t sector = get_le32(entries + i * 4);
        uint64_t start = (sparse->first + first + i) * sparse->grain;
        uint64_t left = start < sparse->capacity ? sparse->capacity - start : 0;
        uint64_t len = left < sparse->grain ? left : sparse->grain;

        if (sector == 0 || left == 0 || (sector == 1 && sparse->zero_grain))
            continue;
        sparse->mapped += len;
        if (sparse->compressed)
            len = 1; /* its marker tells the length; that of the last one is looked at */
        if (image_need(sparse->walk.io, "a grain", sector * SECTOR, len * SECTOR, err) < 0)
            return -err->code;
        if (sector * SECTOR > sparse->last)
            sparse->last = sector * SECTOR;
    }
    return 0;
}

static int look_at_directory(void *arg, const uint8_t *entries, uint64_t first, size_t n,
                             struct err *err)
{
    struct sparse *sparse = arg;

    for (size_t i = 0; i < n; i++) {
        struct image_table table = { .what = "a grain table",
                                     .offset = get_le32(entries + i * 4) * SECTOR,
                                     .n = sparse->gtes,
                                     .width = 4,
                                     .level = 1,
                                     .look = look_at_grains,
                                     .skip_holes = true,
                                     .arg = sparse };

        if (table.offset == 0)
            continue;
        sparse->first = (first + i) * sparse->gtes;
        if (image_walk_table(&sparse->walk, &table, err) < 0)
            return -err->code;
    }
    return 0;
}

static int walk_sparse(struct sparse *sparse, struct err *err)
{
    uint64_t span = sparse->grain * sparse->gtes;
    struct image_table directory = { .what = "the grain directory",
                                     .offset = sparse->gd_offset,
                                     .n = span ? (sparse->capacity + span - 1) / span : 0,
                                     .width = 4,
                                     .look = look_at_directory,
                                     .skip_holes = true,
                                     .arg = sparse };
    uint8_t marker[12];

    if (span == 0 || directory.n > GD_MAX)
        return err_status(err, STATUS_FAILED, "damaged: grain directory of %" PRIu64 " entries",
                          directory.n);
    if (image_walk_table(&sparse->walk, &directory, err) < 0)
        return -err->code;
    if (!sparse->compressed || sparse->last == 0)
        return 0;
    /* marker: first sector (8 bytes), length of the compressed data (4 bytes), data */
    if (image_read(sparse->walk.io, "the last grain", sparse->last, marker, sizeof(marker), err) <
        0)
        return -err->code;
    return image_need(sparse->walk.io, "the last grain", sparse->last,
                      sizeof(marker) + (uint64_t)get_le32(marker + 8), err);
}

/* ---- hosted sparse files ---- */

static int read_header(const struct image_io *io, uint64_t offset, struct header *h,
                       struct err *err)
{
    uint8_t raw[512];

    if (image_read(io, "a sparse header", offset, raw, sizeof(raw), err) < 0)
        return -err->code;
    if (memcmp(raw, "KDMV", 4) != 0)
        return err_status(err, STATUS_FAILED,
                          "truncated or damaged: no sparse header at byte %" PRIu64, offset);
    *h = (struct header){
        .version = get_le32(raw + 4),
        .flags = get_le32(raw + 8),
        .capacity = get_le64(raw + 12),
        .grain = get_le64(raw + 20),
        .descriptor = get_le64(raw + 28),
        .descriptor_len = get_le64(raw + 36),
        .gtes = get_le32(raw + 44),
        .rgd = get_le64(raw + 48),
        .gd = get_le64(raw + 56),
        .overhead = get_le64(raw + 64),
        .unclean = raw[72] != 0,
        .compression = get_le16(raw + 77),
    };
    return 0;
}

/* The header of a streamOptimized disk that was written in one go is a copy at the end: marker of
 * the footer, footer, marker of the end, a sector each. */
static int read_stream_footer(const struct image_io *io, struct header *h, struct err *err)
{
    const struct header first = *h;
    uint8_t raw[512];

    if (image_need(io, "the footer", 0, 4 * SECTOR, err) < 0 ||
        image_read(io, "the footer", io->size - 3 * SECTOR, raw, sizeof(raw), err) < 0)
        return -err->code;
    if (get_le32(raw + 8) != 0 || get_le32(raw + 12) != MARKER_FOOTER ||
        !image_has_magic(io, io->size - 2 * SECTOR, "KDMV", 4))
        return err_status(
            err, STATUS_FAILED,
            "truncated: a streamOptimized disk without its footer; copy it again from "
            "its host");
    if (read_header(io, io->size - 2 * SECTOR, h, err) < 0 ||
        image_read(io, "the end marker", io->size - SECTOR, raw, sizeof(raw), err) < 0)
        return -err->code;
    if (get_le32(raw + 8) != 0 || get_le32(raw + 12) != MARKER_END)
        return err_status(err, STATUS_FAILED, "truncated: no end marker");
    if (h->capacity != first.capacity || h->grain != first.grain || h->gtes != first.gtes ||
        h->version != first.version || h->compression != first.compression || h->gd == GD_AT_END)
        return err_status(err, STATUS_FAILED, "damaged: the footer differs from the header");
    return 0;
}

static int check_header(const struct header *h, struct err *err)
{
    if (h->version < 1 || h->version > 3)
        return err_status(err, STATUS_FAILED, "VMDK version %u is not supported", h->version);
    if (h->compression > 1)
        return err_status(err, STATUS_FAILED, "VMDK compression %u is not supported",
                          h->compression);
    if (h->gtes == 0 || h->gtes > GTES_MAX)
        return err_status(err, STATUS_FAILED, "damaged: grain tables of %u entries", h->gtes);
    if (h->grain == 0 || h->grain > GRAIN_MAX || (h->grain & (h->grain - 1)))
        return err_status(err, STATUS_FAILED, "damaged: grains of %" PRIu64 " sectors", h->grain);
    if (h->capacity == 0 || h->capacity > IMAGE_SIZE_MAX / SECTOR)
        return err_status(err, STATUS_FAILED, "damaged: disk of %" PRIu64 " sectors", h->capacity);
    if (h->gd > IMAGE_SIZE_MAX / SECTOR)
        return err_status(err, STATUS_FAILED, "damaged: grain directory at sector %" PRIu64, h->gd);
    return 0;
}

static int walk_hosted(const struct image_io *io, struct header *h, struct err *err)
{
    CLEANUP_FREE struct sparse *sparse = mem_alloc(sizeof(*sparse));

    if (read_header(io, 0, h, err) < 0)
        return -err->code;
    if (h->gd == GD_AT_END && read_stream_footer(io, h, err) < 0)
        return -err->code;
    if (check_header(h, err) < 0)
        return -err->code;
    if (h->overhead <= IMAGE_SIZE_MAX / SECTOR &&
        image_need(io, "the tables", 0, h->overhead * SECTOR, err) < 0)
        return -err->code;
    sparse->walk.io = io;
    sparse->capacity = h->capacity;
    sparse->grain = h->grain;
    sparse->gtes = h->gtes;
    sparse->gd_offset = h->gd * SECTOR;
    sparse->compressed = h->flags & F_COMPRESSED;
    sparse->zero_grain = h->flags & F_ZERO_GRAIN;
    if (walk_sparse(sparse, err) < 0)
        return -err->code;
    h->unpacked_bytes = sparse->compressed ? sparse->mapped * SECTOR : 0;
    return 0;
}

/* ---- ESX sparse files ---- */

static int walk_cowd(const struct image_io *io, uint64_t *ret_sectors, struct err *err)
{
    CLEANUP_FREE struct sparse *sparse = mem_alloc(sizeof(*sparse));
    uint8_t raw[32];

    if (image_read(io, "the header", 0, raw, sizeof(raw), err) < 0)
        return -err->code;
    sparse->walk.io = io;
    sparse->capacity = get_le32(raw + 12);
    sparse->grain = get_le32(raw + 16);
    sparse->gd_offset = get_le32(raw + 20) * SECTOR;
    sparse->gtes = COWD_GTES;
    if (memcmp(raw, "COWD", 4) != 0 || sparse->capacity == 0 || sparse->grain == 0 ||
        sparse->grain > GRAIN_MAX)
        return err_status(err, STATUS_FAILED, "damaged: header of an ESX sparse file");
    if ((uint64_t)get_le32(raw + 24) * COWD_GTES * sparse->grain < sparse->capacity)
        return err_status(err, STATUS_FAILED, "damaged: grain directory of %u entries",
                          get_le32(raw + 24));
    *ret_sectors = sparse->capacity;
    return walk_sparse(sparse, err);
}

/* Areas of an SE sparse file: offset and size in sectors. The grains' own area is allocated as it
 * grows, so the mapping itself is not followed. */
static int walk_se_sparse(const struct image_io *io, uint64_t *ret_sectors, struct err *err)
{
    static const struct {
        unsigned at;
        const char *what;
    } areas[] = {
        { 80, "the volatile header" },  { 96, "the journal header" }, { 112, "the journal" },
        { 128, "the grain directory" }, { 144, "the grain tables" },  { 160, "the free map" },
        { 176, "the back map" },
    };
    uint8_t raw[512];

    if (image_read(io, "the header", 0, raw, sizeof(raw), err) < 0)
        return -err->code;
    if (get_le64(raw) != 0xcafebabeU || get_le64(raw + 16) > IMAGE_SIZE_MAX / SECTOR)
        return err_status(err, STATUS_FAILED, "damaged: header of an SE sparse file");
    for (size_t i = 0; i < ARRAY_SIZE(areas); i++) {
        uint64_t offset = get_le64(raw + areas[i].at), len = get_le64(raw + areas[i].at + 8);

        if (offset > IMAGE_SIZE_MAX / SECTOR || len > IMAGE_SIZE_MAX / SECTOR)
            return err_status(err, STATUS_FAILED, "damaged: %s", areas[i].what);
        if (image_need(io, areas[i].what, offset * SECTOR, len * SECTOR, err) < 0)
            return -err->code;
    }
    *ret_sectors = get_le64(raw + 16);
    return 0;
}

static int walk_extent(const struct image_io *io, const struct image_extent *extent,
                       struct err *err)
{
    struct header h = { 0 };
    uint64_t sectors = 0;
    int r;

    switch (extent->kind) {
    case EXTENT_FLAT:
        return image_need(io, "the extent's data", extent->offset_bytes, extent->size_bytes, err);
    case EXTENT_COWD:
        r = walk_cowd(io, &sectors, err);
        break;
    case EXTENT_SE_SPARSE:
        r = walk_se_sparse(io, &sectors, err);
        break;
    case EXTENT_SPARSE:
    default:
        r = walk_hosted(io, &h, err);
        sectors = h.capacity;
        break;
    }
    if (r < 0)
        return r;
    if (sectors * SECTOR != extent->size_bytes)
        return err_status(err, STATUS_FAILED,
                          "damaged: %" PRIu64 " sectors, but the descriptor has %" PRIu64, sectors,
                          (uint64_t)(extent->size_bytes / SECTOR));
    return 0;
}

/* ---- the whole disk ---- */

static int walk_monolithic(const struct image_io *io, struct image_scan *ret, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    struct vmdk_descriptor descriptor;
    struct header h = { 0 };
    char parent[128];
    size_t len, window;

    if (read_header(io, 0, &h, err) < 0)
        return -err->code;
    if (h.descriptor == 0 || h.descriptor_len == 0 ||
        image_has_magic(io, DESCRIPTOR_SECTOR * SECTOR, "\0\0\0", 4))
        return err_status(
            err, STATUS_FAILED,
            "is one extent of a split disk: name the descriptor, the small .vmdk file "
            "that lists it");
    if (h.descriptor != DESCRIPTOR_SECTOR || h.descriptor_len > IMAGE_DESCRIPTOR_MAX / SECTOR)
        return err_status(err, STATUS_FAILED,
                          "damaged: descriptor of %" PRIu64 " sectors at sector %" PRIu64,
                          h.descriptor_len, h.descriptor);
    len = (size_t)(h.descriptor_len * SECTOR);
    window = len > DESCRIPTOR_WINDOW ? len : DESCRIPTOR_WINDOW;
    if (window > io->size - SECTOR)
        window = (size_t)(io->size - SECTOR);
    if (image_need(io, "the descriptor", SECTOR, len, err) < 0)
        return -err->code;
    text = mem_alloc(window + 1);
    if (image_read(io, "the descriptor", SECTOR, text, window, err) < 0 ||
        vmdk_parse(text, len, NULL, &descriptor, err) < 0)
        return -err->code;
    if (vmdk_names_parent(text, window, parent, sizeof(parent)))
        return err_status(err, STATUS_REFUSED, "is a snapshot child of %s", parent);
    if (walk_hosted(io, &h, err) < 0)
        return -err->code;
    if (h.unclean)
        strlist_add(&ret->notes, "vmdk: was not closed cleanly, or was copied while in use");
    ret->size_bytes = h.capacity * SECTOR;
    ret->sector_size = 512;
    ret->unpacked_bytes = h.unpacked_bytes;
    ret->subformat = descriptor.type;
    /* qemu writes neither version 3 nor into compressed grains that are there already */
    ret->can_rewrite = h.version < 3 && !(h.flags & F_COMPRESSED);
    return 0;
}

static int walk_text(const struct image_io *io, struct image_scan *ret, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    struct vmdk_descriptor descriptor;

    if (io->size > IMAGE_DESCRIPTOR_MAX)
        return err_status(err, STATUS_FAILED, "VMDK descriptor of %" PRIu64 " bytes", io->size);
    text = mem_alloc((size_t)io->size + 1);
    if (image_read(io, "the descriptor", 0, text, (size_t)io->size, err) < 0 ||
        vmdk_parse(text, (size_t)io->size, ret, &descriptor, err) < 0)
        return -err->code;
    if (!descriptor.is_text || ret->n_extents == 0)
        return err_status(err, STATUS_FAILED,
                          "damaged: a text descriptor of type %s with %zu extents", descriptor.type,
                          ret->n_extents);
    ret->sector_size = 512;
    ret->subformat = descriptor.type;
    ret->can_rewrite = true;
    for (size_t i = 0; i < ret->n_extents; i++)
        if (ret->extents[i].kind == EXTENT_SE_SPARSE || ret->extents[i].kind == EXTENT_COWD)
            ret->can_rewrite = false;
    return 0;
}

static int walk(const struct image_io *io, struct image_scan *ret, struct err *err)
{
    if (is_sparse(io))
        return walk_monolithic(io, ret, err);
    if (is_text(io))
        return walk_text(io, ret, err);
    if (detect(io))
        return err_status(err, STATUS_FAILED,
                          "is the data of an ESX sparse disk: name the descriptor, the small .vmdk "
                          "file that lists it");
    return err_status(err, STATUS_FAILED, "not a vmdk image");
}

const struct image_format image_format_vmdk = {
    .name = "vmdk",
    .detect = detect,
    .walk = walk,
    .walk_extent = walk_extent,
};
