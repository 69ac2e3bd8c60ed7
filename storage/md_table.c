/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/md_build.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"

/* Sub-devices that one array may need; raid6 over 24 devices takes 528. */
#define CELLS_MAX 1024U
/* Of a stand-in for dm-raid's own metadata: reads are zeros, writes go nowhere. */
#define META_SECTORS 8192U

/* raid0 layouts (linux/drivers/md/raid0.h): which device begins the rows of zones after the first
 */
#define RAID0_ORIGINAL 1U
#define RAID0_ALTERNATE 2U

/* Undoing parity row by row takes a good many of them. */
#define REBUILT_DISKS_MAX 16U

static struct dmtable *add_table(struct md_build *build)
{
    return dmtable_add(build->tables);
}

char *md_build_address(const struct md_build *build, uint32_t disk, uint64_t skip)
{
    const struct dmtable_address *leg = &build->legs[disk];

    return mem_printf("%s %" PRIu64, leg->device, leg->start + skip);
}

static void add_linear(struct md_build *build, struct dmtable *table, uint32_t disk, uint64_t skip,
                       uint64_t len)
{
    dmtable_add_row(table, len, "linear", md_build_address(build, disk, skip));
}

bool md_is_piece(const struct md_array *array, uint32_t *ret_disk)
{
    if (array->level != 1 && !(array->n == 1 && (array->level == 0 || array->level < 0)))
        return false;
    for (uint32_t i = 0; i < array->n; i++) {
        if (array->legs[i] != MD_NO_LEG) {
            *ret_disk = i;
            return true;
        }
    }
    return false;
}

static int make_piece(struct md_build *build, struct err *err)
{
    uint32_t disk = 0;

    if (!md_is_piece(build->array, &disk))
        return err_status(err, STATUS_FAILED, "it has no members");
    add_linear(build, add_table(build), disk, 0, build->array->size);
    return 0;
}

static int make_linear(struct md_build *build, struct err *err)
{
    struct dmtable *table = add_table(build);

    (void)err;
    for (uint32_t i = 0; i < build->array->n; i++)
        add_linear(build, table, i, 0, build->array->leg_size[i]);
    return 0;
}

/* ---- raid0 ---- */

/* The smallest leg that is larger than @cut; 0 when there is none. */
static uint64_t next_cut(const struct md_array *array, uint64_t cut)
{
    uint64_t best = 0;

    for (uint32_t i = 0; i < array->n; i++)
        if (array->leg_size[i] > cut && (best == 0 || array->leg_size[i] < best))
            best = array->leg_size[i];
    return best;
}

/* A zone: a stripe over all legs that are larger than @cut. */
static void add_zone(struct md_build *build, struct dmtable *table, uint64_t cut, uint64_t end)
{
    const struct md_array *array = build->array;
    uint32_t disks[MD_DISKS_MAX], n = 0, first = 0;
    CLEANUP_STRBUF struct strbuf params = { 0 };

    for (uint32_t i = 0; i < array->n; i++)
        if (array->leg_size[i] > cut)
            disks[n++] = i;
    if (n == 1) {
        add_linear(build, table, disks[0], cut, end - cut);
        return;
    }
    /* the original driver went on counting chunks from the start of the array */
    if (cut > 0 && array->layout == RAID0_ORIGINAL) {
        const struct dmtable_row *last = &table->rows[table->n_rows - 1];

        first = (uint32_t)((last->start + last->len) / array->chunk % n);
    }
    strbuf_printf(&params, "%u %u", n, array->chunk);
    for (uint32_t i = 0; i < n; i++) {
        CLEANUP_FREE char *leg = md_build_address(build, disks[(first + i) % n], cut);

        strbuf_printf(&params, " %s", leg);
    }
    dmtable_add_row(table, (end - cut) * n, "striped", strbuf_take(&params));
}

static int make_raid0(struct md_build *build, struct err *err)
{
    const struct md_array *array = build->array;
    uint64_t cut = 0, end = next_cut(array, 0);
    bool zones = next_cut(array, end) > 0;
    bool known = (array->super->features & MD_FEATURE_RAID0_LAYOUT) != 0 &&
                 (array->layout == RAID0_ORIGINAL || array->layout == RAID0_ALTERNATE);
    struct dmtable *table;

    if (zones && !known)
        return err_status(err, STATUS_REFUSED,
                          "its members differ in size and its superblock does not say which of "
                          "two layouts it has: set it in the guest (mdadm --update=layout-...)");
    table = add_table(build);
    for (; end > 0; cut = end, end = next_cut(array, end))
        add_zone(build, table, cut, end);
    return 0;
}

/* ---- data read where it lies, without parity and further copies ---- */

static bool is_missing(const struct md_build *build, const struct md_cell *cell)
{
    return build->array->legs[cell->disk] == MD_NO_LEG;
}

/* What a stripe takes for each cell: the leg itself, or every n-th row of it as a device. */
static char *cell_device(struct md_build *build, const struct md_period *period, size_t index,
                         uint64_t periods)
{
    const struct md_cell *cell = &period->cells[index];
    const struct md_rows rows = { period->rows, cell->row, periods };
    const uint32_t chunk = build->array->chunk;
    CLEANUP_FREE char *at = NULL;
    struct dmtable *table;

    if (is_missing(build, cell))
        return md_raid6_column(build, &rows, cell->disk);
    at = md_build_address(build, cell->disk, cell->skip);
    if (period->rows == 1)
        return TAKE(at);
    table = add_table(build);
    dmtable_add_row(table, periods * chunk, "unstriped",
                    mem_printf("%u %u %u %s", period->rows, chunk, cell->row, at));
    return mem_printf("@%zu 0", build->tables->n_tables - 1);
}

/* The cell's chunk of the last period, which is not whole. */
static char *last_device(struct md_build *build, const struct md_period *period, size_t index,
                         uint64_t periods)
{
    const struct md_cell *cell = &period->cells[index];
    const struct md_rows row = { 1, periods * period->rows + cell->row, 1 };

    if (is_missing(build, cell))
        return md_raid6_column(build, &row, cell->disk);
    return md_build_address(build, cell->disk, cell->skip + row.first * build->array->chunk);
}

static void add_periods(struct md_build *build, const struct md_period *period)
{
    const struct md_array *array = build->array;
    uint64_t chunks = array->size / array->chunk, periods = chunks / period->n_cells;
    size_t n_last = (size_t)(chunks % period->n_cells);
    char **last = mem_alloc(n_last * sizeof(*last));
    CLEANUP_STRBUF struct strbuf params = { 0 };
    struct dmtable *table;

    strbuf_printf(&params, "%zu %u", period->n_cells, array->chunk);
    for (size_t i = 0; i < period->n_cells && periods > 0; i++) {
        CLEANUP_FREE char *device = cell_device(build, period, i, periods);

        strbuf_printf(&params, " %s", device);
    }
    for (size_t i = 0; i < n_last; i++)
        last[i] = last_device(build, period, i, periods);
    table = add_table(build); /* the array: all that it lies on is there */
    if (periods > 0 && period->n_cells > 1)
        dmtable_add_row(table, periods * period->n_cells * array->chunk, "striped",
                        strbuf_take(&params));
    else if (periods > 0) /* copies on all devices: one of them is all there is */
        add_linear(build, table, period->cells[0].disk, period->cells[0].skip, array->size);
    for (size_t i = 0; i < n_last; i++)
        dmtable_add_row(table, array->chunk, "linear", last[i]);
    free(last);
}

/* Is all data there, or can it be had by parity? */
static bool can_read(const struct md_build *build, const struct md_period *period)
{
    bool rebuilds = build->array->level == 6 && !build->plain && build->array->n_missing <= 2 &&
                    build->array->n <= REBUILT_DISKS_MAX;

    for (size_t i = 0; i < period->n_cells; i++)
        if (is_missing(build, &period->cells[i]) && !rebuilds)
            return false;
    return true;
}

static int make_periods(struct md_build *build, struct err *err)
{
    CLEANUP_MD_PERIOD struct md_period period = { 0 };
    int r = md_array_period(build->array, &period);

    if (r == -ENODATA)
        return err_status(err, STATUS_FAILED,
                          "parts of it lie on missing members only: name all disks of the guest "
                          "(-a)");
    if (r < 0 || period.n_cells > CELLS_MAX)
        return err_status(err, STATUS_REFUSED, "its layout (%#x over %u members) cannot be read",
                          build->array->layout, build->array->n);
    if (!can_read(build, &period))
        return err_status(err, STATUS_REFUSED,
                          "its data has to be computed from %u members, which cannot be done here",
                          build->array->n - build->array->n_missing);
    add_periods(build, &period);
    return 0;
}

/* ---- dm-raid: rebuilds what is missing, keeps copies and parity up to date ---- */

/* md's raid4 has its parity on the last device, which dm calls raid5_n; dm's raid4 has it on the
 * first one. */
static const struct raid_type {
    int32_t level;
    uint32_t layout, mask; /* of the layout word */
    const char *name, *options;
} raid_types[] = {
    { 1, 0, 0, "raid1", "" },
    { 4, 0, 0, "raid5_n", "" },
    { 5, 0, ~0U, "raid5_la", "" },
    { 5, 1, ~0U, "raid5_ra", "" },
    { 5, 2, ~0U, "raid5_ls", "" },
    { 5, 3, ~0U, "raid5_rs", "" },
    { 5, 4, ~0U, "raid4", "" },
    { 5, 5, ~0U, "raid5_n", "" },
    { 6, 5, ~0U, "raid6_n_6", "" },
    { 6, 8, ~0U, "raid6_zr", "" },
    { 6, 9, ~0U, "raid6_nr", "" },
    { 6, 10, ~0U, "raid6_nc", "" },
    { 6, 16, ~0U, "raid6_la_6", "" },
    { 6, 17, ~0U, "raid6_ra_6", "" },
    { 6, 18, ~0U, "raid6_ls_6", "" },
    { 6, 19, ~0U, "raid6_rs_6", "" },
    { 10, 0x00100, 0x7ff00, "raid10", "near" },
    { 10, 0x00001, 0x600ff, "raid10", "far" },
    { 10, 0x20001, 0x600ff, "raid10", "far" },
};

static const struct raid_type *find_type(const struct md_array *array)
{
    for (size_t i = 0; i < ARRAY_SIZE(raid_types); i++)
        if (raid_types[i].level == array->level &&
            raid_types[i].layout == (array->layout & raid_types[i].mask))
            return &raid_types[i];
    return NULL;
}

/* "3 128 nosync": how many words follow, and they. nosync is not allowed for raid6, which starts no
 * resync as long as it is read-only. */
static char *raid_params(const struct md_array *array, const struct raid_type *type)
{
    uint32_t near = array->layout & 0xffU, far = (array->layout >> 8) & 0xffU;
    bool offset = (array->layout & (1U << 16)) != 0, sets = (array->layout >> 17) != 0;

    if (array->level == 6)
        return mem_printf("1 %u", array->chunk);
    if (array->level != 10)
        return mem_printf("2 %u nosync", array->chunk);
    if (far == 1)
        return mem_printf("6 %u nosync raid10_copies %u raid10_format near", array->chunk, near);
    /* without near sets dm would put the further copies on other devices than md did */
    return mem_printf("%d %u nosync raid10_copies %u raid10_format %s%s", sets ? 6 : 7,
                      array->chunk, far, offset ? "offset" : type->options,
                      sets ? "" : " raid10_use_near_sets");
}

/*
 * The legs as devices that begin with the data, as dm-raid takes no offsets. raid10 does not start
 * without metadata devices of dm's own, for which nothing but zeros will do. Without them dm-raid
 * has somebody else note that a leg has failed ("external" metadata), and lets every write wait for
 * that for ever: so whatever is written has them.
 */
static int make_raid(struct md_build *build, struct err *err)
{
    const struct md_array *array = build->array;
    const struct raid_type *type = find_type(array);
    CLEANUP_STRBUF struct strbuf params = { 0 };
    CLEANUP_FREE char *options = NULL;

    if (!type)
        return err_status(err, STATUS_REFUSED,
                          "no table of the device mapper has its layout (%s, %#x)",
                          md_level_name(array->level), array->layout);
    options = raid_params(array, type);
    strbuf_printf(&params, "%s %s %u", type->name, options, array->n);
    for (uint32_t i = 0; i < array->n; i++) {
        if (array->legs[i] == MD_NO_LEG) {
            strbuf_puts(&params, " - -");
            continue;
        }
        add_linear(build, add_table(build), i, 0, array->leg_size[i]);
        if (array->level == 10 || build->writable) {
            dmtable_add_row(add_table(build), META_SECTORS, "zero", mem_strdup(""));
            strbuf_printf(&params, " @%zu @%zu", build->tables->n_tables - 1,
                          build->tables->n_tables - 2);
        } else {
            strbuf_printf(&params, " - @%zu", build->tables->n_tables - 1);
        }
    }
    dmtable_add_row(add_table(build), array->size, "raid", strbuf_take(&params));
    return 0;
}

typedef int make_fn(struct md_build *build, struct err *err);

static make_fn *choose(const struct md_array *array, bool writable)
{
    switch (array->level) {
    case MD_LEVEL_LINEAR:
        return make_linear;
    case 0:
        return make_raid0;
    case 1:
        return writable && array->n > 1 ? make_raid : make_piece;
    case 10:
        return writable ? make_raid : make_periods;
    case 6:
        return array->n_missing > 0 && find_type(array) ? make_raid : make_periods;
    default: /* 4 and 5: dm-raid has at least three members */
        return array->n > 2 ? make_raid : make_periods;
    }
}

/* Only with targets that look nothing up. */
static make_fn *choose_plain(const struct md_array *array)
{
    make_fn *make = choose(array, false);

    return make == make_raid ? make_periods : make;
}

static int make_all(const struct md_array *array, const struct dmtable_address *legs, bool writable,
                    bool plain, struct dmtables *ret, struct err *err)
{
    CLEANUP_DMTABLES struct dmtables tables = { 0 };
    struct md_build build = { array, writable, plain, legs, &tables };
    make_fn *make = plain ? choose_plain(array) : choose(array, writable);
    int r = make(&build, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < tables.n_tables; i++)
        tables.tables[i].read_only = !writable;
    *ret = tables;
    tables = (struct dmtables){ 0 };
    return 0;
}

int md_tables_make(const struct md_array *array, const struct dmtable_address *legs, bool writable,
                   struct dmtables *ret, struct err *err)
{
    return make_all(array, legs, writable, false, ret, err);
}

int md_tables_make_plain(const struct md_array *array, const struct dmtable_address *legs,
                         struct dmtables *ret, struct err *err)
{
    return make_all(array, legs, false, true, ret, err);
}
