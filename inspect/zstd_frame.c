/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/zstd_frame.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define MAGIC 0xFD2FB528U
#define BLOCK_MAX (128U << 10) /* 3.1.1.2.4: Block_Maximum_Size */
#define CHECKSUM_LEN 4U

enum block_type { BLOCK_RAW, BLOCK_RLE, BLOCK_COMPRESSED, BLOCK_RESERVED };

/* 3.1.1.1: a descriptor, then fields whose lengths it tells. */
static int pass_header(zstd_take_fn take, void *arg, size_t *ret_tail)
{
    static const uint8_t content_size_len[] = { 0, 2, 4, 8 };
    static const uint8_t dictionary_len[] = { 0, 1, 2, 4 };
    uint8_t head[5] = { 0 };
    uint32_t magic;
    unsigned size_flag, is_single;
    int r = take(arg, head, sizeof(head));

    if (r < 0)
        return r;
    memcpy(&magic, head, sizeof(magic));
    if (le32toh(magic) != MAGIC)
        return -EBADMSG;
    size_flag = head[4] >> 6;
    is_single = head[4] >> 5 & 1;
    *ret_tail = head[4] >> 2 & 1 ? CHECKSUM_LEN : 0;
    return take(arg, NULL,
                (is_single ? 0U : 1U) + dictionary_len[head[4] & 3] +
                    (size_flag == 0 ? is_single : content_size_len[size_flag]));
}

int zstd_frame_pass(zstd_take_fn take, void *arg)
{
    size_t tail = 0;
    int r = pass_header(take, arg, &tail);

    for (;;) {
        uint8_t head[3] = { 0 };
        uint32_t block;
        size_t size;

        if (r == 0)
            r = take(arg, head, sizeof(head));
        if (r < 0)
            return r;
        block = head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16;
        size = block >> 3;
        if ((block >> 1 & 3) == BLOCK_RESERVED || size > BLOCK_MAX)
            return -EBADMSG;
        r = take(arg, NULL, (block >> 1 & 3) == BLOCK_RLE ? 1 : size);
        if (r == 0 && (block & 1))
            return take(arg, NULL, tail);
    }
}
