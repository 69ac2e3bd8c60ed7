/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which devices make up a btrfs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "storage/btrfs.h"

/* struct btrfs_super_block at 64 KiB (linux/fs/btrfs, Documentation/filesystems/btrfs): */
#define SUPER 0x10000
#define FSID 0x20
#define MAGIC 0x40 /* "_BHRfS_M" */
#define GENERATION 0x48
#define LOG_ROOT 0x60
#define NUM_DEVICES 0x88
#define DEV_ITEM 0xc9 /* struct btrfs_dev_item: u64 devid, ... */
#define DEV_ITEM_UUID (DEV_ITEM + 66)
#define PEEK (DEV_ITEM_UUID + 16)

int btrfs_super_read(const struct volume *volume, struct btrfs_super *ret)
{
    uint8_t super[PEEK];

    if (volume_read(volume, SUPER, super, sizeof(super)) < 0)
        return -EIO;
    if (memcmp(super + MAGIC, "_BHRfS_M", 8) != 0)
        return -EINVAL;
    memcpy(ret->fsid, super + FSID, sizeof(ret->fsid));
    memcpy(ret->device_uuid, super + DEV_ITEM_UUID, sizeof(ret->device_uuid));
    ret->generation = get_le64(super + GENERATION);
    ret->log_root = get_le64(super + LOG_ROOT);
    ret->n_devices = get_le64(super + NUM_DEVICES);
    ret->devid = get_le64(super + DEV_ITEM);
    return 0;
}

void btrfs_set_done(struct btrfs_set *set)
{
    free(set->members);
    *set = (struct btrfs_set){ 0 };
}

static bool is_btrfs(const struct volume *volume, struct btrfs_super *ret)
{
    return strcmp(volume->fstype, "btrfs") == 0 && btrfs_super_read(volume, ret) == 0;
}

struct member {
    uint64_t devid;
    size_t volume; /* index */
};

static int by_devid(const void *a, const void *b)
{
    uint64_t one = ((const struct member *)a)->devid, other = ((const struct member *)b)->devid;

    return one < other ? -1 : one > other;
}

/* 0, or -EEXIST: two claim to be the same device. */
static int collect(const struct stack *stack, const struct btrfs_super *of, struct btrfs_set *ret)
{
    CLEANUP_FREE struct member *members = NULL;
    size_t n = 0;

    for (size_t i = 0; i < stack->n_volumes; i++) {
        struct btrfs_super super;

        if (is_btrfs(&stack->volumes[i], &super) &&
            memcmp(super.fsid, of->fsid, sizeof(super.fsid)) == 0)
            *(struct member *)mem_add(&members, &n, sizeof(*members)) =
                (struct member){ super.devid, i };
    }
    if (n > 0)
        qsort(members, n, sizeof(*members), by_devid);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && members[i].devid == members[i - 1].devid)
            return -EEXIST;
        *(size_t *)mem_add(&ret->members, &ret->n, sizeof(size_t)) = members[i].volume;
    }
    return 0;
}

int btrfs_find_set(const struct stack *stack, const struct volume *volume, struct btrfs_set *ret,
                   struct err *err)
{
    struct btrfs_super super;
    size_t self = (size_t)(volume - stack->volumes);

    if (btrfs_super_read(volume, &super) < 0)
        return err_set(err, EIO, "read the superblock of %s", volume->name);
    if (super.n_devices <= 1) {
        *(size_t *)mem_add(&ret->members, &ret->n, sizeof(size_t)) = self;
        return 0;
    }
    if (collect(stack, &super, ret) < 0 || ret->n > super.n_devices)
        return err_status(err, STATUS_REFUSED,
                          "more than one of the given disks claims to be the same device of the "
                          "btrfs %s: leave the copies out",
                          volume->uuid);
    if (ret->n < super.n_devices)
        return err_status(err, STATUS_REFUSED,
                          "%zu of the %llu devices of the btrfs %s are given: name all disks of "
                          "the guest (-a); if one is lost, convert the guest where it can be "
                          "mounted degraded",
                          ret->n, (unsigned long long)super.n_devices, volume->uuid);
    return 0;
}

const struct volume *btrfs_lead(const struct stack *stack, const struct volume *volume)
{
    CLEANUP_BTRFS_SET struct btrfs_set set = { 0 };
    struct btrfs_super super;

    if (!is_btrfs(volume, &super) || super.n_devices <= 1)
        return volume;
    (void)collect(stack, &super, &set);
    return set.n > 0 ? &stack->volumes[set.members[0]] : volume;
}

/* A device that missed writes, or is of another time, is read as far as checksums allow. */
static void check_generations(struct stack *stack, const struct btrfs_set *set)
{
    uint64_t least = UINT64_MAX, most = 0;
    CLEANUP_FREE char *text = NULL;

    for (size_t i = 0; i < set->n; i++) {
        struct btrfs_super super;

        if (btrfs_super_read(&stack->volumes[set->members[i]], &super) < 0)
            return;
        least = super.generation < least ? super.generation : least;
        most = super.generation > most ? super.generation : most;
    }
    if (most - least <= 1) /* a crash may come between the devices */
        return;
    text = mem_printf("its devices are not of one time (generations %llu to %llu): mount and scrub "
                      "it in the guest first",
                      (unsigned long long)least, (unsigned long long)most);
    for (size_t i = 0; i < set->n; i++)
        volume_set_read_only(&stack->volumes[set->members[i]], STATUS_REFUSED, text);
}

/* What holds for one device holds for all. */
static void share_read_only(struct stack *stack, const struct btrfs_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct volume *from = &stack->volumes[set->members[i]];

        for (size_t j = 0; from->read_only[0] != '\0' && j < set->n; j++)
            if (j != i)
                volume_set_read_only(&stack->volumes[set->members[j]], from->read_only_status,
                                     from->read_only);
    }
}

void btrfs_check_sets(struct stack *stack)
{
    for (size_t i = 0; i < stack->n_volumes; i++) {
        struct volume *volume = &stack->volumes[i];
        CLEANUP_BTRFS_SET struct btrfs_set set = { 0 };
        struct err err = ERR_NONE;
        char text[ERR_TEXT];

        if (strcmp(volume->fstype, "btrfs") != 0)
            continue;
        if (btrfs_find_set(stack, volume, &set, &err) < 0) {
            volume_set_problem(volume, err.status, err_text(&err, text, sizeof(text)));
        } else if (set.n > 1 && set.members[0] == i) {
            check_generations(stack, &set);
            share_read_only(stack, &set);
        }
    }
}
