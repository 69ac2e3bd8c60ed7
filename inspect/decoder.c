/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/decoder.h"

#include <bzlib.h>
#include <errno.h>
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"

#define MEMORY_MAX (256ULL << 20)
#define ZSTD_WINDOW_LOG_MAX 27 /* 128 MiB, as in the kernel's lib/decompress_unzstd.c */
#define ONE_STEP_MAX (1U << 30)

/* lz4's legacy frame (lz4_Frame_format.md, "Legacy frame"): the magic, then blocks of at most 8 MiB
 * of plain data, each after its compressed length; no end mark. The kernel takes a length of zero
 * as the end, and a length that is the magic as the start of one more frame. */
#define LZ4_MAGIC 0x184c2102U
#define LZ4_BLOCK_MAX (8 << 20)

struct lz4_state {
    uint8_t length[4];
    size_t have;      /* bytes of length, then of block */
    uint8_t *block;   /* compressed */
    size_t block_len; /* 0: the length is being read */
    uint8_t *plain;   /* LZ4_BLOCK_MAX bytes */
    size_t plain_len, plain_done;
};

struct decoder {
    const struct decoder_type *type;
    union {
        z_stream gzip;
        bz_stream bzip2;
        lzma_stream xz;
        ZSTD_DStream *zstd;
        struct lz4_state lz4;
    };
};

struct decoder_type {
    const char *name;
    const char *magic;
    size_t magic_len;
    int (*open)(struct decoder *decoder);
    int (*step)(struct decoder *decoder, struct decoder_io *io);
    void (*close)(struct decoder *decoder);
};

/* The libraries count in unsigned int. */
static unsigned int limited(size_t len)
{
    return len < ONE_STEP_MAX ? (unsigned int)len : ONE_STEP_MAX;
}

static void moved(struct decoder_io *io, size_t in, size_t out)
{
    io->in += in;
    io->in_len -= in;
    io->out += out;
    io->out_room -= out;
}

/* ---- gzip ---- */

static int gzip_open(struct decoder *decoder)
{
    return inflateInit2(&decoder->gzip, MAX_WBITS + 16) == Z_OK ? 0 : -ENOMEM;
}

static int gzip_step(struct decoder *decoder, struct decoder_io *io)
{
    z_stream *z = &decoder->gzip;
    unsigned int in = limited(io->in_len), out = limited(io->out_room);
    union {
        const uint8_t *in;
        Bytef *out;
    } next = { .in = io->in };
    int r;

    z->next_in = next.out;
    z->avail_in = in;
    z->next_out = io->out;
    z->avail_out = out;
    r = inflate(z, Z_NO_FLUSH);
    moved(io, in - z->avail_in, out - z->avail_out);
    if (r == Z_STREAM_END)
        return 1;
    return r == Z_OK || r == Z_BUF_ERROR ? 0 : -EBADMSG;
}

static void gzip_close(struct decoder *decoder)
{
    (void)inflateEnd(&decoder->gzip);
}

/* ---- bzip2 ---- */

static int bzip2_open(struct decoder *decoder)
{
    return BZ2_bzDecompressInit(&decoder->bzip2, 0, 0) == BZ_OK ? 0 : -ENOMEM;
}

static int bzip2_step(struct decoder *decoder, struct decoder_io *io)
{
    bz_stream *bz = &decoder->bzip2;
    unsigned int in = limited(io->in_len), out = limited(io->out_room);
    union {
        const uint8_t *in;
        char *out;
    } next = { .in = io->in };
    int r;

    bz->next_in = next.out;
    bz->avail_in = in;
    bz->next_out = (char *)io->out;
    bz->avail_out = out;
    r = BZ2_bzDecompress(bz);
    moved(io, in - bz->avail_in, out - bz->avail_out);
    if (r == BZ_STREAM_END)
        return 1;
    return r == BZ_OK ? 0 : -EBADMSG;
}

static void bzip2_close(struct decoder *decoder)
{
    (void)BZ2_bzDecompressEnd(&decoder->bzip2);
}

/* ---- xz and lzma ---- */

static int xz_open(struct decoder *decoder)
{
    return lzma_stream_decoder(&decoder->xz, MEMORY_MAX, 0) == LZMA_OK ? 0 : -ENOMEM;
}

static int lzma_open(struct decoder *decoder)
{
    return lzma_alone_decoder(&decoder->xz, MEMORY_MAX) == LZMA_OK ? 0 : -ENOMEM;
}

static int xz_step(struct decoder *decoder, struct decoder_io *io)
{
    lzma_stream *xz = &decoder->xz;
    lzma_ret r;

    xz->next_in = io->in;
    xz->avail_in = io->in_len;
    xz->next_out = io->out;
    xz->avail_out = io->out_room;
    r = lzma_code(xz, LZMA_RUN);
    moved(io, io->in_len - xz->avail_in, io->out_room - xz->avail_out);
    if (r == LZMA_STREAM_END)
        return 1;
    if (r == LZMA_MEMLIMIT_ERROR)
        return -EFBIG;
    return r == LZMA_OK || r == LZMA_BUF_ERROR ? 0 : -EBADMSG;
}

static void xz_close(struct decoder *decoder)
{
    lzma_end(&decoder->xz);
}

/* ---- zstd ---- */

static int zstd_open(struct decoder *decoder)
{
    decoder->zstd = ZSTD_createDStream();
    if (!decoder->zstd)
        return -ENOMEM;
    (void)ZSTD_DCtx_setParameter(decoder->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
    return 0;
}

static int zstd_step(struct decoder *decoder, struct decoder_io *io)
{
    ZSTD_inBuffer in = { io->in, io->in_len, 0 };
    ZSTD_outBuffer out = { io->out, io->out_room, 0 };
    size_t r = ZSTD_decompressStream(decoder->zstd, &out, &in);

    if (ZSTD_isError(r))
        return -EBADMSG;
    moved(io, in.pos, out.pos);
    return r == 0 ? 1 : 0;
}

static void zstd_close(struct decoder *decoder)
{
    (void)ZSTD_freeDStream(decoder->zstd);
}

/* ---- lz4, legacy frames ---- */

static int lz4_open(struct decoder *decoder)
{
    /* the magic reads like a length that says: a frame starts */
    decoder->lz4.plain = malloc(LZ4_BLOCK_MAX);
    return decoder->lz4.plain ? 0 : -ENOMEM;
}

/* Copy input to @to until @want bytes are there. */
static void lz4_take(struct lz4_state *lz4, struct decoder_io *io, uint8_t *to, size_t want)
{
    size_t n = want - lz4->have < io->in_len ? want - lz4->have : io->in_len;

    if (n == 0)
        return;
    memcpy(to + lz4->have, io->in, n);
    lz4->have += n;
    moved(io, n, 0);
}

/* 0 go on, 1 end, or negative errno. */
static int lz4_read_length(struct lz4_state *lz4, struct decoder_io *io)
{
    uint32_t length;

    if (lz4->have == 0 && io->in_len == 0 && io->in_end)
        return 1;
    lz4_take(lz4, io, lz4->length, sizeof(lz4->length));
    if (lz4->have < sizeof(lz4->length))
        return 0;
    lz4->have = 0;
    length = get_le32(lz4->length);
    if (length == 0)
        return 1;
    if (length == LZ4_MAGIC)
        return 0;
    if (length > (uint32_t)LZ4_COMPRESSBOUND(LZ4_BLOCK_MAX))
        return -EBADMSG;
    free(lz4->block);
    lz4->block = malloc(length);
    if (!lz4->block)
        return -ENOMEM;
    lz4->block_len = length;
    return 0;
}

static int lz4_step(struct decoder *decoder, struct decoder_io *io)
{
    struct lz4_state *lz4 = &decoder->lz4;
    size_t n;
    int r;

    if (lz4->plain_done == lz4->plain_len && lz4->block_len == 0)
        return lz4_read_length(lz4, io);
    if (lz4->block_len > 0) {
        lz4_take(lz4, io, lz4->block, lz4->block_len);
        if (lz4->have < lz4->block_len)
            return 0;
        r = LZ4_decompress_safe((const char *)lz4->block, (char *)lz4->plain, (int)lz4->block_len,
                                LZ4_BLOCK_MAX);
        if (r < 0)
            return -EBADMSG;
        lz4->plain_len = (size_t)r;
        lz4->plain_done = 0;
        lz4->block_len = 0;
        lz4->have = 0;
    }
    n = lz4->plain_len - lz4->plain_done;
    n = n < io->out_room ? n : io->out_room;
    memcpy(io->out, lz4->plain + lz4->plain_done, n);
    lz4->plain_done += n;
    moved(io, 0, n);
    return 0;
}

static void lz4_close(struct decoder *decoder)
{
    free(decoder->lz4.block);
    free(decoder->lz4.plain);
}

/* ---- the table ---- */

/* Magics as in the kernel's lib/decompress.c. */
static const struct decoder_type types[] = {
    { "gzip", "\x1f\x8b", 2, gzip_open, gzip_step, gzip_close },
    { "bzip2", "BZh", 3, bzip2_open, bzip2_step, bzip2_close },
    { "lzma", "\x5d\0\0", 3, lzma_open, xz_step, xz_close },
    { "xz", "\xfd\x37zXZ\0", 6, xz_open, xz_step, xz_close },
    { "zstd", "\x28\xb5\x2f\xfd", 4, zstd_open, zstd_step, zstd_close },
    { "lz4", "\x02\x21\x4c\x18", 4, lz4_open, lz4_step, lz4_close },
};

const char *decoder_detect(const uint8_t *head, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (len >= types[i].magic_len && memcmp(head, types[i].magic, types[i].magic_len) == 0)
            return types[i].name;
    return NULL;
}

const char *decoder_literal(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (strcmp(types[i].name, name) == 0)
            return types[i].name;
    return NULL;
}

struct decoder *decoder_new(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct decoder *decoder;

        if (strcmp(types[i].name, name) != 0)
            continue;
        decoder = mem_alloc(sizeof(*decoder));
        decoder->type = &types[i];
        if (decoder->type->open(decoder) == 0)
            return decoder;
        free(decoder);
        return NULL;
    }
    return NULL;
}

void decoder_free(struct decoder *decoder)
{
    if (decoder)
        decoder->type->close(decoder);
    free(decoder);
}

int decoder_step(struct decoder *decoder, struct decoder_io *io)
{
    size_t in_len = io->in_len, out_room = io->out_room;
    int r = decoder->type->step(decoder, io);

    /* nothing moved, and no further input could change that: damaged or cut off */
    if (r == 0 && io->in_len == in_len && io->out_room == out_room && (io->in_end || in_len > 0))
        return -EBADMSG;
    return r;
}
