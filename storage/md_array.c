/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/md_array.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/cleanup.h"

#define CLEAN UINT64_MAX

/* What no table of ours could read correctly. */
static const struct {
    uint32_t feature;
    const char *what;
} refused[] = {
    { MD_FEATURE_RESHAPE, "a reshape is under way: let it finish in the guest" },
    { MD_FEATURE_CLUSTERED, "it belongs to a cluster" },
    { MD_FEATURE_JOURNAL, "it has a write journal, which may hold data that is nowhere else" },
};

static int check_features(const struct md_super *super, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        if (super->features & refused[i].feature)
            return err_status(err, STATUS_REFUSED, "%s", refused[i].what);
    if (super->features & ~MD_FEATURES_KNOWN)
        return err_status(err, STATUS_REFUSED, "its superblock has unknown features (%#x)",
                          super->features & ~MD_FEATURES_KNOWN);
    return 0;
}

/* Has the level no second copy of anything? */
static bool needs_all(int32_t level)
{
    return level == 0 || level == MD_LEVEL_LINEAR;
}

static bool has_parity(int32_t level)
{
    return level == 4 || level == 5 || level == 6;
}

static int check_geometry(const struct md_super *super, struct err *err)
{
    bool chunks = super->level != 1 && super->level != MD_LEVEL_LINEAR;

    if (!md_level_name(super->level))
        return err_status(err, STATUS_REFUSED, "its level is unknown (%d)", super->level);
    if (super->level == MD_LEVEL_MULTIPATH)
        return err_status(err, STATUS_REFUSED, "multipath arrays cannot be read");
    if (chunks && super->chunk == 0)
        return err_status(err, STATUS_FAILED, "its superblock has no chunk size");
    /* only raid0 allows other than powers of two */
    if (chunks && super->level != 0 && (super->chunk & (super->chunk - 1)) != 0)
        return err_status(err, STATUS_FAILED, "its chunk size is wrong (%u sectors)", super->chunk);
    if (!needs_all(super->level) && super->size == 0)
        return err_status(err, STATUS_FAILED, "its superblock has no size");
    return 0;
}

static const struct md_super *newest(const struct md_super *const *supers, size_t n)
{
    const struct md_super *best = supers[0];

    for (size_t i = 1; i < n; i++)
        if (supers[i]->events > best->events)
            best = supers[i];
    return best;
}

static bool same_array(const struct md_super *a, const struct md_super *b)
{
    return a->major == b->major && a->level == b->level && a->layout == b->layout &&
           a->chunk == b->chunk && a->size == b->size && a->raid_disks == b->raid_disks;
}

/* A member that the kernel would not take into the array, too: its last update was missed (one
 * event less is what a stop in the middle of the update leaves), or it is still being filled. */
static bool is_usable(const struct md_super *member, const struct md_super *view)
{
    return member->events + 1 >= view->events &&
           !(member->features & (MD_FEATURE_RECOVERY | MD_FEATURE_BAD_BLOCKS));
}

/* Members that belong to the newest view, by raid disk. */
static int place_members(const struct md_super *const *supers, size_t n, struct md_array *array,
                         struct err *err)
{
    const struct md_super *view = array->super;

    for (size_t i = 0; i < n; i++) {
        const struct md_super *member = supers[i];
        uint32_t role =
            member->dev_number < view->n_roles ? view->roles[member->dev_number] : MD_ROLE_SPARE;
        size_t other;

        if (role >= view->raid_disks || !is_usable(member, view))
            continue;
        if (!same_array(member, view))
            return err_status(err, STATUS_FAILED, "its members do not agree about its shape");
        other = array->legs[role];
        if (other != MD_NO_LEG && supers[other]->dev_number == member->dev_number)
            return err_status(err, STATUS_REFUSED,
                              "two devices claim to be its member %u: leave the copy out", role);
        if (other == MD_NO_LEG || (supers[other]->features & MD_FEATURE_REPLACEMENT))
            array->legs[role] = i;
    }
    return 0;
}

static uint64_t round_down(uint64_t value, uint32_t unit)
{
    return unit > 0 ? value / unit * unit : value;
}

static int set_legs(const struct md_super *const *supers, struct md_array *array, struct err *err)
{
    for (uint32_t i = 0; i < array->n; i++) {
        const struct md_super *member;
        uint64_t used;

        if (array->legs[i] == MD_NO_LEG) {
            array->n_missing++;
            continue;
        }
        member = supers[array->legs[i]];
        used = round_down(needs_all(array->level) ? member->data_size : array->super->size,
                          array->chunk);
        if (used == 0 || used > member->data_size)
            return err_status(err, STATUS_FAILED, "its member %u is too small", i);
        array->leg_start[i] = member->data_offset;
        array->leg_size[i] = used;
    }
    return 0;
}

static int set_size(struct md_array *array, struct err *err)
{
    uint64_t used = round_down(array->super->size, array->chunk);
    uint64_t size = 0;
    bool too_large = false;

    if (array->level == 1) {
        size = used;
    } else if (has_parity(array->level)) {
        too_large = __builtin_mul_overflow(used, md_data_disks(array), &size);
    } else if (array->level == 10) {
        uint32_t near = array->layout & 0xffU, far = (array->layout >> 8) & 0xffU;

        if (near == 0 || far == 0)
            return err_status(err, STATUS_FAILED, "its layout is wrong (%#x)", array->layout);
        too_large = __builtin_mul_overflow(used / array->chunk / far, array->n, &size) ||
                    __builtin_mul_overflow(size / near, array->chunk, &size);
    } else {
        if (array->n_missing > 0)
            return 0;
        for (uint32_t i = 0; i < array->n; i++)
            too_large |= __builtin_add_overflow(size, array->leg_size[i], &size);
    }
    if (too_large || size == 0 || size > (uint64_t)INT64_MAX / MD_SECTOR)
        return err_status(err, STATUS_FAILED, "its size is wrong");
    array->size = size;
    return 0;
}

/* Can the data of a degraded array be had? */
static int check_degraded(const struct md_array *array, struct err *err)
{
    uint32_t may_miss = array->level == 1               ? array->n - 1
                        : array->level == 10            ? array->n
                        : array->level == 6             ? 2
                        : has_parity(array->level) != 0 ? 1
                                                        : 0;

    if (array->n_missing > may_miss || array->n_missing == array->n)
        return err_status(err, STATUS_FAILED,
                          "%u of its %u members are missing or out of date: name all disks of the "
                          "guest (-a)",
                          array->n_missing, array->n);
    if (array->n_missing > 0 && array->dirty && has_parity(array->level))
        return err_status(err, STATUS_REFUSED,
                          "it is degraded and was not stopped cleanly, so that parts of it may "
                          "be wrong: repair it in the guest");
    return 0;
}

static void set_read_only(struct md_array *array)
{
    const char *why = "";

    if (array->n_missing > 0) {
        (void)snprintf(array->read_only, sizeof(array->read_only),
                       "%s array with %u of %u members missing or out of date",
                       md_level_name(array->level), array->n_missing, array->n);
        return;
    }
    if (array->dirty)
        why = "array that was not stopped cleanly";
    else if (array->super->features & (MD_FEATURE_PPL | MD_FEATURE_MULTIPLE_PPLS))
        why = "array with a partial parity log";
    else if (array->level == 6)
        why = "array, whose parity can be kept up to date by the guest only";
    if (why[0] != '\0')
        (void)snprintf(array->read_only, sizeof(array->read_only), "%s %s",
                       md_level_name(array->level), why);
}

int md_array_assemble(const struct md_super *const *supers, size_t n, struct md_array *ret,
                      struct err *err)
{
    const struct md_super *view = newest(supers, n);
    int r;

    memset(ret, 0, sizeof(*ret));
    ret->super = view;
    ret->level = view->level;
    ret->layout = view->layout;
    ret->chunk = view->level == 1 ? 0 : view->chunk;
    ret->n = view->raid_disks;
    for (size_t i = 0; i < MD_DISKS_MAX; i++)
        ret->legs[i] = MD_NO_LEG;
    r = check_features(view, err);
    if (r == 0)
        r = check_geometry(view, err);
    if (r == 0)
        r = place_members(supers, n, ret, err);
    if (r == 0)
        r = set_legs(supers, ret, err);
    if (r == 0)
        r = set_size(ret, err);
    if (r < 0)
        return r;
    ret->dirty = !needs_all(ret->level) && view->resync_offset != CLEAN;
    if (ret->dirty && (view->features & (MD_FEATURE_PPL | MD_FEATURE_MULTIPLE_PPLS)))
        return err_status(err, STATUS_REFUSED,
                          "it has a partial parity log and was not stopped cleanly: start and "
                          "stop it in the guest");
    r = check_degraded(ret, err);
    if (r < 0)
        return r;
    set_read_only(ret);
    return 0;
}
