/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A volume group's text, and the tables of all its volumes. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"
#include "storage/lvm_table.h"

#define ROWS_TABLES_MAX 20000U

static void check_table(const struct dmtables *tables, size_t index)
{
    const struct dmtable *table = &tables->tables[index];
    uint64_t at = 0;

    for (size_t i = 0; i < table->n_rows; i++) {
        if (table->rows[i].start != at || table->rows[i].len == 0)
            abort();
        at += table->rows[i].len;
        for (const char *c = strchr(table->rows[i].params, '@'); c; c = strchr(c + 1, '@'))
            if (strtoul(c + 1, NULL, 10) >= index)
                abort();
    }
}

static void make_tables(const struct lvm_vg *vg, bool writable)
{
    struct dmtable_address *pvs = mem_alloc((vg->n_pvs + 1) * sizeof(*pvs));
    struct lvm_tables tables = { .vg = vg, .pvs = pvs, .writable = writable };

    for (size_t i = 0; i + 1 < vg->n_pvs; i++) /* the last one is missing */
        pvs[i].device = "7:1";
    lvm_tables_init(&tables);
    for (size_t i = 0; i < vg->n_lvs && tables.dm.n_tables < ROWS_TABLES_MAX; i++) {
        char read_only[128] = "";
        struct err err = ERR_NONE;
        uint64_t sector = 0;
        size_t index = 0, pv = 0;

        (void)lvm_is_piece(&tables, i, &pv, &sector);
        (void)lvm_needs_writing(vg, i);
        if (lvm_tables_add(&tables, i, read_only, &index, &err) == 0 && index >= tables.dm.n_tables)
            abort();
    }
    for (size_t i = 0; i < tables.dm.n_tables; i++)
        check_table(&tables.dm, i);
    lvm_tables_done(&tables);
    free(pvs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lvm_vg vg;
    struct err err = ERR_NONE;

    if (lvm_vg_parse((const char *)data, size, &vg, &err) == 0) {
        make_tables(&vg, false);
        make_tables(&vg, true);
    }
    lvm_vg_done(&vg);
    return 0;
}
