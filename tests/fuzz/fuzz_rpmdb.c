/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the database is: it is walked to an end, and nothing outside of it is read. */
#include <stdlib.h>
#include <string.h>

#include "inspect/rpm_header.h"
#include "inspect/rpmdb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct file {
    const uint8_t *data;
    size_t size;
};

static int read_file(void *ctx, uint64_t offset, void *buf, size_t len)
{
    const struct file *file = ctx;

    if (offset > file->size || len > file->size - offset)
        abort();
    memcpy(buf, file->data + offset, len);
    return 0;
}

static void look(void *arg, const uint8_t *header, size_t len)
{
    struct rpm_package package;

    (void)arg;
    if (len > RPM_HEADER_PREFIX)
        abort();
    (void)rpm_header_parse(header, len, &package); /* it has a target of its own */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct file file = { data, size };
    const struct rpmdb_io io = { .read = read_file, .ctx = &file, .size = size };
    struct err err = ERR_NONE;

    (void)rpmdb_walk_bdb(&io, look, NULL, &err);
    err_clear(&err);
    (void)rpmdb_walk_ndb(&io, look, NULL, &err);
    err_clear(&err);
    return 0;
}
