/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables of the device mapper that lie on each other: made as texts first, which needs no device,
 * and as devices then. Lengths in sectors of 512 bytes. */
#ifndef H2K_STORAGE_DMTABLE_H
#define H2K_STORAGE_DMTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/err.h"
#include "engine/session.h"

/* Where something lies: a block device and sectors into it. */
struct dmtable_address {
    const char *device; /* as dm takes it ("7:1"); NULL: it is not there */
    uint64_t start;
};

struct dmtable_row {
    uint64_t start, len;
    const char *target; /* "linear", "striped", "raid" ... */
    char *params;       /* "@3" in it stands for the device made of table number 3 */
};

struct dmtable {
    struct dmtable_row *rows;
    size_t n_rows;
    bool read_only;
};

/* In the order in which to make their devices. */
struct dmtables {
    struct dmtable *tables;
    size_t n_tables;
};

struct dmtable *dmtable_add(struct dmtables *tables);

/* Append a row; the rows of a table follow each other without a gap. Takes @params. */
void dmtable_add_row(struct dmtable *table, uint64_t len, const char *target, char *params);

void dmtables_done(struct dmtables *tables);
#define CLEANUP_DMTABLES __attribute__((cleanup(dmtables_done)))

/*
 * Make the device of table number @index and those below it that are not there yet. @devices: of
 * each table, the caller's; 0: not made yet. *ret_node as dmdev_make() has it.
 * 0, or negative errno and *err.
 */
int dmtable_make(struct session *session, const struct dmtables *tables, size_t index,
                 dev_t *devices, char **ret_node, struct err *err);

#endif
