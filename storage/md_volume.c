/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/md_volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/dmdev.h"
#include "storage/md_table.h"
#include "storage/peek.h"

#define SECTOR 512U

static struct volume *member_of(const struct md_source *source, uint32_t leg)
{
    return &source->stack->volumes[source->member(source->layer, leg)];
}

static bool is_missing(const struct md_source *source, uint32_t leg)
{
    return source->array->legs[leg] == MD_NO_LEG;
}

/* Does nothing about the array, or about the members that hold its data, forbid to write? */
static bool is_writable(const struct md_source *source)
{
    if (source->array->read_only[0] != '\0')
        return false;
    for (uint32_t i = 0; i < source->array->n; i++) {
        const struct volume *member = is_missing(source, i) ? NULL : member_of(source, i);

        if (member && (member->disk->read_only || member->read_only[0] != '\0'))
            return false;
    }
    return true;
}

/* What forbids to write to the array, or to any parent, forbids it for the volume. */
static struct volume *add_volume(const struct md_source *source)
{
    struct volume *volume = source->add(source->layer);
    const struct volume *all = source->stack->volumes;

    volume->disk = all[volume->parents[0]].disk;
    volume->size_bytes = source->array->size * SECTOR;
    if (source->array->read_only[0] != '\0')
        volume_set_read_only(volume, STATUS_REFUSED, source->array->read_only);
    for (size_t i = 0; i < volume->n_parents; i++) {
        const struct volume *parent = &all[volume->parents[i]];

        if (parent->read_only[0] != '\0')
            volume_set_read_only(volume, parent->read_only_status, parent->read_only);
    }
    return volume;
}

/* ---- legs ---- */

static void legs_done(struct dmtable_address *legs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *device;

        memcpy(&device, &legs[i].device, sizeof(device));
        free(device);
    }
    free(legs);
}

/* The sectors at which each raid disk's data begins, and on which device. */
static int find_legs(const struct md_source *source, struct dmtable_address *legs, struct err *err)
{
    for (uint32_t i = 0; i < source->array->n; i++) {
        dev_t device = 0;
        int r;

        if (is_missing(source, i))
            continue;
        r = volume_address(source->stack, member_of(source, i), source->array->leg_start[i],
                           &device, &legs[i].start, err);
        if (r < 0)
            return r;
        legs[i].device = mem_printf("%u:%u", major(device), minor(device));
    }
    return 0;
}

/* ---- devices ---- */

static int make_node(const struct md_source *source, char **ret_node, struct err *err)
{
    struct dmtable_address *legs = mem_alloc(source->array->n * sizeof(*legs));
    CLEANUP_DMTABLES struct dmtables tables = { 0 };
    CLEANUP_FREE dev_t *devices = NULL;
    int r = dmdev_probe(err);

    if (r == 0)
        r = find_legs(source, legs, err);
    if (r == 0)
        r = md_tables_make(source->array, legs, is_writable(source), &tables, err);
    if (r == 0) {
        devices = mem_alloc(tables.n_tables * sizeof(*devices));
        r = dmtable_make(source->stack->session, &tables, tables.n_tables - 1, devices, ret_node,
                         err);
    }
    legs_done(legs, source->array->n);
    return r;
}

static int add_device(const struct md_source *source, struct err *err)
{
    CLEANUP_FREE char *node = NULL;
    struct volume *volume;
    int fd, r = make_node(source, &node, err);

    if (r < 0)
        return r;
    if (!node)
        return err_set(err, ENODEV, "find the device of an array");
    fd = open(node, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno, "open %s", node);
    volume = add_volume(source);
    volume->fd = fd;
    volume->owns_fd = true;
    volume->node = TAKE(node);
    return 0;
}

/* The array is a piece of one of its members. */
static struct volume *add_piece(const struct md_source *source, uint32_t leg)
{
    struct volume *volume = add_volume(source);
    const struct volume *member = member_of(source, leg);

    volume->disk = member->disk;
    volume->fd = member->fd;
    volume->offset = member->offset + source->array->leg_start[leg] * SECTOR;
    return volume;
}

int md_volume_make(const struct md_source *source, struct err *err)
{
    uint32_t leg = 0;
    bool is_piece = md_is_piece(source->array, &leg);
    int r;

    if (is_piece && (!is_writable(source) || source->array->n == 1)) {
        (void)add_piece(source, leg);
        return 0;
    }
    r = add_device(source, err);
    if (r < 0 && is_piece && err->status == STATUS_HOST) {
        char text[ERR_TEXT];
        struct volume *volume = add_piece(source, leg);

        /* it can be read all the same */
        volume_set_read_only(volume, STATUS_HOST, err_text(err, text, sizeof(text)));
        err_clear(err);
        r = 0;
    }
    return r;
}

/* ---- what no device can be made of here ---- */

static void look_into(const struct md_source *source, struct volume *volume)
{
    struct dmtable_address *legs = mem_alloc(source->array->n * sizeof(*legs));
    CLEANUP_DMTABLES struct dmtables tables = { 0 };
    struct err ignored = ERR_NONE;

    for (uint32_t i = 0; i < source->array->n; i++) {
        if (is_missing(source, i))
            continue;
        legs[i].device = mem_printf("v%zu", source->member(source->layer, i));
        legs[i].start = source->array->leg_start[i];
    }
    if (md_tables_make_plain(source->array, legs, &tables, &ignored) == 0)
        peek_make(source->stack, volume, &tables, tables.n_tables - 1);
    legs_done(legs, source->array->n);
}

struct volume *md_volume_add_inactive(const struct md_source *source, const struct err *err)
{
    char why[ERR_TEXT];
    struct volume *volume = add_volume(source);

    volume->inactive = true;
    volume_set_problem(volume, err->status, err_text(err, why, sizeof(why)));
    if (err->status == STATUS_HOST)
        look_into(source, volume);
    return volume;
}
