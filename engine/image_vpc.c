/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VHD (qemu's name: vpc). On-disk facts: Microsoft's "Virtual Hard Disk Image Format
 * Specification" and QEMU's block/vpc.c for the size; all numbers big endian. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/image_format.h"

#define FOOTER 512U
#define DYNAMIC_HEADER 1024U
#define BAT_NONE 0xffffffffU
#define CHS_MAX (65535ULL * 16 * 255)
#define BAT_MAX (0x7fffffffU / 4)

enum disk_type { TYPE_FIXED = 2, TYPE_DYNAMIC = 3, TYPE_DIFFERENCING = 4 };

/* Writers whose footer's size counts; those of all others have the size in CHS. */
static const char *const size_apps[] = { "qem2", "win ", "d2v ", "tap\0", "CTXS", "wa\0\0" };

struct vpc {
    struct image_walk walk;
    uint64_t size, block_size, bitmap_size;
};

static bool footer_at(const struct image_io *io, uint64_t offset)
{
    return image_has_magic(io, offset, "conectix", 8);
}

static bool detect(const struct image_io *io)
{
    return footer_at(io, 0) || (io->size >= FOOTER && footer_at(io, io->size - FOOTER));
}

/* One's complement of the sum of all bytes but the sum's own four. */
static bool sum_is_right(const uint8_t *raw, size_t len, size_t at)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++)
        if (i < at || i >= at + 4)
            sum += raw[i];
    return get_be32(raw + at) == (uint32_t)~sum;
}

static uint64_t size_of(const uint8_t *footer)
{
    uint64_t chs = (uint64_t)get_be16(footer + 56) * footer[58] * footer[59];
    uint64_t current = get_be64(footer + 48) / 512;

    for (size_t i = 0; i < ARRAY_SIZE(size_apps); i++)
        if (memcmp(footer + 28, size_apps[i], 4) == 0)
            return current * 512;
    return (chs == CHS_MAX ? current : chs) * 512;
}

static int read_footer(const struct image_io *io, const char *what, uint64_t offset, uint8_t *raw,
                       struct err *err)
{
    if (image_read(io, what, offset, raw, FOOTER, err) < 0)
        return -err->code;
    if (memcmp(raw, "conectix", 8) != 0)
        return err_status(err, STATUS_FAILED,
                          "truncated or damaged: %s is not at byte %" PRIu64
                          "; copy it again from its host",
                          what, offset);
    if (!sum_is_right(raw, FOOTER, 64))
        return err_status(err, STATUS_FAILED, "damaged: wrong checksum of %s", what);
    return 0;
}

static int check_type(uint32_t type, bool at_start, struct err *err)
{
    if (type == TYPE_DIFFERENCING)
        return err_status(
            err, STATUS_REFUSED,
            "is a differencing VHD, which holds only the changes to its parent: merge "
            "it on its host first");
    if (type != TYPE_FIXED && type != TYPE_DYNAMIC)
        return err_status(err, STATUS_FAILED, "damaged: VHD disk type %u", type);
    /* qemu takes a footer at the start for a dynamic disk, whatever its type says */
    if ((type == TYPE_DYNAMIC) != at_start)
        return err_status(err, STATUS_FAILED, "damaged: a %s VHD %s a footer at its start",
                          type == TYPE_DYNAMIC ? "dynamic" : "fixed",
                          at_start ? "with" : "without");
    return 0;
}

static int look(void *arg, const uint8_t *entries, uint64_t first, size_t n, struct err *err)
{
    const struct vpc *vpc = arg;

    for (size_t i = 0; i < n; i++) {
        uint32_t sector = get_be32(entries + i * 4);
        uint64_t start = (first + i) * vpc->block_size;
        uint64_t left = start < vpc->size ? vpc->size - start : 0;
        uint64_t len = left < vpc->block_size ? left : vpc->block_size;

        if (sector == BAT_NONE || left == 0)
            continue;
        if (image_need(vpc->walk.io, "a data block", (uint64_t)sector * 512, vpc->bitmap_size + len,
                       err) < 0)
            return -err->code;
    }
    return 0;
}

static int walk_dynamic(const struct image_io *io, uint64_t offset, uint64_t size, struct err *err)
{
    CLEANUP_FREE struct vpc *vpc = mem_alloc(sizeof(*vpc));
    struct image_table bat = { .what = "the block table", .width = 4, .look = look, .arg = vpc };
    uint8_t raw[DYNAMIC_HEADER];
    uint32_t block;

    if (image_read(io, "the dynamic header", offset, raw, sizeof(raw), err) < 0)
        return -err->code;
    if (memcmp(raw, "cxsparse", 8) != 0 || !sum_is_right(raw, sizeof(raw), 36))
        return err_status(err, STATUS_FAILED, "damaged: dynamic header or its checksum");
    block = get_be32(raw + 32);
    bat.offset = get_be64(raw + 16);
    bat.n = get_be32(raw + 28);
    if (block < 512 || (block & (block - 1)))
        return err_status(err, STATUS_FAILED, "damaged: blocks of %u bytes", block);
    if (bat.n > BAT_MAX || size > bat.n * block)
        return err_status(err, STATUS_FAILED,
                          "damaged: disk of %" PRIu64 " bytes in %" PRIu64 " blocks", size, bat.n);
    vpc->walk.io = io;
    vpc->size = size;
    vpc->block_size = block;
    /* a bit for each sector, in whole sectors */
    vpc->bitmap_size = ((uint64_t)block / 512 / 8 + 511) & ~511ULL;
    return image_walk_table(&vpc->walk, &bat, err);
}

static int walk(const struct image_io *io, struct image_scan *ret, struct err *err)
{
    bool at_start = footer_at(io, 0), at_end;
    uint8_t raw[FOOTER], copy[FOOTER];
    uint64_t size;

    if (image_need(io, "the footer", 0, FOOTER, err) < 0)
        return -err->code;
    if (!at_start && !footer_at(io, io->size - FOOTER))
        return err_status(err, STATUS_FAILED, "not a vpc (VHD) image");
    if (at_start && read_footer(io, "the copy of the footer", 0, copy, err) < 0)
        return -err->code;
    /* qemu moves the footer after it has made the file longer, and reads the copy itself */
    at_end = !(at_start && ret->in_commit);
    if (read_footer(io, "the footer", at_end ? io->size - FOOTER : 0, raw, err) < 0 ||
        check_type(get_be32(raw + 60), at_start, err) < 0)
        return -err->code;
    /* qemu reads the copy: it must say the same */
    if (at_start && memcmp(raw, copy, FOOTER) != 0)
        return err_status(err, STATUS_FAILED, "damaged: the footer differs from its copy");
    size = size_of(raw);
    if (size > IMAGE_SIZE_MAX)
        return err_status(err, STATUS_FAILED, "damaged: disk of %" PRIu64 " bytes", size);
    if (!at_start && image_need(io, "the disk's data", 0, size + FOOTER, err) < 0)
        return -err->code;
    if (at_start && walk_dynamic(io, get_be64(raw + 16), size, err) < 0)
        return -err->code;
    ret->size_bytes = size;
    ret->sector_size = 512;
    ret->subformat = at_start ? "dynamic" : "fixed";
    ret->can_rewrite = true;
    return 0;
}

const struct image_format image_format_vpc = {
    .name = "vpc",
    .alias = "vhd",
    .detect = detect,
    .walk = walk,
};
