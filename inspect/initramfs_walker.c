/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks an image as the kernel's unpack_to_rootfs() (init/initramfs.c) does: zero bytes between
 * segments are skipped, '0' at a multiple of 4 starts a plain cpio archive, anything else must be a
 * compressed stream, which must end between two archives. */
#include "inspect/initramfs_walker.h"

#include <errno.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "inspect/decoder.h"
#include "inspect/zstd_frame.h"

#define IN_CHUNK (256U << 10)
#define OUT_CHUNK (128U << 10)
#define IMAGE_MAX (1ULL << 30) /* bytes of the file: a sparse one has any size for nothing */
#define UNPACKED_MAX (2ULL << 30)
#define ENTRIES_MAX 500000U

/* Documentation/admin-guide/bootconfig.rst: the last bytes of an initrd with a boot configuration
 */
#define BOOTCONFIG_MAGIC "#BOOTCONFIG\n"

/* Make *@ret the bytes at walker->pos: at least one while the file has any, IN_CHUNK at most. */
static int window(struct initramfs_walker *walker, const uint8_t **ret, size_t *ret_len)
{
    uint64_t end = walker->in_pos + walker->in_len;

    if (walker->pos < walker->in_pos || walker->pos >= end) {
        uint64_t left = walker->size - walker->pos;
        size_t want = left < IN_CHUNK ? (size_t)left : IN_CHUNK;
        int r = io_pread_full(walker->fd, walker->in, want, walker->pos);

        if (r < 0) {
            (void)err_set(walker->err, -r, "read the initramfs");
            return r;
        }
        walker->in_pos = walker->pos;
        walker->in_len = want;
        end = walker->pos + want;
    }
    *ret = walker->in + (walker->pos - walker->in_pos);
    *ret_len = (size_t)(end - walker->pos);
    return 0;
}

static int damaged(const struct initramfs_walker *walker, const char *what)
{
    return err_set(walker->err, EBADMSG, "initramfs, near byte %llu: %s",
                   (unsigned long long)walker->pos, what);
}

static int count_unpacked(struct initramfs_walker *walker, uint64_t len)
{
    walker->unpacked += len;
    if (walker->unpacked > UNPACKED_MAX || walker->cpio.n_entries > ENTRIES_MAX)
        return err_set(walker->err, EFBIG, "the initramfs unpacks to more than 2 GiB or %u files",
                       ENTRIES_MAX);
    return 0;
}

static int feed(struct initramfs_walker *walker, const uint8_t *data, size_t len, size_t *ret_used)
{
    int r = cpio_feed(&walker->cpio, data, len, ret_used);

    if (r == -EBADMSG && walker->err->code == 0)
        return damaged(walker, "no cpio archive, or a damaged one");
    if (r < 0)
        return walker->err->code ? r : err_set(walker->err, -r, "read the initramfs");
    return 0;
}

/* An archive that lies in the file as it is; contents nobody wants are not read. */
static int walk_plain(struct initramfs_walker *walker)
{
    if (walker->pos & 3)
        return damaged(walker, "an archive that is not at a multiple of 4");
    do {
        const uint8_t *data = NULL;
        size_t len = 0, used = 0;
        uint64_t skip;
        int r = window(walker, &data, &len);

        if (r < 0)
            return r;
        r = feed(walker, data, len, &used);
        if (r < 0)
            return r;
        walker->pos += used;
        skip = cpio_skippable(&walker->cpio);
        if (skip > walker->size - walker->pos)
            break;
        cpio_skip(&walker->cpio, skip);
        walker->pos += skip;
        r = count_unpacked(walker, used + skip);
        if (r < 0)
            return r;
    } while (walker->cpio.state != CPIO_BETWEEN && walker->pos < walker->size);
    if (walker->cpio.state != CPIO_BETWEEN)
        return damaged(walker, "the file ends inside an archive");
    return 0;
}

/* Unpacked bytes: archives with zero bytes between them. */
static int feed_archives(struct initramfs_walker *walker, const uint8_t *data, size_t len)
{
    while (len > 0) {
        size_t used = 0;

        if (walker->cpio.state == CPIO_BETWEEN)
            while (used < len && data[used] == 0)
                used++;
        if (used == 0) {
            int r = feed(walker, data, len, &used);

            if (r < 0)
                return r;
        }
        data += used;
        len -= used;
    }
    return 0;
}

static int take(void *arg, void *buf, size_t len)
{
    struct initramfs_walker *walker = arg;
    uint8_t *to = buf;

    if (len > walker->size - walker->pos)
        return -EBADMSG;
    for (size_t n = 0; buf && len > 0; to += n, len -= n, walker->pos += n) {
        const uint8_t *data = NULL;
        int r = window(walker, &data, &n);

        if (r < 0)
            return r;
        n = len < n ? len : n;
        memcpy(to, data, n);
    }
    walker->pos += len;
    return 0;
}

/* The rest of a segment of zstd that begins at @start. */
static int pass_over(struct initramfs_walker *walker, uint64_t start)
{
    struct cpio_sink sink = walker->cpio.sink;
    int r;

    walker->pos = start;
    r = zstd_frame_pass(take, walker);
    if (r < 0)
        return walker->err->code ? r : damaged(walker, "compressed data that is cut off");
    cpio_init(&walker->cpio, &sink);
    walker->enough = false;
    return 0;
}

static void free_decoder(struct decoder **decoder)
{
    decoder_free(*decoder);
}

static int walk_compressed(struct initramfs_walker *walker, const char *name)
{
    CLEANUP(free_decoder) struct decoder *decoder = decoder_new(name);
    uint64_t segment = walker->pos;
    int done = 0;

    if (!decoder)
        return err_set(walker->err, ENOMEM, "unpack the initramfs (%s)", name);
    walker->compression = name;
    while (!done) {
        struct decoder_io io = { .out = walker->out, .out_room = OUT_CHUNK };
        const uint8_t *start = walker->in;
        int r = 0;

        if (walker->pos < walker->size)
            r = window(walker, &start, &io.in_len);
        if (r < 0)
            return r;
        io.in = start;
        io.in_end = walker->pos + io.in_len == walker->size;
        done = decoder_step(decoder, &io);
        if (done == -EBADMSG)
            return damaged(walker, "compressed data that is damaged or cut off");
        if (done < 0)
            return err_set(walker->err, -done, "unpack the initramfs (%s)", name);
        walker->pos += (uint64_t)(io.in - start);
        r = count_unpacked(walker, OUT_CHUNK - io.out_room);
        if (r < 0)
            return r;
        r = feed_archives(walker, walker->out, OUT_CHUNK - io.out_room);
        if (r < 0)
            return r;
        if (walker->enough && strcmp(name, "zstd") == 0)
            return pass_over(walker, segment);
    }
    if (walker->cpio.state != CPIO_BETWEEN)
        return damaged(walker, "the compressed stream ends inside an archive");
    return 0;
}

static int walk_segment(struct initramfs_walker *walker, uint8_t first)
{
    uint8_t magic[6] = { 0 };
    const char *name;
    size_t n = walker->size - walker->pos < sizeof(magic) ? (size_t)(walker->size - walker->pos)
                                                          : sizeof(magic);

    walker->n_segments++;
    if (first == '0')
        return walk_plain(walker);
    if (io_pread_full(walker->fd, magic, n, walker->pos) < 0)
        return damaged(walker, "the file cannot be read");
    name = decoder_detect(magic, n);
    if (!name)
        return err_set(walker->err, ENOTSUP,
                       "initramfs, near byte %llu: no compression that is known",
                       (unsigned long long)walker->pos);
    return walk_compressed(walker, name);
}

static int refuse_bootconfig(const struct initramfs_walker *walker)
{
    char tail[sizeof(BOOTCONFIG_MAGIC) - 1];

    if (walker->size < sizeof(tail) ||
        io_pread_full(walker->fd, tail, sizeof(tail), walker->size - sizeof(tail)) < 0 ||
        memcmp(tail, BOOTCONFIG_MAGIC, sizeof(tail)) != 0)
        return 0;
    return err_set(walker->err, ENOTSUP, "the initramfs ends with a boot configuration");
}

int initramfs_walk_segments(struct initramfs_walker *walker, const struct cpio_sink *sink)
{
    CLEANUP_FREE uint8_t *in = mem_alloc(IN_CHUNK);
    CLEANUP_FREE uint8_t *out = mem_alloc(OUT_CHUNK);
    int r;

    if (walker->size > IMAGE_MAX)
        return err_set(walker->err, EFBIG, "the initramfs has %llu bytes",
                       (unsigned long long)walker->size);
    r = refuse_bootconfig(walker);
    walker->in = in;
    walker->out = out;
    cpio_init(&walker->cpio, sink);
    while (r >= 0 && walker->pos < walker->size) {
        const uint8_t *data = NULL;
        size_t len = 0, zeros = 0;

        r = window(walker, &data, &len);
        if (r < 0)
            break;
        while (zeros < len && data[zeros] == 0)
            zeros++;
        walker->pos += zeros;
        if (zeros < len)
            r = walk_segment(walker, data[zeros]);
    }
    if (r < 0)
        return r;
    return walker->n_segments ? 0 : damaged(walker, "nothing but zero bytes");
}

const char *initramfs_plain_name(const char *name)
{
    for (;;) {
        if (name[0] == '/')
            name++;
        else if (name[0] == '.' && name[1] == '/')
            name += 2;
        else
            return name;
    }
}
