/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/ldm_layout.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"

#define LEFT_SYMMETRIC 2U /* md's layout number */
#define ACTIVE "ACTIVE"

static const struct md_super no_super;

/* One volume on its way to become an array. */
struct work {
    const struct ldm_group *group;
    const struct ldm_volume *volume;
    const struct ldm_place *places;
    uint64_t unit; /* sectors of 512 bytes in one of the database's */
    struct md_array *array;
    uint64_t whole_size; /* sum of the legs' sizes in the database */
    const char *missing; /* name of a disk */
};

static int damaged(struct err *err, const struct work *work, const char *what)
{
    return err_status(err, STATUS_FAILED, "the LDM database is damaged (%s of %s)", what,
                      work->volume->name);
}

size_t ldm_disk_of(const struct ldm_group *group, const struct ldm_part *part)
{
    for (size_t i = 0; i < group->n_disks; i++)
        if (group->disks[i].id == part->disk)
            return i;
    return SIZE_MAX;
}

const char *ldm_kind_name(const struct md_array *array)
{
    switch (array->level) {
    case 0:
        return "striped";
    case 1:
        return "mirrored";
    case 5:
        return "RAID-5";
    default:
        return array->n > 1 ? "spanned" : "simple";
    }
}

/* ---- legs ---- */

static int add_leg(struct work *work, size_t index, struct err *err)
{
    struct md_array *array = work->array;
    const struct ldm_part *part = &work->group->parts[index];
    size_t disk = ldm_disk_of(work->group, part);
    const struct ldm_place *place;
    uint64_t start, size, end;

    if (disk == SIZE_MAX)
        return damaged(err, work, "the disk");
    if (array->n == MD_DISKS_MAX)
        return err_status(err, STATUS_REFUSED, "it lies in more than %u pieces", MD_DISKS_MAX);
    place = &work->places[disk];
    array->legs[array->n] = MD_NO_LEG;
    if (__builtin_mul_overflow(part->size, work->unit, &size) ||
        __builtin_mul_overflow(part->start, work->unit, &start) ||
        __builtin_add_overflow(start, place->data_start, &start) ||
        __builtin_add_overflow(start, size, &end) || size == 0 ||
        __builtin_add_overflow(work->whole_size, size, &work->whole_size) ||
        (place->is_there && end > place->size))
        return damaged(err, work, "a piece");
    if (place->is_there) {
        array->legs[array->n] = index;
        array->leg_start[array->n] = start;
        array->leg_size[array->n] = size;
    } else {
        work->missing = work->group->disks[disk].name;
        array->n_missing++;
    }
    array->n++;
    return 0;
}

struct parts {
    const struct ldm_part *all;
    size_t *of; /* indexes */
    size_t n;
};

static bool is_before(const struct ldm_part *a, const struct ldm_part *b)
{
    return a->index != b->index ? a->index < b->index : a->offset < b->offset;
}

/* Those of a component, in their order. */
static void find_parts(const struct ldm_group *group, const struct ldm_component *component,
                       struct parts *parts)
{
    for (size_t i = 0; i < group->n_parts; i++) {
        size_t at = parts->n;

        if (group->parts[i].parent != component->id)
            continue;
        for (; at > 0 && is_before(&group->parts[i], &group->parts[parts->of[at - 1]]); at--)
            parts->of[at] = parts->of[at - 1];
        parts->of[at] = i;
        parts->n++;
    }
}

static int add_legs(struct work *work, const struct ldm_component *component, struct err *err)
{
    const struct ldm_group *group = work->group;
    CLEANUP_FREE size_t *of = mem_alloc((group->n_parts + 1) * sizeof(*of));
    struct parts parts = { .all = group->parts, .of = of };
    uint64_t at = 0;

    find_parts(group, component, &parts);
    if (parts.n == 0 || parts.n != component->n_parts)
        return damaged(err, work, "the pieces");
    for (size_t i = 0; i < parts.n; i++) {
        const struct ldm_part *part = &group->parts[of[i]];
        int r;

        if (component->type == LDM_SPANNED && part->offset != at)
            return damaged(err, work, "the order of the pieces");
        r = add_leg(work, of[i], err);
        if (r < 0)
            return r;
        at += part->size; /* their sum did not overflow */
    }
    return 0;
}

/* ---- kinds of volumes ---- */

static int cannot_miss(const struct work *work, struct err *err)
{
    return err_status(err, STATUS_FAILED,
                      "the disk %s of the group %s is missing or out of date: name all disks of "
                      "the guest (-a)",
                      work->missing, work->group->name);
}

/* Chunks go round @n_data of the legs. */
static int set_stripes(struct work *work, const struct ldm_component *component, uint32_t n_data,
                       struct err *err)
{
    struct md_array *array = work->array;
    uint64_t chunk, row;

    if (__builtin_mul_overflow(component->chunk, work->unit, &chunk) || chunk == 0 ||
        chunk > UINT32_MAX || n_data == 0 || __builtin_mul_overflow(chunk, n_data, &row) ||
        array->size % row != 0 || (component->n_columns && component->n_columns != array->n))
        return damaged(err, work, "the stripes");
    array->chunk = (uint32_t)chunk;
    for (uint32_t i = 0; i < array->n; i++) {
        if (array->legs[i] == MD_NO_LEG)
            continue;
        if (array->leg_size[i] < array->size / n_data)
            return damaged(err, work, "the size of a stripe");
        array->leg_size[i] = array->size / n_data;
    }
    return 0;
}

static int make_spanned(struct work *work, const struct ldm_component *component, struct err *err)
{
    (void)component;
    work->array->level = MD_LEVEL_LINEAR;
    if (work->array->n_missing > 0)
        return cannot_miss(work, err);
    return work->whole_size == work->array->size ? 0 : damaged(err, work, "the size");
}

static int make_striped(struct work *work, const struct ldm_component *component, struct err *err)
{
    work->array->level = 0;
    if (work->array->n_missing > 0)
        return cannot_miss(work, err);
    return set_stripes(work, component, work->array->n, err);
}

static int make_raid5(struct work *work, const struct ldm_component *component, struct err *err)
{
    struct md_array *array = work->array;

    array->level = 5;
    array->layout = LEFT_SYMMETRIC;
    if (!work->volume->is_raid5 || array->n < 3)
        return damaged(err, work, "the RAID-5");
    if (array->n_missing > 1)
        return cannot_miss(work, err);
    if (array->n_missing > 0)
        (void)snprintf(array->read_only, sizeof(array->read_only),
                       "RAID-5 volume of which a disk is missing or out of date");
    return set_stripes(work, component, array->n - 1, err);
}

static const struct {
    uint8_t type;
    int (*make)(struct work *work, const struct ldm_component *component, struct err *err);
} kinds[] = {
    { LDM_SPANNED, make_spanned },
    { LDM_STRIPED, make_striped },
    { LDM_RAID, make_raid5 },
};

static int make_one(struct work *work, const struct ldm_component *component, struct err *err)
{
    int r = add_legs(work, component, err);

    if (r < 0)
        return r;
    if (strcmp(component->state, ACTIVE) != 0)
        (void)snprintf(work->array->read_only, sizeof(work->array->read_only),
                       "LDM volume in the state \"%.32s\"", component->state);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (kinds[i].type == component->type)
            return kinds[i].make(work, component, err);
    return err_status(err, STATUS_REFUSED, "it is of a kind that is not known (%u)",
                      component->type);
}

/* Each component is a copy, in one piece. One that is not active is out of date. */
static int make_mirror(struct work *work, struct err *err)
{
    const struct ldm_group *group = work->group;
    struct md_array *array = work->array;

    array->level = 1;
    for (size_t i = 0; i < group->n_components; i++) {
        const struct ldm_component *component = &group->components[i];
        uint32_t n = array->n;
        int r;

        if (component->parent != work->volume->id)
            continue;
        if (component->type != LDM_SPANNED || component->n_parts != 1)
            return err_status(err, STATUS_REFUSED, "it is a mirror of striped or spanned volumes");
        r = add_legs(work, component, err);
        if (r < 0)
            return r;
        if (strcmp(component->state, ACTIVE) != 0 && array->legs[n] != MD_NO_LEG) {
            array->legs[n] = MD_NO_LEG;
            array->n_missing++;
        }
        if (array->legs[n] != MD_NO_LEG && array->leg_size[n] < array->size)
            return damaged(err, work, "the size of a copy");
    }
    if (array->n_missing == array->n)
        return work->missing ? cannot_miss(work, err)
                             : err_status(err, STATUS_REFUSED, "none of its copies is up to date");
    if (array->n_missing > 0)
        (void)snprintf(array->read_only, sizeof(array->read_only),
                       "mirrored volume with %u of %u copies missing or out of date",
                       array->n_missing, array->n);
    return 0;
}

int ldm_layout_make(const struct ldm_group *group, const struct ldm_volume *volume,
                    const struct ldm_place *places, uint32_t sector, struct md_array *ret,
                    struct err *err)
{
    struct work work = {
        .group = group,
        .volume = volume,
        .places = places,
        .unit = sector / 512,
        .array = ret,
    };
    const struct ldm_component *only = NULL;
    size_t n = 0;

    *ret = (struct md_array){ .super = &no_super };
    for (size_t i = 0; i < group->n_components; i++) {
        if (group->components[i].parent != volume->id)
            continue;
        only = &group->components[i];
        n++;
    }
    if (volume->size > INT64_MAX / 512 / work.unit)
        return damaged(err, &work, "the size");
    ret->size = volume->size * work.unit;
    if (!only || n != volume->n_components || volume->size == 0)
        return damaged(err, &work, "the parts");
    if (n > 1)
        return make_mirror(&work, err);
    return make_one(&work, only, err);
}
