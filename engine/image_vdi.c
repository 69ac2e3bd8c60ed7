/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VirtualBox disks (VDI 1.1). On-disk facts: VirtualBox's VDICore.h and QEMU's block/vdi.c; all
 * numbers little endian. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/image_format.h"

#define MAGIC_OFFSET 64U
#define MAGIC 0xbeda107fU
#define VERSION_1_1 0x00010001U
#define HEADER_SIZE 512U
#define BLOCK_SIZE (1U << 20) /* the only one that qemu reads */
#define BLOCKS_MAX 0x1fffffffU
#define BLOCK_NONE 0xfffffffeU /* this and larger: not allocated, or discarded */

enum image_type { TYPE_DYNAMIC = 1, TYPE_FIXED = 2, TYPE_UNDO = 3, TYPE_DIFF = 4 };

struct vdi {
    struct image_walk walk;
    uint64_t data_offset, size;
};

static bool detect(const struct image_io *io)
{
    return image_has_magic(io, MAGIC_OFFSET, "\x7f\x10\xda\xbe", 4);
}

static int look(void *arg, const uint8_t *entries, uint64_t first, size_t n, struct err *err)
{
    const struct vdi *vdi = arg;

    for (size_t i = 0; i < n; i++) {
        uint32_t block = get_le32(entries + i * 4);
        uint64_t start = (first + i) * BLOCK_SIZE;
        uint64_t len = vdi->size - start < BLOCK_SIZE ? vdi->size - start : BLOCK_SIZE;

        if (block >= BLOCK_NONE || start >= vdi->size)
            continue;
        if (image_need(vdi->walk.io, "a data block",
                       vdi->data_offset + (uint64_t)block * BLOCK_SIZE, len, err) < 0)
            return -err->code;
    }
    return 0;
}

static bool is_zero(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (data[i])
            return false;
    return true;
}

static int check(const uint8_t *raw, struct err *err)
{
    uint32_t type = get_le32(raw + 76);
    uint64_t size = get_le64(raw + 368);

    if (get_le32(raw + MAGIC_OFFSET) != MAGIC)
        return err_status(err, STATUS_FAILED, "not a vdi image");
    if (get_le32(raw + 68) != VERSION_1_1)
        return err_status(err, STATUS_FAILED, "VDI version %u.%u is not supported",
                          get_le32(raw + 68) >> 16, get_le32(raw + 68) & 0xffff);
    /* link and parent identifiers: not zero in a child */
    if (type == TYPE_DIFF || type == TYPE_UNDO || !is_zero(raw + 424, 32))
        return err_status(
            err, STATUS_REFUSED,
            "is a differencing VDI, which holds only the changes to its parent: clone "
            "it to a full disk with VBoxManage first");
    if (type != TYPE_DYNAMIC && type != TYPE_FIXED)
        return err_status(err, STATUS_FAILED, "damaged: VDI image type %u", type);
    if (get_le32(raw + 360) != 512 || get_le32(raw + 376) != BLOCK_SIZE)
        return err_status(err, STATUS_FAILED, "VDI with %u-byte sectors and %u-byte blocks",
                          get_le32(raw + 360), get_le32(raw + 376));
    if (get_le32(raw + 340) % 512 || get_le32(raw + 344) % 512)
        return err_status(err, STATUS_FAILED, "damaged: block map or data are not aligned");
    if (get_le32(raw + 384) > BLOCKS_MAX || size > (uint64_t)get_le32(raw + 384) * BLOCK_SIZE)
        return err_status(err, STATUS_FAILED, "damaged: disk of %" PRIu64 " bytes in %u blocks",
                          size, get_le32(raw + 384));
    return 0;
}

static int walk(const struct image_io *io, struct image_scan *ret, struct err *err)
{
    CLEANUP_FREE struct vdi *vdi = mem_alloc(sizeof(*vdi));
    uint8_t raw[HEADER_SIZE];
    struct image_table map = { .what = "the block map", .width = 4, .look = look, .arg = vdi };

    if (image_read(io, "the header", 0, raw, sizeof(raw), err) < 0 || check(raw, err) < 0)
        return -err->code;
    vdi->walk.io = io;
    vdi->data_offset = get_le32(raw + 344);
    vdi->size = get_le64(raw + 368);
    map.offset = get_le32(raw + 340);
    map.n = get_le32(raw + 384);
    if (image_walk_table(&vdi->walk, &map, err) < 0)
        return -err->code;
    ret->size_bytes = (vdi->size + 511) & ~511ULL; /* qemu rounds up as well */
    ret->sector_size = 512;
    ret->subformat = get_le32(raw + 76) == TYPE_FIXED ? "fixed" : "dynamic";
    ret->can_rewrite = true;
    return 0;
}

const struct image_format image_format_vdi = {
    .name = "vdi",
    .detect = detect,
    .walk = walk,
};
