/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hash table of Berkeley DB, as far as rpm uses it: the values of all pairs, which are headers.
 * Pages are walked by number, so that buckets need not be computed. On-disk facts: db_page.h of
 * Berkeley DB. Numbers have the byte order of the machine that made the file.
 */
#include <errno.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "inspect/rpm_header.h"
#include "inspect/rpmdb.h"

#define META 72U /* bytes of the first page that all kinds of files share */
#define META_MAGIC 12
#define META_PAGE_SIZE 20
#define META_ENCRYPTION 24
#define META_TYPE 25
#define META_LAST_PAGE 32
#define HASH_MAGIC 0x061561U

#define PAGE_HEADER 26U
#define PAGE_NEXT 16
#define PAGE_ENTRIES 20
#define PAGE_USED 22 /* of an overflow page: the bytes on it */
#define PAGE_TYPE 25
#define TYPE_HASH_UNSORTED 2
#define TYPE_OVERFLOW 7
#define TYPE_HASH_META 8
#define TYPE_HASH 13

#define ITEM_HERE 1 /* the bytes follow */
/* at byte 4 the number of the first overflow page, at byte 8 the length */
#define ITEM_OFF_PAGE 3
#define ITEM_OFF_PAGE_LEN 12U

struct bdb {
    const struct rpmdb_io *io;
    rpmdb_fn fn;
    void *arg;
    bool is_big_endian;
    uint32_t page_size, last_page;
    uint64_t budget; /* overflow pages that may still be read: chains may be loops */
    uint8_t *page, *overflow, *header;
};

static uint32_t number(const struct bdb *bdb, const uint8_t *at)
{
    return bdb->is_big_endian ? get_be32(at) : get_le32(at);
}

static uint16_t short_number(const struct bdb *bdb, const uint8_t *at)
{
    return bdb->is_big_endian ? get_be16(at) : get_le16(at);
}

static int read_page(const struct bdb *bdb, uint32_t page, uint8_t *buf)
{
    uint64_t at = (uint64_t)page * bdb->page_size;

    if (page > bdb->last_page || at > bdb->io->size || bdb->io->size - at < bdb->page_size)
        return -EBADMSG;
    return bdb->io->read(bdb->io->ctx, at, buf, bdb->page_size) < 0 ? -EIO : 0;
}

/* A header in overflow pages from @page on. */
static int show_chain(struct bdb *bdb, uint32_t page, uint32_t total)
{
    size_t want = total < RPM_HEADER_PREFIX ? total : RPM_HEADER_PREFIX, len = 0;

    while (len < want) {
        size_t n;
        int r = bdb->budget-- == 0 ? -EBADMSG : read_page(bdb, page, bdb->overflow);

        if (r < 0)
            return r;
        n = short_number(bdb, bdb->overflow + PAGE_USED);
        if (bdb->overflow[PAGE_TYPE] != TYPE_OVERFLOW || n == 0 || n > bdb->page_size - PAGE_HEADER)
            return -EBADMSG;
        if (n > want - len)
            n = want - len;
        memcpy(bdb->header + len, bdb->overflow + PAGE_HEADER, n);
        len += n;
        page = number(bdb, bdb->overflow + PAGE_NEXT);
    }
    bdb->fn(bdb->arg, bdb->header, len);
    return 0;
}

/* The value at @start, which ends where the item before it starts. */
static int show_item(struct bdb *bdb, size_t start, size_t end)
{
    const uint8_t *item = bdb->page + start;

    if (item[0] == ITEM_HERE) {
        bdb->fn(bdb->arg, item + 1, end - start - 1);
        return 0;
    }
    if (item[0] != ITEM_OFF_PAGE || end - start < ITEM_OFF_PAGE_LEN)
        return -EBADMSG; /* duplicates, which rpm does not make */
    return show_chain(bdb, number(bdb, item + 4), number(bdb, item + 8));
}

/* Items fill a page from its end: key, value, key, value. */
static int show_pairs(struct bdb *bdb)
{
    size_t n = short_number(bdb, bdb->page + PAGE_ENTRIES), end = bdb->page_size;
    int r = 0;

    if (n > (bdb->page_size - PAGE_HEADER) / 2)
        return -EBADMSG;
    for (size_t i = 0; i < n && r == 0; i++) {
        size_t start = short_number(bdb, bdb->page + PAGE_HEADER + i * 2);

        if (start < PAGE_HEADER + n * 2 || start >= end)
            return -EBADMSG;
        if (i % 2)
            r = show_item(bdb, start, end);
        end = start;
    }
    return r;
}

static int read_meta(struct bdb *bdb, struct err *err)
{
    uint8_t meta[META];

    if (bdb->io->size < sizeof(meta) || bdb->io->read(bdb->io->ctx, 0, meta, sizeof(meta)) < 0)
        return rpmdb_end(-EBADMSG, "its first page", err);
    bdb->is_big_endian = get_be32(meta + META_MAGIC) == HASH_MAGIC;
    bdb->page_size = number(bdb, meta + META_PAGE_SIZE);
    bdb->last_page = number(bdb, meta + META_LAST_PAGE);
    if (number(bdb, meta + META_MAGIC) != HASH_MAGIC || meta[META_TYPE] != TYPE_HASH_META ||
        meta[META_ENCRYPTION] != 0)
        return rpmdb_end(-EBADMSG, "its first page", err);
    if (bdb->page_size < 512 || bdb->page_size > 65536 || (bdb->page_size & (bdb->page_size - 1)))
        return rpmdb_end(-EBADMSG, "the size of its pages", err);
    bdb->budget = bdb->io->size / bdb->page_size;
    return 0;
}

int rpmdb_walk_bdb(const struct rpmdb_io *io, rpmdb_fn fn, void *arg, struct err *err)
{
    struct bdb bdb = { .io = io, .fn = fn, .arg = arg };
    CLEANUP_FREE uint8_t *buf = NULL;
    int r = read_meta(&bdb, err);

    if (r < 0)
        return r;
    buf = mem_alloc((size_t)bdb.page_size * 2 + RPM_HEADER_PREFIX);
    bdb.page = buf;
    bdb.overflow = buf + bdb.page_size;
    bdb.header = bdb.overflow + bdb.page_size;
    for (uint32_t page = 1; page <= bdb.last_page && r == 0; page++) {
        r = read_page(&bdb, page, bdb.page);
        if (r == 0 &&
            (bdb.page[PAGE_TYPE] == TYPE_HASH || bdb.page[PAGE_TYPE] == TYPE_HASH_UNSORTED))
            r = show_pairs(&bdb);
    }
    return rpmdb_end(r, "a page", err);
}
