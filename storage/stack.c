/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "storage/btrfs.h"
#include "storage/hibernation.h"
#include "storage/layers.h"
#include "storage/ldm_read.h"
#include "storage/peek.h"
#include "storage/probe.h"

#define VOLUMES_MAX 4096U /* no guest has more; a table made to exhaust us may */

static const struct layer *const layers[] = { &layer_md, &layer_crypt, &layer_lvm, &layer_ldm };

char *volume_disk_letters(size_t index)
{
    char letters[8];
    size_t at = sizeof(letters) - 1;

    letters[at] = '\0';
    for (index++; index > 0 && at > 0; index /= 26) {
        index--;
        letters[--at] = (char)('a' + index % 26);
    }
    return mem_strdup(letters + at);
}

static char *disk_name(size_t index)
{
    CLEANUP_FREE char *letters = volume_disk_letters(index);

    return mem_printf("/dev/sd%s", letters);
}

struct volume *stack_add(struct stack *stack, enum volume_kind kind, char *name)
{
    struct volume *volume = mem_add(&stack->volumes, &stack->n_volumes, sizeof(*volume));
    char **const texts[] = { &volume->part_type,  &volume->part_uuid,   &volume->part_label,
                             &volume->table_uuid, &volume->use,         &volume->fstype,
                             &volume->uuid,       &volume->label,       &volume->problem,
                             &volume->read_only,  &volume->snapshot_of, &volume->dynamic_id };

    volume->kind = kind;
    volume->name = name;
    volume->fd = -1;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        *texts[i] = mem_strdup("");
    if (kind != VOLUME_DISK && kind != VOLUME_MD)
        volume->table = mem_strdup("");
    return volume;
}

static void volume_done(struct volume *volume)
{
    free(volume->name);
    free(volume->part_type);
    free(volume->part_uuid);
    free(volume->part_label);
    free(volume->dynamic_id);
    free(volume->table);
    free(volume->table_uuid);
    free(volume->use);
    free(volume->fstype);
    free(volume->uuid);
    free(volume->label);
    free(volume->node);
    free(volume->inner_node);
    free(volume->problem);
    free(volume->read_only);
    free(volume->snapshot_of);
    strlist_done(&volume->notes);
    free(volume->parents);
    peek_free(volume->peek);
    if (volume->owns_fd)
        (void)close(volume->fd);
}

void stack_free(struct stack *stack)
{
    if (!stack)
        return;
    for (size_t i = 0; i < stack->n_volumes; i++)
        volume_done(&stack->volumes[i]);
    free(stack->volumes);
    free(stack->disks);
    free(stack);
}

static void stack_cleanup(struct stack **stack)
{
    stack_free(*stack);
}

/* Extended partitions are only a frame around the logical ones (types 0x05, 0x0f, 0x85). */
static bool is_frame(const struct volume *volume)
{
    static const char *const types[] = { "0x5", "0xf", "0x85" };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (strcmp(volume->part_type, types[i]) == 0)
            return true;
    return volume->table[0] != '\0';
}

/* Partitions come first: what lies at the start of a partitioned disk is no content. */
static int look_at_new(struct stack *stack, size_t *seen, struct err *err)
{
    int r = layer_part.activate(stack, err);

    for (; r == 0 && *seen < stack->n_volumes; (*seen)++) {
        struct volume *volume = &stack->volumes[*seen];

        if (is_frame(volume) || (volume->inactive && !volume->peek))
            continue;
        if (ldm_is_member(stack, volume))
            ldm_mark_member(volume);
        else
            r = probe_content(volume, err);
    }
    if (r == 0 && stack->n_volumes > VOLUMES_MAX)
        r = err_set(err, E2BIG, "find volumes: more than %u", VOLUMES_MAX);
    return r;
}

/* Layers nest in any order, so go round until a round adds no volume; then once more for what has
 * waited in vain for the rest of it. */
static int activate_all(struct stack *stack, struct err *err)
{
    size_t seen = 0;
    int r = look_at_new(stack, &seen, err);

    while (r == 0) {
        size_t before = stack->n_volumes;

        for (size_t i = 0; i < ARRAY_SIZE(layers) && r == 0; i++) {
            r = layers[i]->activate(stack, err);
            if (r == 0)
                r = look_at_new(stack, &seen, err);
        }
        if (stack->n_volumes == before && stack->settled)
            break;
        stack->settled = stack->n_volumes == before;
    }
    return r;
}

int stack_build(struct session *session, struct disk *const *disks, size_t n_disks,
                struct stack **ret, struct err *err)
{
    return stack_build_with_keys(session, disks, n_disks, NULL, ret, err);
}

int stack_build_with_keys(struct session *session, struct disk *const *disks, size_t n_disks,
                          const struct keys *keys, struct stack **ret, struct err *err)
{
    CLEANUP(stack_cleanup) struct stack *stack = mem_alloc(sizeof(*stack));
    int r;

    stack->session = session;
    stack->disks = mem_dup(disks, n_disks * sizeof(struct disk *));
    stack->n_disks = n_disks;
    stack->keys = keys;
    for (size_t i = 0; i < n_disks; i++) {
        struct volume *volume = stack_add(stack, VOLUME_DISK, disk_name(i));

        volume->disk = disks[i];
        volume->size_bytes = disks[i]->size_bytes;
    }
    r = activate_all(stack, err);
    if (r < 0)
        return r;
    btrfs_check_sets(stack);
    hibernation_check_all(stack);
    *ret = TAKE(stack);
    return 0;
}

struct volume *stack_find(const struct stack *stack, const char *name)
{
    for (size_t i = 0; i < stack->n_volumes; i++)
        if (strcmp(stack->volumes[i].name, name) == 0)
            return &stack->volumes[i];
    return NULL;
}
