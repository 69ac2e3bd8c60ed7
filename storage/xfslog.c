/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Does the log of an XFS hold changes that were not written to their places? It does unless its
 * last record is the one that an unmount writes. (fs/xfs/libxfs/xfs_format.h and
 * xfs_log_format.h: struct xfs_dsb, xlog_rec_header, xlog_op_header; big-endian.)
 */
#include <string.h>

#include "engine/base/le.h"
#include "storage/fstypes.h"

/* superblock */
#define SB_PEEK 128
#define SB_BLOCKSIZE 4  /* u32 */
#define SB_LOGSTART 48  /* u64: allocation group and block; 0: the log is on another device */
#define SB_AGBLOCKS 84  /* u32 */
#define SB_LOGBLOCKS 96 /* u32 */
#define SB_AGBLKLOG 124 /* u8: bits of the block in SB_LOGSTART */

/* log: blocks of 512 bytes, each beginning with the number of the pass over the log */
#define BB 512U
#define LOG_MAX (1U << 22) /* blocks: 2 GiB, the format's limit */
#define RECORD_MAX 600U    /* blocks of the largest record (256 KiB) and its headers */
#define REC_MAGIC 0xfeedbabeU
#define REC_CYCLE 4    /* u32, as the magic takes the place of the pass number */
#define REC_NUM_OPS 40 /* u32 */
#define REC_SIZE 320   /* u32: room for records; each 32 KiB have one header block */
#define REC_HEADER_COVERS 32768U
#define OP_FLAGS 9 /* u8 */
#define OP_UNMOUNT 0x20

struct log {
    const struct volume *volume;
    uint64_t offset; /* bytes into the volume */
    uint32_t blocks; /* of 512 bytes */
};

static bool read_block(const struct log *log, uint32_t block, uint8_t buf[BB])
{
    return volume_read(log->volume, log->offset + (uint64_t)block * BB, buf, BB) == 0;
}

static bool find_log(const struct volume *volume, struct log *ret)
{
    uint8_t sb[SB_PEEK];
    uint64_t start, block, bytes;
    uint32_t blocksize;
    unsigned bits;

    if (volume_read(volume, 0, sb, sizeof(sb)) < 0 || memcmp(sb, "XFSB", 4) != 0)
        return false;
    blocksize = get_be32(sb + SB_BLOCKSIZE);
    start = get_be64(sb + SB_LOGSTART);
    bits = sb[SB_AGBLKLOG];
    if (start == 0 || bits > 31 || start >> bits > UINT32_MAX || blocksize < BB ||
        blocksize > 65536)
        return false;
    block = (start >> bits) * get_be32(sb + SB_AGBLOCKS) + (start & ((1ULL << bits) - 1));
    bytes = (uint64_t)get_be32(sb + SB_LOGBLOCKS) * blocksize;
    if (bytes < BB || bytes / BB > LOG_MAX || bytes > volume->size_bytes ||
        block > (volume->size_bytes - bytes) / blocksize)
        return false;
    *ret = (struct log){ volume, block * blocksize, (uint32_t)(bytes / BB) };
    return true;
}

static bool pass_of(const struct log *log, uint32_t block, uint32_t *ret)
{
    uint8_t buf[BB];

    if (!read_block(log, block, buf))
        return false;
    *ret = get_be32(buf);
    if (*ret == REC_MAGIC)
        *ret = get_be32(buf + REC_CYCLE);
    return true;
}

/* The log is written round and round: the end is where the pass number of the first block stops. */
static bool find_end(const struct log *log, uint32_t *ret)
{
    uint32_t low = 0, high = log->blocks, first, pass;

    if (!pass_of(log, 0, &first))
        return false;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (!pass_of(log, middle, &pass))
            return false;
        if (pass == first)
            low = middle;
        else
            high = middle;
    }
    *ret = high;
    return true;
}

/* Is the record at @block an unmount and nothing else? */
static bool is_unmount(const struct log *log, uint32_t block, const uint8_t header[BB])
{
    uint32_t headers = get_be32(header + REC_SIZE) / REC_HEADER_COVERS;
    uint8_t op[BB];

    if (headers == 0)
        headers = 1;
    if (get_be32(header + REC_NUM_OPS) != 1 || headers > RECORD_MAX)
        return false;
    return read_block(log, (block + headers) % log->blocks, op) && (op[OP_FLAGS] & OP_UNMOUNT);
}

bool xfs_is_dirty(const struct volume *volume)
{
    struct log log;
    uint32_t end;

    if (!find_log(volume, &log) || !find_end(&log, &end))
        return false;
    for (uint32_t back = 1; back <= RECORD_MAX && back < log.blocks; back++) {
        uint32_t block = (end + log.blocks - back) % log.blocks;
        uint8_t buf[BB];

        if (!read_block(&log, block, buf))
            return false;
        if (get_be32(buf) == REC_MAGIC)
            return !is_unmount(&log, block, buf);
    }
    return true;
}
