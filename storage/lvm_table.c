/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/lvm_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "storage/lvm_segment.h"

#define DEPTH_MAX 12U

int lvm_refused(struct err *err, const char *what)
{
    return err_status(err, STATUS_REFUSED, "%s", what);
}

int lvm_damaged(struct err *err, const char *what)
{
    return err_status(err, STATUS_FAILED, "its LVM metadata is damaged: %s", what);
}

void lvm_must_not_write(char *read_only, const char *why)
{
    if (read_only[0] == '\0')
        (void)snprintf(read_only, sizeof(((struct lvm_lv *)NULL)->read_only), "%s", why);
}

bool lvm_value(const struct lvm_work *work, const char *key, uint64_t *ret)
{
    return lvm_config_number(&work->vg->config, work->segment->node, key, LVM_NUMBER_MAX, ret);
}

const char *lvm_value_text(const struct lvm_work *work, const char *key)
{
    return lvm_config_text(&work->vg->config, work->segment->node, key);
}

bool lvm_is_type(const struct lvm_segment *segment, const char *type)
{
    size_t len = strcspn(segment->type, "+");

    return strlen(type) == len && strncmp(segment->type, type, len) == 0;
}

size_t lvm_ref(const struct lvm_vg *vg, const struct lvm_segment *segment, const char *key)
{
    return lvm_vg_find_lv(vg, lvm_config_text(&vg->config, segment->node, key));
}

/* Member number @at of the list @key; 0: there is none. */
size_t lvm_list_node(const struct lvm_vg *vg, const struct lvm_segment *segment, const char *key,
                     size_t at)
{
    size_t list = lvm_config_find(&vg->config, segment->node, key, LVM_LIST);
    size_t i = list ? vg->config.nodes[list].first : 0;

    for (; i != 0 && at > 0; at--)
        i = vg->config.nodes[i].next;
    return i;
}

size_t lvm_list_ref(const struct lvm_vg *vg, const struct lvm_segment *segment, const char *key,
                    size_t at)
{
    size_t node = lvm_list_node(vg, segment, key, at);

    return node ? lvm_vg_find_lv(vg, vg->config.nodes[node].text) : LVM_NONE;
}

/* ---- where data lies ---- */

int lvm_add_lv(struct lvm_work *work, size_t lv, size_t *ret_index, struct err *err)
{
    if (lv == LVM_NONE)
        return lvm_damaged(err, "a logical volume that is not there");
    return lvm_tables_add(work->tables, lv, work->read_only, ret_index, err);
}

/* "7:1 2048": where @len extents from number @at of the list @key on begin. */
static int place(struct lvm_work *work, const char *key, size_t at, uint64_t len,
                 struct strbuf *out, struct err *err)
{
    const struct lvm_vg *vg = work->vg;
    size_t name = lvm_list_node(vg, work->segment, key, 2 * at);
    size_t extent = lvm_list_node(vg, work->segment, key, 2 * at + 1);
    size_t pv, lv, index = 0;
    uint64_t first;
    int r;

    if (!extent || vg->config.nodes[extent].kind != LVM_NUMBER ||
        vg->config.nodes[extent].number < 0)
        return lvm_damaged(err, "a segment that lies nowhere");
    first = (uint64_t)vg->config.nodes[extent].number;
    pv = lvm_vg_find_pv(vg, vg->config.nodes[name].text);
    if (pv != LVM_NONE) {
        if (first > vg->pvs[pv].extents || len > vg->pvs[pv].extents - first)
            return lvm_damaged(err, "a segment beyond its physical volume");
        if (!work->tables->pvs[pv].device)
            return err_status(err, STATUS_FAILED,
                              "a physical volume of the group %s is missing: name all disks of "
                              "the guest (-a)",
                              vg->name);
        strbuf_printf(out, "%s %" PRIu64, work->tables->pvs[pv].device,
                      work->tables->pvs[pv].start + first * vg->extent_size);
        return 0;
    }
    lv = lvm_vg_find_lv(vg, vg->config.nodes[name].text);
    if (lv != LVM_NONE && (first > vg->lvs[lv].extents || len > vg->lvs[lv].extents - first))
        return lvm_damaged(err, "a segment beyond its logical volume");
    r = lvm_add_lv(work, lv, &index, err);
    if (r < 0)
        return r;
    strbuf_printf(out, "@%zu %" PRIu64, index, first * vg->extent_size);
    return 0;
}

bool lvm_is_count(uint64_t n)
{
    return n > 0 && n <= LVM_DEVICES_MAX;
}

/* ---- linear, striped ---- */

static int add_striped(struct lvm_work *work, struct err *err)
{
    CLEANUP_STRBUF struct strbuf params = { 0 };
    uint64_t n = 0, size = 0;
    int r = 0;

    if (!lvm_value(work, "stripe_count", &n) || !lvm_is_count(n) || work->segment->extents % n != 0)
        return lvm_damaged(err, "the stripes of a segment");
    if (n > 1 && (!lvm_value(work, "stripe_size", &size) || size == 0))
        return lvm_damaged(err, "the stripe size of a segment");
    if (n > 1)
        strbuf_printf(&params, "%" PRIu64 " %" PRIu64, n, size);
    for (size_t i = 0; i < n && r == 0; i++) {
        if (n > 1)
            strbuf_putc(&params, ' ');
        r = place(work, "stripes", i, work->segment->extents / n, &params, err);
    }
    if (r == 0)
        dmtable_add_row(work->table, work->len, n > 1 ? "striped" : "linear", strbuf_take(&params));
    return r;
}

static int add_error(struct lvm_work *work, struct err *err)
{
    (void)err;
    dmtable_add_row(work->table, work->len, "error", mem_strdup(""));
    return 0;
}

static int add_zero(struct lvm_work *work, struct err *err)
{
    (void)err;
    dmtable_add_row(work->table, work->len, "zero", mem_strdup(""));
    return 0;
}

/* ---- mirror ---- */

/* The first image is the one that the others are copied from. Without "handle_errors": with it, a
 * write that failed on one image waits for dmeventd, which is not there; whether one has failed is
 * asked at the end (engine/dmdev.h). */
static int add_mirror(struct lvm_work *work, struct err *err)
{
    CLEANUP_STRBUF struct strbuf params = { 0 };
    uint64_t n = 0, region = 0;
    bool all = work->tables->writable;
    int r = 0;

    if (!lvm_value(work, "mirror_count", &n) || !lvm_is_count(n) ||
        !lvm_value(work, "region_size", &region) || region == 0)
        return lvm_damaged(err, "the images of a mirror");
    if (all)
        strbuf_printf(&params, "core 2 %" PRIu64 " nosync %" PRIu64 " ", region, n);
    for (size_t i = 0; i < (all ? n : 1) && r == 0; i++) {
        if (i > 0)
            strbuf_putc(&params, ' ');
        r = place(work, "mirrors", i, work->segment->extents, &params, err);
    }
    if (r == 0)
        dmtable_add_row(work->table, work->len, all ? "mirror" : "linear", strbuf_take(&params));
    return r;
}

/* ---- types ---- */

static const struct type {
    const char *name; /* with the flags that are understood */
    int (*add)(struct lvm_work *work, struct err *err);
} types[] = {
    { "striped", add_striped },
    { "linear", add_striped },
    { "error", add_error },
    { "zero", add_zero },
    { "mirror", add_mirror },
    { "integrity", lvm_add_integrity },
    { "thin-pool", lvm_add_thin_pool },
    { "thin", lvm_add_thin },
    { "cache", lvm_add_cache },
    { "cache+CACHE_USES_CACHEVOL", lvm_add_cache },
    { "cache+METADATA_FORMAT", lvm_add_cache },
    { "cache+METADATA_FORMAT+CACHE_USES_CACHEVOL", lvm_add_cache },
    { "writecache", lvm_add_writecache },
};

static int add_segment(struct lvm_work *work, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (strcmp(types[i].name, work->segment->type) == 0)
            return types[i].add(work, err);
    if (lvm_is_raid(work->segment))
        return lvm_add_raid(work, err);
    return err_status(err, STATUS_REFUSED, "it has a segment of type %.40s, which cannot be read",
                      work->segment->type);
}

/* ---- logical volumes ---- */

/* The volume itself, without what an origin or a snapshot has above it. */
static int add_real(struct lvm_tables *tables, size_t lv, char *read_only, size_t *ret_index,
                    struct err *err)
{
    const struct lvm_lv *volume = &tables->vg->lvs[lv];
    struct dmtables own = { 0 };
    struct dmtable *table = dmtable_add(&own);
    int r = 0;

    if (tables->real[lv] > 0) {
        dmtables_done(&own);
        *ret_index = tables->real[lv] - 1;
        return 0;
    }
    table->read_only = !tables->writable;
    for (size_t i = 0; i < volume->n_segments && r == 0; i++) {
        struct lvm_work work = {
            .tables = tables,
            .vg = tables->vg,
            .segment = &volume->segments[i],
            .table = table,
            .read_only = read_only,
            .len = volume->segments[i].extents * tables->vg->extent_size,
        };

        r = add_segment(&work, err);
    }
    if (r == 0 && table->n_rows == 0)
        r = lvm_damaged(err, "a logical volume of no size");
    if (r < 0) {
        dmtables_done(&own);
        return r;
    }
    table->read_only |= read_only[0] != '\0';
    /* the kernel takes a pool in no read-only table, but there is a word for it */
    if (lvm_is_type(&volume->segments[0], "thin-pool"))
        table->read_only = false;
    *dmtable_add(&tables->dm) = *table;
    free(own.tables);
    tables->real[lv] = tables->dm.n_tables;
    *ret_index = tables->dm.n_tables - 1;
    return 0;
}

static uint64_t sectors(const struct lvm_tables *tables, size_t lv)
{
    return tables->vg->lvs[lv].extents * tables->vg->extent_size;
}

static size_t add_own_row(struct lvm_tables *tables, uint64_t len, const char *target, char *params)
{
    struct dmtable *table = dmtable_add(&tables->dm);

    table->read_only = !tables->writable;
    dmtable_add_row(table, len, target, params);
    return tables->dm.n_tables - 1;
}

static int add_snapshot(struct lvm_tables *tables, size_t lv, char *read_only, size_t *ret_index,
                        struct err *err)
{
    const struct lvm_vg *vg = tables->vg;
    const struct lvm_lv *store = &vg->lvs[lv];
    const struct lvm_segment *segment = &vg->lvs[store->snapshot].segments[0];
    size_t origin = 0, cow = 0;
    uint64_t chunk = 0;
    int r;

    if (!lvm_config_number(&vg->config, segment->node, "chunk_size", LVM_NUMBER_MAX, &chunk) ||
        chunk == 0)
        return lvm_damaged(err, "the chunk size of a snapshot");
    r = add_real(tables, store->origin, read_only, &origin, err);
    if (r == 0)
        r = add_real(tables, lv, read_only, &cow, err);
    if (r == 0)
        *ret_index = add_own_row(tables, sectors(tables, store->origin), "snapshot",
                                 mem_printf("@%zu @%zu P %" PRIu64, origin, cow, chunk));
    return r;
}

/* Writing to an origin fills the snapshots with what was there before; so they come first. For
 * reading it gets a device of its own, too: snapshots hold the real one, which nobody can mount
 * then. */
static int add_origin(struct lvm_tables *tables, size_t lv, char *read_only, size_t *ret_index,
                      struct err *err)
{
    const char *target = tables->writable ? "snapshot-origin" : "linear";
    size_t real = 0, ignored;
    int r = 0;

    for (size_t i = 0; i < tables->vg->n_lvs && r == 0 && tables->writable; i++)
        if (tables->vg->lvs[i].origin == lv)
            r = lvm_tables_add(tables, i, read_only, &ignored, err);
    if (r == 0)
        r = add_real(tables, lv, read_only, &real, err);
    if (r == 0)
        *ret_index = add_own_row(tables, sectors(tables, lv), target,
                                 mem_printf("@%zu%s", real, tables->writable ? "" : " 0"));
    return r;
}

static int add_any(struct lvm_tables *tables, size_t lv, char *read_only, size_t *ret_index,
                   struct err *err)
{
    const struct lvm_lv *volume = &tables->vg->lvs[lv];

    if (volume->problem[0] != '\0')
        return lvm_refused(err, volume->problem);
    if (volume->is_merging ||
        (volume->origin != LVM_NONE && tables->vg->lvs[volume->origin].is_merging))
        return lvm_refused(err, "a snapshot is being merged: let it finish in the guest");
    if (volume->origin != LVM_NONE)
        return add_snapshot(tables, lv, read_only, ret_index, err);
    if (volume->is_origin)
        return add_origin(tables, lv, read_only, ret_index, err);
    return add_real(tables, lv, read_only, ret_index, err);
}

int lvm_tables_add(struct lvm_tables *tables, size_t lv, char *read_only, size_t *ret_index,
                   struct err *err)
{
    int r;

    if (tables->made[lv] > 0) {
        *ret_index = tables->made[lv] - 1;
        return 0;
    }
    if (tables->is_busy[lv] || tables->depth >= DEPTH_MAX)
        return lvm_damaged(err, "logical volumes that lie on each other without end");
    *ret_index = 0;
    tables->is_busy[lv] = 1;
    tables->depth++;
    r = add_any(tables, lv, read_only, ret_index, err);
    tables->depth--;
    tables->is_busy[lv] = 0;
    if (r < 0)
        return r;
    tables->made[lv] = *ret_index + 1;
    if (tables->vg->lvs[lv].read_only[0] != '\0')
        lvm_must_not_write(read_only, tables->vg->lvs[lv].read_only);
    return 0;
}

void lvm_tables_init(struct lvm_tables *tables)
{
    size_t n = tables->vg->n_lvs;

    tables->made = mem_alloc(n * sizeof(*tables->made));
    tables->real = mem_alloc(n * sizeof(*tables->real));
    tables->is_busy = mem_alloc(n);
}

void lvm_tables_done(struct lvm_tables *tables)
{
    dmtables_done(&tables->dm);
    free(tables->made);
    free(tables->real);
    free(tables->is_busy);
}

/* ---- without tables ---- */

bool lvm_is_piece(const struct lvm_tables *tables, size_t lv, size_t *ret_pv, uint64_t *ret_sector)
{
    const struct lvm_vg *vg = tables->vg;
    const struct lvm_lv *volume = &vg->lvs[lv];
    uint64_t next = 0;

    if (volume->problem[0] != '\0' || volume->is_merging || volume->origin != LVM_NONE ||
        (volume->is_origin && tables->writable))
        return false;
    for (size_t i = 0; i < volume->n_segments; i++) {
        const struct lvm_segment *segment = &volume->segments[i];
        size_t name = lvm_list_node(vg, segment, "stripes", 0),
               at = lvm_list_node(vg, segment, "stripes", 1);
        uint64_t stripes = 0, first;
        size_t pv;

        if (strcmp(segment->type, "striped") != 0 ||
            !lvm_config_number(&vg->config, segment->node, "stripe_count", 1, &stripes) ||
            stripes != 1 || !at || vg->config.nodes[at].kind != LVM_NUMBER ||
            vg->config.nodes[at].number < 0)
            return false;
        pv = lvm_vg_find_pv(vg, vg->config.nodes[name].text);
        first = (uint64_t)vg->config.nodes[at].number;
        if (pv == LVM_NONE || first > vg->pvs[pv].extents ||
            segment->extents > vg->pvs[pv].extents - first)
            return false;
        if (i > 0 && (pv != *ret_pv || first != next))
            return false;
        if (i == 0) {
            *ret_pv = pv;
            *ret_sector = vg->pvs[pv].start + first * vg->extent_size;
        }
        next = first + segment->extents;
    }
    return volume->n_segments > 0;
}
