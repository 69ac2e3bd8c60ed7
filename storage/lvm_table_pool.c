/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Thin pools, thin volumes and caches of LVM. */
#include <inttypes.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "storage/lvm_segment.h"

int lvm_add_thin_pool(struct lvm_work *work, struct err *err)
{
    CLEANUP_STRBUF struct strbuf features = { 0 };
    const char *discards = lvm_value_text(work, "discards");
    size_t meta = 0, data = 0;
    uint64_t chunk = 0, zero = 1;
    unsigned n = 0;
    int r;

    if (!lvm_value(work, "chunk_size", &chunk) || chunk == 0)
        return lvm_damaged(err, "the chunk size of a thin pool");
    if (lvm_config_find(&work->vg->config, work->segment->node, "message1", LVM_SECTION))
        return lvm_refused(err,
                           "a change of its thin pool is unfinished: activate it in the guest");
    r = lvm_add_lv(work, lvm_ref(work->vg, work->segment, "metadata"), &meta, err);
    if (r == 0)
        r = lvm_add_lv(work, lvm_ref(work->vg, work->segment, "pool"), &data, err);
    if (r < 0)
        return r;
    if (lvm_value(work, "zero_new_blocks", &zero) && zero == 0 && ++n)
        strbuf_puts(&features, " skip_block_zeroing");
    if (strcmp(discards, "ignore") == 0 && ++n)
        strbuf_puts(&features, " ignore_discard");
    if (strcmp(discards, "nopassdown") == 0 && ++n)
        strbuf_puts(&features, " no_discard_passdown");
    if (!work->tables->writable && ++n)
        strbuf_puts(&features, " read_only");
    dmtable_add_row(
        work->table, work->len, "thin-pool",
        mem_printf("@%zu @%zu %" PRIu64 " 0 %u%s", meta, data, chunk, n, strbuf_text(&features)));
    return 0;
}

int lvm_add_thin(struct lvm_work *work, struct err *err)
{
    const char *external = lvm_value_text(work, "external_origin");
    size_t pool = 0, origin = 0;
    uint64_t id = 0;
    int r;

    if (!lvm_value(work, "device_id", &id))
        return lvm_damaged(err, "a thin volume without a number");
    r = lvm_add_lv(work, lvm_ref(work->vg, work->segment, "thin_pool"), &pool, err);
    if (r == 0 && external[0] != '\0')
        r = lvm_add_lv(work, lvm_vg_find_lv(work->vg, external), &origin, err);
    if (r < 0)
        return r;
    dmtable_add_row(work->table, work->len, "thin",
                    external[0] != '\0' ? mem_printf("@%zu %" PRIu64 " @%zu", pool, id, origin)
                                        : mem_printf("@%zu %" PRIu64, pool, id));
    return 0;
}

/* ---- caches ---- */

/* The cache's metadata and data as devices: two volumes, or two pieces of one. */
static int add_cache_parts(struct lvm_work *work, const struct lvm_segment *pool, size_t parts[2],
                           struct err *err)
{
    static const char *const keys[2][2] = { { "metadata_start", "metadata_len" },
                                            { "data_start", "data_len" } };
    size_t whole = 0;
    int r;

    if (pool != work->segment) {
        r = lvm_add_lv(work, lvm_ref(work->vg, pool, "metadata"), &parts[0], err);
        return r < 0 ? r : lvm_add_lv(work, lvm_ref(work->vg, pool, "data"), &parts[1], err);
    }
    r = lvm_add_lv(work, lvm_ref(work->vg, work->segment, "cache_pool"), &whole, err);
    for (size_t i = 0; i < 2 && r == 0; i++) {
        uint64_t start = 0, len = 0;
        struct dmtable *table;

        if (!lvm_value(work, keys[i][0], &start) || !lvm_value(work, keys[i][1], &len) || len == 0)
            return lvm_damaged(err, "the parts of a cache");
        table = dmtable_add(&work->tables->dm);
        table->read_only = !work->tables->writable;
        dmtable_add_row(table, len, "linear", mem_printf("@%zu %" PRIu64, whole, start));
        parts[i] = work->tables->dm.n_tables - 1;
    }
    return r;
}

/* The segment that describes the cache: its own, or that of its pool. */
static const struct lvm_segment *cache_pool(const struct lvm_vg *vg,
                                            const struct lvm_segment *segment)
{
    size_t pool = lvm_ref(vg, segment, "cache_pool");

    if (pool == LVM_NONE || vg->lvs[pool].n_segments != 1)
        return NULL;
    if (lvm_is_type(&vg->lvs[pool].segments[0], "cache-pool"))
        return &vg->lvs[pool].segments[0];
    return segment;
}

static bool is_write_back(const struct lvm_vg *vg, const struct lvm_segment *pool)
{
    return strcmp(lvm_config_text(&vg->config, pool->node, "cache_mode"), "writeback") == 0;
}

int lvm_add_cache(struct lvm_work *work, struct err *err)
{
    const struct lvm_segment *pool = cache_pool(work->vg, work->segment);
    const char *mode;
    size_t parts[2] = { 0 }, origin = 0;
    uint64_t chunk = 0, format = 1;
    int r;

    if (!pool)
        return lvm_damaged(err, "a cache without a pool");
    r = lvm_add_lv(work, lvm_ref(work->vg, work->segment, "origin"), &origin, err);
    if (r < 0)
        return r;
    /* everything is on the origin too */
    if (!work->tables->writable && !is_write_back(work->vg, pool)) {
        dmtable_add_row(work->table, work->len, "linear", mem_printf("@%zu 0", origin));
        return 0;
    }
    mode = lvm_config_text(&work->vg->config, pool->node, "cache_mode");
    if (!lvm_config_number(&work->vg->config, pool->node, "chunk_size", LVM_NUMBER_MAX, &chunk) ||
        chunk == 0 ||
        (strcmp(mode, "writeback") != 0 && strcmp(mode, "writethrough") != 0 &&
         strcmp(mode, "passthrough") != 0))
        return lvm_damaged(err, "the values of a cache");
    (void)lvm_config_number(&work->vg->config, pool->node, "metadata_format", LVM_NUMBER_MAX,
                            &format);
    r = add_cache_parts(work, pool, parts, err);
    if (r < 0)
        return r;
    dmtable_add_row(work->table, work->len, "cache",
                    mem_printf("@%zu @%zu @%zu %" PRIu64 " %s%s smq 0", parts[0], parts[1], origin,
                               chunk, format == 2 ? "2 metadata2 " : "1 ", mode));
    return 0;
}

int lvm_add_writecache(struct lvm_work *work, struct err *err)
{
    size_t origin = 0, cache = 0;
    uint64_t block = 0;
    int r;

    if (!lvm_value(work, "writecache_block_size", &block) || block == 0)
        return lvm_damaged(err, "the block size of a cache");
    r = lvm_add_lv(work, lvm_ref(work->vg, work->segment, "origin"), &origin, err);
    if (r == 0)
        r = lvm_add_lv(work, lvm_ref(work->vg, work->segment, "writecache"), &cache, err);
    if (r == 0)
        dmtable_add_row(work->table, work->len, "writecache",
                        mem_printf("s @%zu @%zu %" PRIu64 " 0", origin, cache, block));
    return r;
}

bool lvm_needs_writing(const struct lvm_vg *vg, size_t lv)
{
    for (size_t i = 0; i < vg->lvs[lv].n_segments; i++) {
        const struct lvm_segment *segment = &vg->lvs[lv].segments[i];

        if (lvm_is_type(segment, "writecache"))
            return true;
        if (lvm_is_type(segment, "cache")) {
            const struct lvm_segment *pool = cache_pool(vg, segment);

            return pool && is_write_back(vg, pool);
        }
    }
    return false;
}
