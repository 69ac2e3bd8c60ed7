/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RAID of LVM: dm-raid with the legs and, when it is written, their own metadata. */
#include <inttypes.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "storage/lvm_segment.h"

/* lvm's names (lib/metadata/segtype.h) and dm-raid's, devices that hold no data (0: see below) */
static const struct raid_type {
    const char *lvm, *dm;
    unsigned parity;
} raid_types[] = {
    { "raid0", "raid0", 0 },           { "raid0_meta", "raid0", 0 },
    { "raid1", "raid1", 0 },           { "raid10", "raid10", 0 },
    { "raid10_near", "raid10", 0 },    { "raid4", "raid4", 1 },
    { "raid5", "raid5_ls", 1 },        { "raid5_n", "raid5_n", 1 },
    { "raid5_la", "raid5_la", 1 },     { "raid5_ra", "raid5_ra", 1 },
    { "raid5_ls", "raid5_ls", 1 },     { "raid5_rs", "raid5_rs", 1 },
    { "raid6", "raid6_zr", 2 },        { "raid6_zr", "raid6_zr", 2 },
    { "raid6_nr", "raid6_nr", 2 },     { "raid6_nc", "raid6_nc", 2 },
    { "raid6_n_6", "raid6_n_6", 2 },   { "raid6_ls_6", "raid6_ls_6", 2 },
    { "raid6_rs_6", "raid6_rs_6", 2 }, { "raid6_la_6", "raid6_la_6", 2 },
    { "raid6_ra_6", "raid6_ra_6", 2 },
};

struct raid {
    const struct raid_type *type;
    uint64_t n, stripe, region, copies;
    bool with_meta;
    size_t data[LVM_DEVICES_MAX],
        meta[LVM_DEVICES_MAX]; /* logical volumes; LVM_NONE: out of date */
};

static const struct raid_type *find_raid_type(const struct lvm_segment *segment)
{
    for (size_t i = 0; i < ARRAY_SIZE(raid_types); i++)
        if (strcmp(raid_types[i].lvm, segment->type) == 0)
            return &raid_types[i];
    return NULL;
}

bool lvm_is_raid(const struct lvm_segment *segment)
{
    return find_raid_type(segment) != NULL;
}

static int read_raid(struct lvm_work *work, struct raid *raid, struct err *err)
{
    const struct lvm_segment *segment = work->segment;
    bool plain;

    memset(raid, 0, sizeof(*raid));
    raid->type = find_raid_type(segment);
    if ((!lvm_value(work, "device_count", &raid->n) &&
         !lvm_value(work, "stripe_count", &raid->n)) ||
        !lvm_is_count(raid->n))
        return lvm_damaged(err, "the legs of a RAID");
    (void)lvm_value(work, "stripe_size", &raid->stripe);
    (void)lvm_value(work, "region_size", &raid->region);
    if (!lvm_value(work, "data_copies", &raid->copies))
        raid->copies = 2;
    plain = lvm_list_node(work->vg, segment, "raid0_lvs", 0) != 0;
    raid->with_meta = !plain;
    for (size_t i = 0; i < raid->n; i++) {
        raid->data[i] = plain ? lvm_list_ref(work->vg, segment, "raid0_lvs", i)
                              : lvm_list_ref(work->vg, segment, "raids", 2 * i + 1);
        raid->meta[i] = plain ? LVM_NONE : lvm_list_ref(work->vg, segment, "raids", 2 * i);
        if (raid->data[i] == LVM_NONE || (!plain && raid->meta[i] == LVM_NONE))
            return lvm_damaged(err, "a leg of a RAID that is not there");
        if (work->vg->lvs[raid->data[i]].is_stale)
            raid->data[i] = LVM_NONE;
    }
    if (strcmp(raid->type->dm, "raid1") != 0 && raid->stripe == 0)
        return lvm_damaged(err, "the stripe size of a RAID");
    return 0;
}

/* The legs that can be had; the others become LVM_NONE. -err when too few are left. */
static int add_legs(struct lvm_work *work, struct raid *raid, size_t *indexes, struct err *err)
{
    struct err last = ERR_NONE;
    size_t missing = 0, may_miss = raid->type->parity;

    if (strcmp(raid->type->dm, "raid1") == 0 || strcmp(raid->type->dm, "raid10") == 0)
        may_miss = (size_t)raid->n - 1; /* of raid10 it shows later which ones */
    for (size_t i = 0; i < raid->n; i++) {
        struct err one = ERR_NONE;

        if (raid->data[i] != LVM_NONE && lvm_add_lv(work, raid->data[i], &indexes[i], &one) == 0)
            continue;
        if (one.code != 0)
            last = one;
        raid->data[i] = LVM_NONE;
        missing++;
    }
    if (missing > may_miss) {
        if (last.code != 0)
            *err = last;
        else
            return lvm_refused(err, "too many of its copies are out of date");
        return -err->code;
    }
    if (missing > 0)
        lvm_must_not_write(work->read_only, "RAID of which devices are missing or out of date");
    return 0;
}

/* "region_size 4096 nosync ..." and how many words it is. */
static void raid_words(const struct raid *raid, bool for_writing, struct strbuf *out)
{
    bool is_raid6 = raid->type->parity == 2;
    bool is_raid10 = strcmp(raid->type->dm, "raid10") == 0;
    bool has_region = for_writing && raid->region > 0 && strcmp(raid->type->dm, "raid0") != 0;
    bool no_sync = !for_writing && !is_raid6 && strcmp(raid->type->dm, "raid0") != 0;
    unsigned words = 1 + (has_region ? 2 : 0) + (no_sync ? 1 : 0) + (is_raid10 ? 2 : 0);

    strbuf_printf(out, "%s %u %" PRIu64, raid->type->dm, words, raid->stripe);
    if (no_sync)
        strbuf_puts(out, " nosync");
    if (has_region)
        strbuf_printf(out, " region_size %" PRIu64, raid->region);
    if (is_raid10)
        strbuf_printf(out, " raid10_copies %" PRIu64, raid->copies);
    strbuf_printf(out, " %" PRIu64, raid->n);
}

static int add_raid_target(struct lvm_work *work, struct raid *raid, const size_t *indexes,
                           struct err *err)
{
    CLEANUP_STRBUF struct strbuf params = { 0 };
    bool for_writing = work->tables->writable && raid->with_meta && work->read_only[0] == '\0';

    raid_words(raid, for_writing, &params);
    for (size_t i = 0; i < raid->n; i++) {
        size_t meta = 0;
        int r = 0;

        if (raid->data[i] == LVM_NONE) {
            strbuf_puts(&params, " - -");
            continue;
        }
        if (for_writing)
            r = lvm_add_lv(work, raid->meta[i], &meta, err);
        if (r < 0)
            return r;
        if (for_writing)
            strbuf_printf(&params, " @%zu @%zu", meta, indexes[i]);
        else
            strbuf_printf(&params, " - @%zu", indexes[i]);
    }
    dmtable_add_row(work->table, work->len, "raid", strbuf_take(&params));
    return 0;
}

/* The same data without dm-raid: a stripe over legs, one of each @copies that are alike. */
static int add_stripe(struct lvm_work *work, const struct raid *raid, const size_t *indexes,
                      size_t copies, struct err *err)
{
    CLEANUP_STRBUF struct strbuf params = { 0 };

    if (copies == 0 || raid->n % copies != 0)
        return lvm_refused(err, "it has a RAID 10 over a number of legs that cannot be read");
    strbuf_printf(&params, "%" PRIu64 " %" PRIu64, raid->n / copies, raid->stripe);
    for (size_t i = 0; i < raid->n; i += copies) {
        size_t leg = i;

        while (leg < i + copies && raid->data[leg] == LVM_NONE)
            leg++;
        if (leg == i + copies)
            return lvm_refused(err, "all copies of a part of it are missing or out of date");
        strbuf_printf(&params, " @%zu 0", indexes[leg]);
    }
    if (raid->n == copies) /* a mirror */
        dmtable_add_row(work->table, work->len, "linear",
                        mem_strdup(strchr(strbuf_text(&params), '@')));
    else
        dmtable_add_row(work->table, work->len, "striped", strbuf_take(&params));
    return 0;
}

int lvm_add_raid(struct lvm_work *work, struct err *err)
{
    size_t indexes[LVM_DEVICES_MAX] = { 0 };
    struct raid raid;
    int r = read_raid(work, &raid, err);

    if (r == 0)
        r = add_legs(work, &raid, indexes, err);
    if (r < 0)
        return r;
    if (strcmp(raid.type->dm, "raid0") == 0)
        return add_stripe(work, &raid, indexes, 1, err);
    if (!work->tables->writable || work->read_only[0] != '\0') {
        if (strcmp(raid.type->dm, "raid1") == 0)
            return add_stripe(work, &raid, indexes, (size_t)raid.n, err);
        if (strcmp(raid.type->dm, "raid10") == 0)
            return add_stripe(work, &raid, indexes, (size_t)raid.copies, err);
    }
    return add_raid_target(work, &raid, indexes, err);
}

/* A leg with checksums: what it protects can be read past them. */
int lvm_add_integrity(struct lvm_work *work, struct err *err)
{
    size_t index = 0;
    int r = lvm_add_lv(work, lvm_ref(work->vg, work->segment, "origin"), &index, err);

    if (r < 0)
        return r;
    lvm_must_not_write(work->read_only, "RAID with dm-integrity");
    dmtable_add_row(work->table, work->len, "linear", mem_printf("@%zu 0", index));
    return 0;
}
