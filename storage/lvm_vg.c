/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/lvm_vg.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"

#define NAME_LEN_MAX 127U
#define PVS_MAX 1024U
#define LVS_MAX 8192U
#define SEGMENTS_MAX 4096U
#define EXTENTS_MAX (1ULL << 40)
#define EXTENT_SIZE_MAX (1ULL << 31)
#define SECTORS_MAX ((uint64_t)INT64_MAX / 512)

/* Words of "status" that change what may be done; others than the known ones are for programs that
 * know them, says the format. Words of "flags" may be unknown. */
enum effect { FINE, READS_ONLY, UNUSABLE };

struct word {
    const char *word;
    enum effect effect;
    const char *why;
};

static const struct word vg_words[] = {
    { "RESIZEABLE", FINE, "" },
    { "READ", FINE, "" },
    { "WRITE", FINE, "" },
    { "EXPORTED", FINE, "" },
    { "CLUSTERED", READS_ONLY, "volume group that belongs to a cluster" },
    { "SHARED", READS_ONLY, "volume group that hosts share" },
    { "PVMOVE", UNUSABLE, "a pvmove is under way: let it finish in the guest" },
};

static const struct word lv_words[] = {
    { "READ", FINE, "" },
    { "WRITE", FINE, "" },
    { "VISIBLE", FINE, "" },
    { "FIXED_MINOR", FINE, "" },
    { "WRITEMOSTLY", FINE, "" },
    { "NOTSYNCED", FINE, "" },
    { "REBUILD", READS_ONLY, "logical volume of which a copy is being rebuilt" },
    { "PVMOVE", UNUSABLE, "a pvmove is under way: let it finish in the guest" },
    { "LOCKED", UNUSABLE, "a pvmove is under way: let it finish in the guest" },
};

static int damaged(struct err *err, const char *what)
{
    return err_status(err, STATUS_FAILED, "its LVM metadata is damaged: %s", what);
}

bool lvm_id_parse(const char *text, char *ret)
{
    size_t n = 0;

    for (; *text; text++) {
        if (*text == '-')
            continue;
        if (n == LVM_ID_LEN)
            return false;
        ret[n++] = *text;
    }
    ret[n] = '\0';
    return n == LVM_ID_LEN;
}

/* lvm2, lib/misc/lvm-string.c: nothing that leads elsewhere. */
static bool is_name(const char *name)
{
    if (name[0] == '\0' || name[0] == '.' || name[0] == '-' || strlen(name) > NAME_LEN_MAX)
        return false;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("+_.-", *c))
            return false;
    return true;
}

/* ---- status ---- */

struct verdict {
    char *problem, *read_only;
    size_t room; /* of each */
};

static void judge(const struct verdict *verdict, enum effect effect, const char *why)
{
    char *text = effect == UNUSABLE ? verdict->problem : verdict->read_only;

    if (effect != FINE && text[0] == '\0')
        (void)snprintf(text, verdict->room, "%s", why);
}

static void judge_status(const struct lvm_config *config, size_t section, const struct word *words,
                         size_t n_words, const struct verdict *verdict)
{
    size_t list = lvm_config_find(config, section, "status", LVM_LIST);

    if (!list)
        return;
    for (size_t i = config->nodes[list].first; i != 0; i = config->nodes[i].next) {
        size_t w = 0;

        while (w < n_words && strcmp(words[w].word, config->nodes[i].text) != 0)
            w++;
        if (w < n_words)
            judge(verdict, words[w].effect, words[w].why);
        else
            judge(verdict, UNUSABLE, "its LVM metadata has a status word that is not known");
    }
}

/* ---- physical volumes ---- */

static int parse_pv(struct lvm_vg *vg, size_t node, struct err *err)
{
    const struct lvm_config *config = &vg->config;
    struct lvm_pv *pv;

    if (vg->n_pvs >= PVS_MAX)
        return damaged(err, "too many physical volumes");
    pv = mem_add(&vg->pvs, &vg->n_pvs, sizeof(*pv));
    pv->name = config->nodes[node].key;
    pv->is_missing = lvm_config_lists(config, node, "flags", "MISSING") ||
                     lvm_config_lists(config, node, "status", "MISSING");
    if (!lvm_id_parse(lvm_config_text(config, node, "id"), pv->id))
        return damaged(err, "a physical volume without an id");
    if (!lvm_config_number(config, node, "pe_start", SECTORS_MAX, &pv->start) ||
        !lvm_config_number(config, node, "pe_count", EXTENTS_MAX, &pv->extents) ||
        pv->extents > (SECTORS_MAX - pv->start) / vg->extent_size)
        return damaged(err, "the extents of a physical volume");
    return 0;
}

/* ---- logical volumes ---- */

static int parse_segment(struct lvm_vg *vg, struct lvm_lv *lv, size_t node, struct err *err)
{
    const struct lvm_config *config = &vg->config;
    struct lvm_segment *segment = mem_add(&lv->segments, &lv->n_segments, sizeof(*segment));

    segment->node = node;
    segment->type = lvm_config_text(config, node, "type");
    if (!lvm_config_number(config, node, "start_extent", EXTENTS_MAX, &segment->start) ||
        !lvm_config_number(config, node, "extent_count", EXTENTS_MAX, &segment->extents) ||
        segment->start != lv->extents || segment->extents == 0 ||
        lv->extents + segment->extents > SECTORS_MAX / vg->extent_size)
        return damaged(err, "the extents of a logical volume");
    lv->extents += segment->extents;
    return 0;
}

static int parse_lv(struct lvm_vg *vg, size_t node, struct err *err)
{
    const struct lvm_config *config = &vg->config;
    struct lvm_lv *lv;
    struct verdict verdict;
    uint64_t n_segments = 0;

    if (vg->n_lvs >= LVS_MAX)
        return damaged(err, "too many logical volumes");
    lv = mem_add(&vg->lvs, &vg->n_lvs, sizeof(*lv));
    lv->name = config->nodes[node].key;
    if (!is_name(lv->name))
        return damaged(err, "the name of a logical volume");
    lv->origin = lv->snapshot = lv->snapshot_of = LVM_NONE;
    lv->is_visible = lvm_config_lists(config, node, "status", "VISIBLE");
    verdict = (struct verdict){ lv->problem, lv->read_only, sizeof(lv->problem) };
    judge_status(config, node, lv_words, ARRAY_SIZE(lv_words), &verdict);
    /* WRITE_LOCKED stands for WRITE where a system id is to keep versions away that know of none */
    if (!lvm_config_lists(config, node, "status", "WRITE") &&
        !lvm_config_lists(config, node, "flags", "WRITE_LOCKED"))
        judge(&verdict, READS_ONLY, "logical volume that the guest has made read-only");
    if (!lvm_config_number(config, node, "segment_count", SEGMENTS_MAX, &n_segments))
        return damaged(err, "a logical volume without segments");
    for (uint64_t i = 1; i <= n_segments; i++) {
        CLEANUP_FREE char *name = mem_printf("segment%llu", (unsigned long long)i);
        size_t segment = lvm_config_find(config, node, name, LVM_SECTION);
        int r = segment ? parse_segment(vg, lv, segment, err) : damaged(err, "a missing segment");

        if (r < 0)
            return r;
    }
    return 0;
}

size_t lvm_vg_find_lv(const struct lvm_vg *vg, const char *name)
{
    for (size_t i = 0; i < vg->n_lvs; i++)
        if (strcmp(vg->lvs[i].name, name) == 0)
            return i;
    return LVM_NONE;
}

size_t lvm_vg_find_pv(const struct lvm_vg *vg, const char *name)
{
    for (size_t i = 0; i < vg->n_pvs; i++)
        if (strcmp(vg->pvs[i].name, name) == 0)
            return i;
    return LVM_NONE;
}

/* A hidden volume of type "snapshot" ties a cow store to its origin. */
static int tie_snapshot(struct lvm_vg *vg, size_t index, struct err *err)
{
    struct lvm_lv *lv = &vg->lvs[index];
    const struct lvm_config *config = &vg->config;
    const char *merging;
    size_t node, origin, store;

    if (lv->n_segments != 1 || strcmp(lv->segments[0].type, "snapshot") != 0)
        return 0;
    node = lv->segments[0].node;
    merging = lvm_config_text(config, node, "merging_store");
    origin = lvm_vg_find_lv(vg, lvm_config_text(config, node, "origin"));
    store = lvm_vg_find_lv(vg, merging[0] ? merging : lvm_config_text(config, node, "cow_store"));
    if (origin == LVM_NONE || store == LVM_NONE || origin == store)
        return damaged(err, "a snapshot of nothing");
    lv->is_visible = false;
    vg->lvs[origin].is_origin = true;
    vg->lvs[origin].is_merging |= merging[0] != '\0';
    vg->lvs[store].origin = vg->lvs[store].snapshot_of = origin;
    vg->lvs[store].snapshot = index;
    vg->lvs[store].is_visible = true;
    return 0;
}

/* A thin snapshot has its origin's name, until that is removed. Where the origin lies outside of
 * the pool ("external_origin"), it is the base of what is used, and no copy. */
static void tie_thin(struct lvm_vg *vg, size_t index)
{
    struct lvm_lv *lv = &vg->lvs[index];
    size_t origin;

    if (lv->n_segments != 1 || strcmp(lv->segments[0].type, "thin") != 0)
        return;
    origin = lvm_vg_find_lv(vg, lvm_config_text(&vg->config, lv->segments[0].node, "origin"));
    if (origin != index)
        lv->snapshot_of = origin;
}

static int parse_all(struct lvm_vg *vg, size_t section, const char *name,
                     int (*parse)(struct lvm_vg *, size_t, struct err *), struct err *err)
{
    size_t all = lvm_config_find(&vg->config, section, name, LVM_SECTION);
    int r = 0;

    if (!all)
        return 0;
    for (size_t i = vg->config.nodes[all].first; i != 0 && r == 0; i = vg->config.nodes[i].next)
        if (vg->config.nodes[i].kind == LVM_SECTION)
            r = parse(vg, i, err);
    return r;
}

static int parse_vg(struct lvm_vg *vg, size_t node, struct err *err)
{
    const struct lvm_config *config = &vg->config;
    const struct verdict verdict = { vg->problem, vg->read_only, sizeof(vg->problem) };
    int r;

    vg->name = config->nodes[node].key;
    if (!is_name(vg->name) || !lvm_id_parse(lvm_config_text(config, node, "id"), vg->id) ||
        !lvm_config_number(config, node, "seqno", INT64_MAX, &vg->seqno) ||
        !lvm_config_number(config, node, "extent_size", EXTENT_SIZE_MAX, &vg->extent_size) ||
        vg->extent_size == 0)
        return damaged(err, "the volume group's own values");
    judge_status(config, node, vg_words, ARRAY_SIZE(vg_words), &verdict);
    vg->is_exported = lvm_config_lists(config, node, "status", "EXPORTED");
    vg->system_id = lvm_config_text(config, node, "system_id");
    if (lvm_config_text(config, node, "lock_type")[0] != '\0' &&
        strcmp(lvm_config_text(config, node, "lock_type"), "none") != 0)
        judge(&verdict, READS_ONLY, "volume group that hosts share");
    r = parse_all(vg, node, "physical_volumes", parse_pv, err);
    if (r == 0)
        r = parse_all(vg, node, "logical_volumes", parse_lv, err);
    for (size_t i = 0; r == 0 && i < vg->n_lvs; i++) {
        r = tie_snapshot(vg, i, err);
        tie_thin(vg, i);
    }
    return r;
}

int lvm_vg_parse(const char *text, size_t len, struct lvm_vg *ret, struct err *err)
{
    *ret = (struct lvm_vg){ .name = "", .system_id = "" };
    if (lvm_config_parse(text, len, &ret->config) < 0)
        return damaged(err, "the text cannot be read");
    for (size_t i = ret->config.nodes[0].first; i != 0; i = ret->config.nodes[i].next)
        if (ret->config.nodes[i].kind == LVM_SECTION)
            return parse_vg(ret, i, err);
    return damaged(err, "there is no volume group in it");
}

void lvm_vg_done(struct lvm_vg *vg)
{
    for (size_t i = 0; i < vg->n_lvs; i++)
        free(vg->lvs[i].segments);
    free(vg->lvs);
    free(vg->pvs);
    lvm_config_done(&vg->config);
    *vg = (struct lvm_vg){ .name = "", .system_id = "" };
}
