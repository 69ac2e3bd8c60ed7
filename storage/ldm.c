/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dynamic disks of Windows (LDM): the database is read, and each volume is a piece of a disk or a
 * device of the device mapper under a name of ours. Nothing of the database is written.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "storage/layers.h"
#include "storage/ldm_layout.h"
#include "storage/ldm_read.h"
#include "storage/md_volume.h"

#define SECTOR 512U
#define NONE SIZE_MAX

/* One group of disks on its way to become volumes. */
struct work {
    struct stack *stack;
    const struct ldm_group *group; /* as the newest member has it */
    uint32_t sector;               /* bytes, in which the group counts */
    size_t *disks;                 /* per disk of the group: index of the volume, or NONE */
    struct ldm_place *places;      /* likewise */
    size_t n_missing;

    /* of the volume that is made now */
    const struct ldm_volume *volume;
    struct md_array array;
};

/* ---- what lies where ---- */

/* The disk of leg number @leg, which is there. */
static struct volume *disk_of_leg(const struct work *work, uint32_t leg)
{
    const struct ldm_part *part = &work->group->parts[work->array.legs[leg]];

    return &work->stack->volumes[work->disks[ldm_disk_of(work->group, part)]];
}

/* The partition that a byte of a disk lies in: what the volume is shown on. */
static size_t partition_at(const struct stack *stack, size_t disk, uint64_t at)
{
    size_t found = disk;

    for (size_t i = disk; i < stack->n_volumes; i++) {
        const struct volume *volume = &stack->volumes[i];
        uint64_t start = volume->offset - stack->volumes[disk].offset;

        if (volume->n_parents != 1 || volume->parents[0] != disk ||
            strcmp(volume->fstype, LDM_MEMBER) != 0)
            continue;
        if (found == disk || (at >= start && at - start < volume->size_bytes))
            found = i;
    }
    return found;
}

static void set_parents(const struct work *work, struct volume *volume)
{
    const struct md_array *array = &work->array;

    volume->parents = mem_alloc((array->n + 1) * sizeof(*volume->parents));
    for (uint32_t i = 0; i < array->n; i++) {
        size_t disk, parent;
        bool known = false;

        if (array->legs[i] == MD_NO_LEG)
            continue;
        disk = (size_t)(disk_of_leg(work, i) - work->stack->volumes);
        parent = partition_at(work->stack, disk, array->leg_start[i] * SECTOR);
        for (size_t p = 0; p < volume->n_parents; p++)
            known |= volume->parents[p] == parent;
        if (!known)
            volume->parents[volume->n_parents++] = parent;
    }
}

/* A volume that nothing is known of lies on any of the group's disks. */
static void set_any_parent(const struct work *work, struct volume *volume)
{
    for (size_t i = 0; i < work->group->n_disks && volume->n_parents == 0; i++)
        if (work->disks[i] != NONE)
            volume->parents[volume->n_parents++] = partition_at(work->stack, work->disks[i], 0);
}

/* ---- volumes ---- */

/* "/dev/mapper/ldm_vol_GROUP_VOLUME", as libldm and libguestfs have it. */
static char *volume_name(const struct work *work)
{
    char *name = mem_printf("/dev/mapper/ldm_vol_%s_%s", work->group->name, work->volume->name);
    CLEANUP_FREE char *plain = NULL;

    for (char *c = name + strlen("/dev/mapper/"); *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_-.+", *c))
            *c = '_';
    for (unsigned n = 2; stack_find(work->stack, name); n++) {
        if (!plain)
            plain = mem_strdup(name);
        free(name);
        name = mem_printf("%s-%u", plain, n);
    }
    return name;
}

static char *guid_text(const uint8_t guid[16])
{
    struct strbuf text = { 0 };

    for (size_t i = 0; i < 16; i++)
        strbuf_printf(&text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", guid[i]);
    return strbuf_take(&text);
}

static struct volume *add_volume(void *layer)
{
    struct work *work = layer;
    struct volume *volume = stack_add(work->stack, VOLUME_LDM, volume_name(work));

    free(volume->dynamic_id);
    volume->dynamic_id = guid_text(work->volume->guid);
    set_parents(work, volume);
    set_any_parent(work, volume);
    return volume;
}

static size_t member_of_leg(const void *layer, uint32_t leg)
{
    const struct work *work = layer;

    return (size_t)(disk_of_leg(work, leg) - work->stack->volumes);
}

static struct md_source source_of(struct work *work)
{
    return (struct md_source){
        .stack = work->stack,
        .array = &work->array,
        .member = member_of_leg,
        .add = add_volume,
        .layer = work,
    };
}

static int make_volume(struct work *work, struct err *err)
{
    struct md_source source = source_of(work);

    for (uint32_t i = 0; i < work->array.n; i++) {
        const struct volume *disk;

        if (work->array.legs[i] == MD_NO_LEG)
            continue;
        disk = disk_of_leg(work, i);
        if (disk->inactive)
            return err_status(err, disk->problem_status, "%s", disk->problem);
    }
    return md_volume_make(&source, err);
}

/* The volume is listed all the same. */
static void add_inactive(struct work *work, const struct err *err)
{
    const struct md_source source = source_of(work);
    const struct volume *volume = md_volume_add_inactive(&source, err);

    log_debug("%s: %s", volume->name, volume->problem);
}

static int handle_volume(struct work *work, const struct ldm_volume *volume, struct err *err)
{
    struct err one = ERR_NONE;
    int r;

    work->volume = volume;
    r = ldm_layout_make(work->group, volume, work->places, work->sector, &work->array, &one);
    log_debug("dynamic volume %s: %s", volume->name, ldm_kind_name(&work->array));
    if (r == 0)
        r = make_volume(work, &one);
    if (r == -EINTR) {
        *err = one;
        return r;
    }
    if (r < 0)
        add_inactive(work, &one);
    return 0;
}

/* ---- groups ---- */

static void mark_disk(struct stack *stack, size_t disk, enum err_status status, const char *problem)
{
    for (size_t i = disk; i < stack->n_volumes; i++) {
        struct volume *volume = &stack->volumes[i];

        if (volume->n_parents != 1 || volume->parents[0] != disk ||
            strcmp(volume->fstype, LDM_MEMBER) != 0)
            continue;
        volume->handled = true;
        if (problem)
            volume_set_problem(volume, status, problem);
    }
}

static bool same_group(const struct ldm_member *a, const struct ldm_member *b)
{
    return memcmp(a->head.group, b->head.group, sizeof(a->head.group)) == 0;
}

/* Why none of the group's volumes can be used; NULL: nothing. A literal. */
static const char *group_problem(const struct ldm_members *members, const struct ldm_member *newest,
                                 const struct stack *stack)
{
    for (size_t i = 0; i < members->n; i++) {
        const struct ldm_member *one = &members->items[i];

        if (!same_group(one, newest) || one->err.code != 0)
            continue;
        for (size_t j = 0; j < i; j++)
            if (memcmp(one->head.disk, members->items[j].head.disk, 16) == 0)
                return "two disks are the same dynamic disk: leave the copy out";
        if (stack->volumes[one->volume].table_sector_size !=
            stack->volumes[newest->volume].table_sector_size)
            return "its disks have sectors of different sizes";
    }
    if (!newest->group.is_settled)
        return "a change of its LDM database was interrupted: start Windows and let it finish";
    return NULL;
}

/* Which of the group's disks are there, and as new as @newest. */
static void find_disks(struct work *work, const struct ldm_members *members,
                       const struct ldm_member *newest)
{
    const struct stack *stack = work->stack;

    for (size_t d = 0; d < work->group->n_disks; d++) {
        work->disks[d] = NONE;
        for (size_t i = 0; i < members->n; i++) {
            const struct ldm_member *one = &members->items[i];
            const struct volume *disk = &stack->volumes[one->volume];
            uint64_t start;

            if (!same_group(one, newest) || one->err.code != 0 ||
                one->group.sequence != newest->group.sequence ||
                memcmp(one->head.disk, work->group->disks[d].guid, 16) != 0 ||
                __builtin_mul_overflow(one->head.data_start, work->sector / SECTOR, &start))
                continue;
            work->disks[d] = one->volume;
            work->places[d] = (struct ldm_place){
                .is_there = true,
                .data_start = start,
                .size = disk->size_bytes / SECTOR,
            };
        }
        work->n_missing += work->disks[d] == NONE;
    }
}

static int make_volumes(struct work *work, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < work->group->n_volumes && r == 0; i++)
        r = handle_volume(work, &work->group->volumes[i], err);
    return r;
}

static int handle_group(struct stack *stack, const struct ldm_members *members,
                        const struct ldm_member *newest, struct err *err)
{
    const struct ldm_group *group = &newest->group;
    CLEANUP_FREE size_t *disks = mem_alloc((group->n_disks + 1) * sizeof(*disks));
    CLEANUP_FREE struct ldm_place *places = mem_alloc((group->n_disks + 1) * sizeof(*places));
    struct work work = {
        .stack = stack,
        .group = group,
        .sector = stack->volumes[newest->volume].table_sector_size,
        .disks = disks,
        .places = places,
    };
    const char *problem = group_problem(members, newest, stack);
    CLEANUP_FREE char *text =
        problem ? mem_printf("the dynamic disks %s cannot be used: %s", group->name, problem)
                : NULL;

    find_disks(&work, members, newest);
    /* further disks may be what is still to be opened */
    if (work.n_missing > 0 && !stack->settled)
        return 0;
    for (size_t i = 0; i < members->n; i++)
        if (same_group(&members->items[i], newest))
            mark_disk(stack, members->items[i].volume, STATUS_REFUSED, text);
    return problem || work.n_missing == group->n_disks ? 0 : make_volumes(&work, err);
}

/* A disk whose database cannot be read is not waited for. */
static void report_damaged(struct stack *stack, const struct ldm_members *members)
{
    for (size_t i = 0; i < members->n; i++) {
        const struct ldm_member *one = &members->items[i];
        char text[ERR_TEXT];

        if (one->err.code != 0)
            mark_disk(stack, one->volume, one->err.status, err_text(&one->err, text, sizeof(text)));
    }
}

static bool is_newest(const struct ldm_members *members, size_t index)
{
    const struct ldm_member *one = &members->items[index];

    if (one->err.code != 0)
        return false;
    for (size_t i = 0; i < members->n; i++) {
        const struct ldm_member *other = &members->items[i];

        if (i != index && same_group(one, other) && other->err.code == 0 &&
            (other->group.sequence > one->group.sequence ||
             (other->group.sequence == one->group.sequence && i < index)))
            return false;
    }
    return true;
}

static int activate(struct stack *stack, struct err *err)
{
    CLEANUP_LDM_MEMBERS struct ldm_members members = { 0 };
    int r = 0;

    ldm_members_read(stack, &members);
    report_damaged(stack, &members);
    for (size_t i = 0; i < members.n && r == 0; i++)
        if (is_newest(&members, i))
            r = handle_group(stack, &members, &members.items[i], err);
    return r;
}

const struct layer layer_ldm = {
    .name = "ldm",
    .activate = activate,
};
