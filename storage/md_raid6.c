/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RAID 6 as md lays it out by default is none of dm-raid's. But in every n-th row of chunks P and Q
 * are on the same members, and so these rows are an array with P and Q on the last two: raid6_n_6.
 * Q is computed over the data in the order of the members behind Q, round the end (md:
 * raid6_d0() and raid6_idx_to_slot() of linux/drivers/md/raid5.c).
 */
#include <inttypes.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "storage/md_build.h"

/* These rows of one member as a device: number of its table. */
static size_t add_leg(struct md_build *build, const struct md_rows *rows, uint32_t disk)
{
    const uint32_t chunk = build->array->chunk;
    struct dmtable *table = dmtable_add(build->tables);
    CLEANUP_FREE char *start = md_build_address(build, disk, 0);

    if (rows->step == 1 || rows->n == 1)
        dmtable_add_row(table, rows->n * chunk, "linear",
                        md_build_address(build, disk, rows->first * chunk));
    else
        dmtable_add_row(table, rows->n * chunk, "unstriped",
                        mem_printf("%u %u %" PRIu64 " %s", rows->step, chunk, rows->first, start));
    return build->tables->n_tables - 1;
}

/* The members as raid6_n_6 has them in these rows. */
static void find_order(const struct md_array *array, uint64_t row, uint32_t *ret_order)
{
    uint32_t p = 0, q = 0, n = 0;

    md_array_parity(array, row, &p, &q);
    for (uint32_t i = 1; i <= array->n; i++) {
        uint32_t disk = (q + i) % array->n;

        if (disk != p && disk != q)
            ret_order[n++] = disk;
    }
    ret_order[n++] = p;
    ret_order[n] = q;
}

char *md_raid6_column(struct md_build *build, const struct md_rows *rows, uint32_t disk)
{
    const struct md_array *array = build->array;
    uint32_t order[MD_DISKS_MAX] = { 0 }, at = 0, data = md_data_disks(array);
    struct dmtable *table;
    size_t raid;
    CLEANUP_STRBUF struct strbuf params = { 0 };

    find_order(array, rows->first, order);
    strbuf_printf(&params, "raid6_n_6 1 %u %u", array->chunk, array->n);
    for (uint32_t i = 0; i < array->n; i++) {
        if (order[i] == disk)
            at = i;
        if (array->legs[order[i]] == MD_NO_LEG)
            strbuf_puts(&params, " - -");
        else
            strbuf_printf(&params, " - @%zu", add_leg(build, rows, order[i]));
    }
    raid = build->tables->n_tables;
    table = dmtable_add(build->tables);
    dmtable_add_row(table, rows->n * data * array->chunk, "raid", strbuf_take(&params));
    table = dmtable_add(build->tables);
    dmtable_add_row(table, rows->n * array->chunk, "unstriped",
                    mem_printf("%u %u %u @%zu 0", data, array->chunk, at, raid));
    return mem_printf("@%zu 0", raid + 1);
}
