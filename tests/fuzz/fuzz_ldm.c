/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The database of dynamic disks, and tables of the volumes in it: they have no gaps. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "storage/ldm_layout.h"
#include "storage/md_table.h"

#define SECTORS (1ULL << 24) /* of each disk */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tables(const struct md_array *array, bool writable)
{
    static struct dmtable_address legs[MD_DISKS_MAX];
    CLEANUP_DMTABLES struct dmtables tables = { 0 };
    struct err err = ERR_NONE;
    uint64_t at = 0;

    for (uint32_t i = 0; i < array->n; i++) {
        bool is_there = array->legs[i] != MD_NO_LEG;

        if (is_there &&
            (array->leg_start[i] > SECTORS || array->leg_size[i] > SECTORS - array->leg_start[i]))
            abort();
        legs[i] = (struct dmtable_address){ .device = is_there ? "7:1" : NULL,
                                            .start = array->leg_start[i] };
    }
    if (md_tables_make(array, legs, writable, &tables, &err) < 0)
        return;
    for (size_t i = 0; i < tables.tables[tables.n_tables - 1].n_rows; i++) {
        const struct dmtable_row *row = &tables.tables[tables.n_tables - 1].rows[i];

        if (row->start != at || row->len == 0 || strstr(row->params, "null"))
            abort();
        at += row->len;
    }
    if (at != array->size)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct md_array array;
    CLEANUP_FREE struct ldm_place *places = NULL;
    struct ldm_group group;
    struct ldm_head head;
    struct err err = ERR_NONE;

    if (size >= LDM_HEAD_LEN)
        (void)ldm_head_parse(data, &head);
    if (ldm_group_parse(data, size, 512, &group, &err) == 0) {
        places = mem_alloc((group.n_disks + 1) * sizeof(*places));
        for (size_t i = 0; i < group.n_disks; i++)
            places[i] = (struct ldm_place){ group.disks[i].id != 3, 63, SECTORS };
        for (size_t i = 0; i < group.n_volumes && i < 16; i++)
            if (ldm_layout_make(&group, &group.volumes[i], places, 512, &array, &err) == 0)
                check_tables(&array, array.read_only[0] == '\0');
    }
    ldm_group_done(&group);
    return 0;
}
