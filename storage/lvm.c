/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Volume groups of LVM2 without lvm: their metadata is read, and each logical volume is a piece of
 * a disk or a device of the device mapper under a name of ours. Nothing of the metadata is written,
 * and the host's lvm sees none of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/dmdev.h"
#include "storage/layers.h"
#include "storage/lvm_read.h"
#include "storage/lvm_table.h"
#include "storage/peek.h"

#define SECTOR 512U

/* One group on its way to become volumes. */
struct work {
    struct stack *stack;
    const struct lvm_vg *vg;
    size_t *pvs; /* per physical volume: index of the volume, or LVM_NONE */
    size_t n_missing;
    struct dmtable_address *addresses; /* per physical volume */
    bool has_addresses;
    bool has_mapper; /* else no_mapper says why */
    struct err no_mapper;
    struct lvm_tables tables;
    dev_t *devices; /* per table */
    size_t n_devices;
    char *folder; /* "/dev/vg" */
};

/* ---- what all of the group's volumes share ---- */

static struct volume *pv_volume(const struct work *work, size_t pv)
{
    return work->pvs[pv] == LVM_NONE ? NULL : &work->stack->volumes[work->pvs[pv]];
}

/* May all members be written? */
static bool is_writable(const struct work *work)
{
    if (work->n_missing > 0 || work->vg->read_only[0] != '\0')
        return false;
    for (size_t i = 0; i < work->vg->n_pvs; i++)
        if (pv_volume(work, i)->disk->read_only || pv_volume(work, i)->read_only[0] != '\0')
            return false;
    return true;
}

/* Where the members lie, for tables. They get no devices of their own: only disks do. Without a
 * device mapper there are none, but the tables still tell what else is in the way. */
static int find_addresses(struct work *work, struct err *err)
{
    int r = 0;

    if (!work->has_addresses)
        work->has_mapper = dmdev_probe(&work->no_mapper) == 0;
    for (size_t i = 0; i < work->vg->n_pvs && r == 0 && !work->has_addresses; i++) {
        dev_t device = 0;

        if (!pv_volume(work, i))
            continue;
        if (work->has_mapper)
            r = volume_address(work->stack, pv_volume(work, i), work->vg->pvs[i].start, &device,
                               &work->addresses[i].start, err);
        if (r == 0)
            work->addresses[i].device = mem_printf("%u:%u", major(device), minor(device));
    }
    work->has_addresses |= r == 0;
    return r;
}

/* The group's folder in /dev; two groups of one name are told apart by their ids. */
static char *find_folder(const struct stack *stack, const struct lvm_vg *vg)
{
    CLEANUP_FREE char *plain = mem_printf("/dev/%s/", vg->name);

    for (size_t i = 0; i < stack->n_volumes; i++)
        if (strncmp(stack->volumes[i].name, plain, strlen(plain)) == 0)
            return mem_printf("/dev/%s-%.6s", vg->name, vg->id);
    return mem_printf("/dev/%s", vg->name);
}

/* ---- volumes ---- */

static void set_parents(struct work *work, struct volume *volume)
{
    volume->parents = mem_alloc(work->vg->n_pvs * sizeof(*volume->parents));
    for (size_t i = 0; i < work->vg->n_pvs; i++)
        if (work->pvs[i] != LVM_NONE)
            volume->parents[volume->n_parents++] = work->pvs[i];
}

/* What keeps the guest itself from using it, but not us: it may be read and repaired. */
static void set_notes(const struct lvm_vg *vg, struct volume *volume)
{
    if (vg->is_exported)
        strlist_add(&volume->notes,
                    "its volume group is exported: the guest uses it after vgimport only");
    if (vg->system_id[0] != '\0')
        strlist_take(&volume->notes,
                     mem_printf("its volume group has the system id %.127s: a guest with another "
                                "one does not use it",
                                vg->system_id));
}

static void set_snapshot(const struct work *work, const struct lvm_lv *of, struct volume *volume)
{
    if (of->snapshot_of == LVM_NONE)
        return;
    free(volume->snapshot_of);
    volume->snapshot_of = mem_printf("%s/%s", work->folder, work->vg->lvs[of->snapshot_of].name);
    strlist_take(&volume->notes, mem_printf("it is a snapshot of %s", volume->snapshot_of));
}

static struct volume *add_volume(struct work *work, size_t lv, const char *read_only)
{
    const struct lvm_lv *of = &work->vg->lvs[lv];
    size_t sized = of->origin != LVM_NONE ? of->origin : lv;
    struct volume *volume =
        stack_add(work->stack, VOLUME_LOGICAL, mem_printf("%s/%s", work->folder, of->name));

    set_parents(work, volume);
    set_notes(work->vg, volume);
    set_snapshot(work, of, volume);
    volume->disk = work->stack->volumes[volume->parents[0]].disk;
    volume->size_bytes = work->vg->lvs[sized].extents * work->vg->extent_size * SECTOR;
    if (work->n_missing > 0)
        volume_set_read_only(volume, STATUS_REFUSED,
                             "volume group of which a physical volume is missing");
    if (work->vg->read_only[0] != '\0')
        volume_set_read_only(volume, STATUS_REFUSED, work->vg->read_only);
    if (read_only[0] != '\0')
        volume_set_read_only(volume, STATUS_REFUSED, read_only);
    for (size_t i = 0; i < volume->n_parents; i++) {
        const struct volume *parent = &work->stack->volumes[volume->parents[i]];

        if (parent->read_only[0] != '\0')
            volume_set_read_only(volume, parent->read_only_status, parent->read_only);
    }
    return volume;
}

/* Look into what no device can be made of here. */
static void look_into(struct work *work, size_t lv, struct volume *volume)
{
    struct dmtable_address *pvs = mem_alloc(work->vg->n_pvs * sizeof(*pvs));
    struct lvm_tables tables = { .vg = work->vg, .pvs = pvs };
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct err ignored = ERR_NONE;
    char read_only[sizeof(work->vg->read_only)] = "";
    size_t index = 0;

    for (size_t i = 0; i < work->vg->n_pvs; i++) {
        if (!pv_volume(work, i))
            continue;
        strlist_take(&names, mem_printf("v%zu", work->pvs[i]));
        pvs[i] = (struct dmtable_address){ names.items[names.n - 1], work->vg->pvs[i].start };
    }
    lvm_tables_init(&tables);
    if (lvm_tables_add(&tables, lv, read_only, &index, &ignored) == 0)
        peek_make(work->stack, volume, &tables.dm, index);
    lvm_tables_done(&tables);
    free(pvs);
}

static void add_inactive(struct work *work, size_t lv, const struct err *err)
{
    char text[ERR_TEXT];
    struct volume *volume = add_volume(work, lv, "");

    volume->inactive = true;
    volume_set_problem(volume, err->status, err_text(err, text, sizeof(text)));
    log_debug("%s: %s", volume->name, volume->problem);
    if (err->status == STATUS_HOST)
        look_into(work, lv, volume);
}

/* 1: it is a piece of one member, and a volume now. */
static int try_piece(struct work *work, size_t lv)
{
    const struct volume *member;
    struct volume *volume;
    uint64_t sector = 0;
    size_t pv = 0;

    if (!lvm_is_piece(&work->tables, lv, &pv, &sector) || !pv_volume(work, pv))
        return 0;
    member = pv_volume(work, pv);
    if (member->inactive || sector * SECTOR > member->size_bytes ||
        work->vg->lvs[lv].extents * work->vg->extent_size * SECTOR >
            member->size_bytes - sector * SECTOR)
        return 0;
    volume = add_volume(work, lv, work->vg->lvs[lv].read_only);
    member = pv_volume(work, pv);
    volume->disk = member->disk;
    volume->fd = member->fd;
    volume->offset = member->offset + sector * SECTOR;
    return 1;
}

static int make_node(struct work *work, size_t index, char **ret_node, struct err *err)
{
    size_t n = work->tables.dm.n_tables;

    work->devices = mem_realloc(work->devices, n * sizeof(*work->devices));
    memset(work->devices + work->n_devices, 0, (n - work->n_devices) * sizeof(*work->devices));
    work->n_devices = n;
    return dmtable_make(work->stack->session, &work->tables.dm, index, work->devices, ret_node,
                        err);
}

static int make_device(struct work *work, size_t lv, struct err *err)
{
    char read_only[sizeof(work->vg->read_only)] = "";
    CLEANUP_FREE char *node = NULL;
    struct volume *volume;
    size_t index = 0;
    int fd, r = find_addresses(work, err);

    if (r == 0)
        r = lvm_tables_add(&work->tables, lv, read_only, &index, err);
    if (r == 0 && !work->has_mapper) {
        *err = work->no_mapper;
        return -err->code;
    }
    if (r == 0)
        r = make_node(work, index, &node, err);
    if (r < 0)
        return r;
    if (!node)
        return err_set(err, ENODEV, "find the device of %s", work->vg->lvs[lv].name);
    fd = open(node, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno, "open %s", node);
    volume = add_volume(work, lv, read_only);
    volume->fd = fd;
    volume->owns_fd = true;
    volume->node = TAKE(node);
    return 0;
}

/* Pools hold data of other volumes and are none themselves. */
static bool is_pool(const struct lvm_lv *lv)
{
    return lv->n_segments > 0 && (lvm_is_type(&lv->segments[0], "thin-pool") ||
                                  lvm_is_type(&lv->segments[0], "cache-pool") ||
                                  lvm_is_type(&lv->segments[0], "vdo-pool"));
}

static int handle_lv(struct work *work, size_t lv, struct err *err)
{
    const struct lvm_lv *of = &work->vg->lvs[lv];
    struct err one = ERR_NONE;
    int r;

    if (!of->is_visible || is_pool(of) || of->extents == 0)
        return 0;
    if (work->vg->problem[0] != '\0') {
        (void)err_status(&one, STATUS_REFUSED, "%s", work->vg->problem);
    } else if (lvm_needs_writing(work->vg, lv) && !work->tables.writable) {
        work->stack->wants_overlay = true;
        (void)err_status(&one, STATUS_REFUSED, "its cache must be written even for reading");
    } else {
        if (try_piece(work, lv))
            return 0;
        r = make_device(work, lv, &one);
        if (r == -EINTR)
            *err = one;
        if (r == 0 || r == -EINTR)
            return r;
    }
    add_inactive(work, lv, &one);
    return 0;
}

/* ---- groups ---- */

static void report(struct work *work, const char *what)
{
    CLEANUP_FREE char *text =
        mem_printf("the volume group %s cannot be used: %s", work->vg->name, what);

    for (size_t i = 0; i < work->vg->n_pvs; i++)
        if (pv_volume(work, i))
            volume_set_problem(pv_volume(work, i), STATUS_REFUSED, text);
}

static int make_volumes(struct work *work, struct err *err)
{
    size_t n = work->vg->n_pvs;
    int r = 0;

    work->addresses = mem_alloc(n * sizeof(*work->addresses));
    work->folder = find_folder(work->stack, work->vg);
    work->tables = (struct lvm_tables){
        .vg = work->vg,
        .pvs = work->addresses,
        .writable = is_writable(work),
    };
    lvm_tables_init(&work->tables);
    for (size_t i = 0; i < work->vg->n_lvs && r == 0; i++)
        r = handle_lv(work, i, err);
    lvm_tables_done(&work->tables);
    for (size_t i = 0; i < n; i++) {
        char *device;

        memcpy(&device, &work->addresses[i].device, sizeof(device));
        free(device);
    }
    free(work->addresses);
    free(work->devices);
    free(work->folder);
    return r;
}

/* Copies of a member too are nobody else's. */
static void claim(struct stack *stack, const struct lvm_found *found, const char *id)
{
    for (size_t i = 0; i < found->n_members; i++)
        if (strcmp(found->members[i].label.id, id) == 0)
            stack->volumes[found->members[i].volume].handled = true;
}

static int handle_group(struct stack *stack, const struct lvm_found *found, struct lvm_group *group,
                        struct err *err)
{
    struct lvm_vg *vg = &group->vg;
    CLEANUP_FREE size_t *pvs = mem_alloc(vg->n_pvs * sizeof(*pvs));
    struct work work = { .stack = stack, .vg = vg, .pvs = pvs };
    bool is_double = false;

    for (size_t i = 0; i < vg->n_pvs; i++) {
        bool twice;
        size_t member = lvm_find_member(found, vg->pvs[i].id, &twice);

        is_double |= twice;
        pvs[i] =
            member == LVM_NONE || vg->pvs[i].is_missing ? LVM_NONE : found->members[member].volume;
        work.n_missing += pvs[i] == LVM_NONE;
    }
    /* further members may lie on what is still to be opened */
    if (work.n_missing == vg->n_pvs || (work.n_missing > 0 && !stack->settled))
        return 0;
    for (size_t i = 0; i < vg->n_pvs; i++)
        claim(stack, found, vg->pvs[i].id);
    if (is_double)
        report(&work, "two devices have the same physical volume on them: leave the copy out");
    else if (group->is_split)
        report(&work, "its members do not agree about its metadata");
    if (is_double || group->is_split)
        return 0;
    lvm_read_states(stack, vg, pvs);
    return make_volumes(&work, err);
}

static int activate(struct stack *stack, struct err *err)
{
    struct lvm_found found;
    int r = 0;

    lvm_find(stack, &found);
    for (size_t i = 0; i < found.n_groups && r == 0; i++)
        r = handle_group(stack, &found, &found.groups[i], err);
    lvm_found_done(&found);
    return r;
}

const struct layer layer_lvm = {
    .name = "lvm",
    .activate = activate,
};
