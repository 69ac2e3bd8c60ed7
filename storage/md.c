/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Linux software RAID without md: members are found by their superblocks, and the array is a piece
 * of a disk or a device of the device mapper. Nothing is written to a superblock.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "storage/layers.h"
#include "storage/md_read.h"
#include "storage/md_volume.h"

#define FIRST_UNNAMED 127 /* what the kernel calls an array without a name, then 126 ... */

struct member {
    size_t volume; /* index */
    struct md_super super;
};

struct members {
    struct member *items;
    size_t n;
};

/* One array on its way to become a volume. */
struct work {
    struct stack *stack;
    const struct member **members;
    const struct md_super **supers; /* of the members, in the same order */
    size_t n;
    struct md_array array;
    char *name;
};

/* ---- names ---- */

/* Could udev make a link of it? Nothing that leads elsewhere or hides what it is. */
static bool is_plain(const char *name)
{
    if (name[0] == '\0' || name[0] == '.')
        return false;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_-.+:", *c))
            return false;
    return true;
}

static char *unnamed(const struct stack *stack)
{
    for (unsigned n = FIRST_UNNAMED; n > 0; n--) {
        CLEANUP_FREE char *name = mem_printf("/dev/md%u", n);

        if (!stack_find(stack, name))
            return TAKE(name);
    }
    return mem_strdup("/dev/md0");
}

/* "host:root" is /dev/md/root, "host:0" /dev/md0. */
static char *array_name(const struct stack *stack, const struct md_super *super)
{
    const char *colon = strchr(super->name, ':');
    const char *own = colon ? colon + 1 : super->name;
    CLEANUP_FREE char *name = NULL;

    if (super->major == 0)
        name = mem_printf("/dev/md%u", super->md_minor);
    else if (is_plain(own))
        name = mem_printf(own[strspn(own, "0123456789")] ? "/dev/md/%s" : "/dev/md%s", own);
    return name && !stack_find(stack, name) ? TAKE(name) : unnamed(stack);
}

/* ---- volumes ---- */

static struct volume *volume_of(const struct work *work, size_t member)
{
    return &work->stack->volumes[work->members[member]->volume];
}

static struct volume *add_volume(void *layer)
{
    struct work *work = layer;
    struct volume *volume = stack_add(work->stack, VOLUME_MD, mem_strdup(work->name));

    volume->n_parents = work->n;
    volume->parents = mem_alloc(work->n * sizeof(*volume->parents));
    for (size_t i = 0; i < work->n; i++)
        volume->parents[i] = work->members[i]->volume;
    return volume;
}

static size_t member_of_leg(const void *layer, uint32_t leg)
{
    const struct work *work = layer;

    return work->members[work->array.legs[leg]]->volume;
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

    for (size_t i = 0; i < work->n; i++)
        if (volume_of(work, i)->inactive)
            return err_status(err, volume_of(work, i)->problem_status, "%s",
                              volume_of(work, i)->problem);
    return md_volume_make(&source, err);
}

/* ---- arrays ---- */

/* The array is listed all the same. */
static void report(struct work *work, const struct err *err)
{
    const struct md_source source = source_of(work);
    char why[ERR_TEXT];
    CLEANUP_FREE char *text = mem_printf("the md array %s cannot be used: %s", work->name,
                                         err_text(err, why, sizeof(why)));

    log_debug("%s", text);
    (void)md_volume_add_inactive(&source, err);
    for (size_t i = 0; i < work->n; i++)
        volume_set_problem(volume_of(work, i), err->status, text);
}

static bool same_array(const struct md_super *a, const struct md_super *b)
{
    return a->major == b->major && memcmp(a->uuid, b->uuid, sizeof(a->uuid)) == 0;
}

/* All members that belong to the array of member number @first. */
static void gather(struct work *work, const struct members *members, size_t first)
{
    size_t n_supers = 0;

    for (size_t i = first; i < members->n; i++) {
        if (!same_array(&members->items[first].super, &members->items[i].super))
            continue;
        *(const struct member **)mem_add(&work->members, &work->n, sizeof(void *)) =
            &members->items[i];
        *(const struct md_super **)mem_add(&work->supers, &n_supers, sizeof(void *)) =
            &members->items[i].super;
    }
}

static int handle_array(struct work *work, struct err *err)
{
    struct err one = ERR_NONE;
    int r = md_array_assemble(work->supers, work->n, &work->array, &one);

    /* further members may lie on what is still to be opened */
    if ((r < 0 || work->array.n_missing > 0) && !work->stack->settled)
        return 0;
    work->name = array_name(work->stack, work->supers[0]);
    for (size_t i = 0; i < work->n; i++)
        volume_of(work, i)->handled = true;
    if (r == 0)
        r = make_volume(work, &one);
    if (r == -EINTR) {
        *err = one;
        return r;
    }
    if (r < 0)
        report(work, &one);
    return 0;
}

static int handle_arrays(struct stack *stack, const struct members *members, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < members->n && r == 0; i++) {
        struct work work = { .stack = stack };
        bool first = true;

        for (size_t j = 0; j < i; j++)
            first &= !same_array(&members->items[j].super, &members->items[i].super);
        if (!first)
            continue;
        gather(&work, members, i);
        r = handle_array(&work, err);
        free(work.members);
        free(work.supers);
        free(work.name);
    }
    return r;
}

static int activate(struct stack *stack, struct err *err)
{
    struct members members = { 0 };
    int r;

    for (size_t i = 0; i < stack->n_volumes; i++) {
        struct volume *volume = &stack->volumes[i];
        struct member *member;
        struct md_super super;

        if (volume->handled || strcmp(volume->fstype, "linux_raid_member") != 0)
            continue;
        if (md_super_read(volume, &super) <= 0) {
            volume->handled = true;
            volume_set_problem(volume, STATUS_FAILED, "its md superblock is damaged");
            continue;
        }
        member = mem_add(&members.items, &members.n, sizeof(*member));
        *member = (struct member){ .volume = i, .super = super };
    }
    r = handle_arrays(stack, &members, err);
    free(members.items);
    return r;
}

const struct layer layer_md = {
    .name = "md",
    .activate = activate,
};
