/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rpm's ndb (lib/backend/ndb/rpmpkg.c there): pages of slots that say where the headers are. All
 * numbers are little endian. */
#include <errno.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "inspect/rpm_header.h"
#include "inspect/rpmdb.h"

#define PAGE 4096U
#define SLOT 16U        /* "Slot", number, offset and size in blocks */
#define BLOCK 16U       /* what offsets count */
#define BLOB_HEADER 16U /* "BlbS", number, generation, bytes of the header */
#define SLOT_PAGES_MAX 4096U

static int show(const struct rpmdb_io *io, const uint8_t *slot, uint8_t *buf, rpmdb_fn fn,
                void *arg)
{
    uint64_t at = (uint64_t)get_le32(slot + 8) * BLOCK;
    uint8_t head[BLOB_HEADER];
    size_t len;

    if (at > io->size || io->size - at < BLOB_HEADER)
        return -EBADMSG;
    if (io->read(io->ctx, at, head, sizeof(head)) < 0)
        return -EIO;
    if (memcmp(head, "BlbS", 4) != 0 || memcmp(head + 4, slot + 4, 4) != 0)
        return -EBADMSG;
    at += BLOB_HEADER;
    len = get_le32(head + 12);
    if (len > io->size - at)
        return -EBADMSG;
    if (len > RPM_HEADER_PREFIX)
        len = RPM_HEADER_PREFIX;
    if (io->read(io->ctx, at, buf, len) < 0)
        return -EIO;
    fn(arg, buf, len);
    return 0;
}

int rpmdb_walk_ndb(const struct rpmdb_io *io, rpmdb_fn fn, void *arg, struct err *err)
{
    CLEANUP_FREE uint8_t *buf = mem_alloc(RPM_HEADER_PREFIX);
    uint8_t page[PAGE];
    uint32_t n_pages = 1;
    int r = 0;

    for (uint32_t i = 0; i < n_pages && r == 0; i++) {
        size_t at = 0;

        if (io->size < ((uint64_t)i + 1) * PAGE)
            return rpmdb_end(-EBADMSG, "its slots", err);
        if (io->read(io->ctx, (uint64_t)i * PAGE, page, sizeof(page)) < 0)
            return rpmdb_end(-EIO, "", err);
        if (i == 0) {
            /* magic number, version, generation, pages with slots, next number; then slots */
            if (memcmp(page, "RpmP", 4) != 0 || get_le32(page + 4) != 0)
                return rpmdb_end(-EBADMSG, "its beginning", err);
            n_pages = get_le32(page + 12);
            if (n_pages == 0 || n_pages > SLOT_PAGES_MAX)
                return rpmdb_end(-EBADMSG, "its number of slots", err);
            at = 2 * (size_t)SLOT;
        }
        for (; at < PAGE && r == 0; at += SLOT) {
            if (memcmp(page + at, "Slot", 4) != 0)
                return rpmdb_end(-EBADMSG, "a slot", err);
            if (get_le32(page + at + 8) != 0) /* else it is free */
                r = show(io, page + at, buf, fn, arg);
        }
    }
    return rpmdb_end(r, "where a header is", err);
}
