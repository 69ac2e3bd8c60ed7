/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The headers of all packages in a database of rpm, whichever of its three kinds it is. */
#ifndef H2K_INSPECT_RPMDB_H
#define H2K_INSPECT_RPMDB_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"

/* Where the bytes of a database file come from. */
struct rpmdb_io {
    /* Exactly @len bytes, which lie inside @size; 0 or negative errno. */
    int (*read)(void *ctx, uint64_t offset, void *buf, size_t len);
    void *ctx;
    uint64_t size;
};

/* Gets the first bytes (RPM_HEADER_PREFIX at most) of each header. */
typedef void (*rpmdb_fn)(void *arg, const uint8_t *header, size_t len);

/* Show all headers to @fn, in no order. 0, or negative errno and *err when the file is damaged;
 * what came before the damage was shown. */
typedef int (*rpmdb_walk_fn)(const struct rpmdb_io *io, rpmdb_fn fn, void *arg, struct err *err);

/* What a walk ends with: 0, -EIO, or else damage at @what. */
static inline int rpmdb_end(int r, const char *what, struct err *err)
{
    if (r == -EIO)
        return err_set(err, EIO, "read the package database");
    return r < 0 ? err_status(err, STATUS_FAILED, "the package database is damaged: %s", what) : 0;
}

/* Packages: a hash table of Berkeley DB (RHEL 8, SLES 12 and older) */
int rpmdb_walk_bdb(const struct rpmdb_io *io, rpmdb_fn fn, void *arg, struct err *err);

/* Packages.db: rpm's own format (SUSE) */
int rpmdb_walk_ndb(const struct rpmdb_io *io, rpmdb_fn fn, void *arg, struct err *err);

/* rpmdb.sqlite (RHEL 9, Fedora), from an open file. A write-ahead log beside it is not read. */
int rpmdb_walk_sqlite(int fd, rpmdb_fn fn, void *arg, struct err *err);

#endif
