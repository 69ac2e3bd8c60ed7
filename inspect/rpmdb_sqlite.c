/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Table Packages(hnum INTEGER PRIMARY KEY, blob BLOB), lib/backend/sqlite.c of rpm. */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/rpm_header.h"
#include "inspect/rpmdb.h"

#define CACHE "PRAGMA cache_size = -2048" /* KiB */

static void close_db(sqlite3 **db)
{
    (void)sqlite3_close(*db);
}

static void end_query(sqlite3_stmt **query)
{
    (void)sqlite3_finalize(*query);
}

static void close_blob(sqlite3_blob **blob)
{
    (void)sqlite3_blob_close(*blob);
}

static int failed(sqlite3 *db, struct err *err)
{
    return rpmdb_end(-EBADMSG, db ? sqlite3_errmsg(db) : "no memory", err);
}

/* The database is somebody else's: its schema must not make us do anything. */
static int open_db(int fd, sqlite3 **ret, struct err *err)
{
    /* immutable: no locks, no journal, nothing beside the file is looked for */
    CLEANUP_FREE char *name = mem_printf("file:/proc/self/fd/%d?immutable=1", fd);

    if (sqlite3_open_v2(name, ret, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK ||
        sqlite3_db_config(*ret, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
        sqlite3_db_config(*ret, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK ||
        sqlite3_db_config(*ret, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL) != SQLITE_OK ||
        sqlite3_db_config(*ret, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL) != SQLITE_OK)
        return failed(*ret, err);
    return 0;
}

static int show(sqlite3 *db, sqlite3_int64 row, uint8_t *buf, rpmdb_fn fn, void *arg)
{
    CLEANUP(close_blob) sqlite3_blob *blob = NULL;
    int len;

    if (sqlite3_blob_open(db, "main", "Packages", "blob", row, 0, &blob) != SQLITE_OK)
        return -EBADMSG;
    len = sqlite3_blob_bytes(blob);
    if (len > (int)RPM_HEADER_PREFIX)
        len = RPM_HEADER_PREFIX;
    if (sqlite3_blob_read(blob, buf, len, 0) != SQLITE_OK)
        return -EBADMSG;
    fn(arg, buf, (size_t)len);
    return 0;
}

int rpmdb_walk_sqlite(int fd, rpmdb_fn fn, void *arg, struct err *err)
{
    CLEANUP(close_db) sqlite3 *db = NULL;
    CLEANUP(end_query) sqlite3_stmt *query = NULL;
    CLEANUP_FREE uint8_t *buf = mem_alloc(RPM_HEADER_PREFIX);
    int r = open_db(fd, &db, err), step;

    if (r < 0)
        return r;
    if (sqlite3_exec(db, CACHE, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "SELECT hnum FROM Packages", -1, &query, NULL) != SQLITE_OK)
        return failed(db, err);
    while ((step = sqlite3_step(query)) == SQLITE_ROW)
        if (show(db, sqlite3_column_int64(query, 0), buf, fn, arg) < 0)
            return failed(db, err);
    return step == SQLITE_DONE ? 0 : failed(db, err);
}
