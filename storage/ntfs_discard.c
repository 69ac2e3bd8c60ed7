/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "storage/ntfs.h"
#include "storage/ntfs_read.h"

#define IMAGE_HEADER 4096U

/* Where the header of the image lies on the volume. */
static bool find_image(const struct volume *volume, uint64_t *ret)
{
    CLEANUP_FREE struct ntfs_record *record = mem_alloc(sizeof(*record));
    CLEANUP_FREE struct ntfs_attr *data = mem_alloc(sizeof(*data));
    uint64_t number = 0;
    struct ntfs fs;
    bool found;

    if (!ntfs_open(volume, &fs))
        return false;
    found = ntfs_root_find(&fs, "hiberfil.sys", &number) && number != 0 &&
            ntfs_record_read(&fs, number, record) &&
            ntfs_attr_find(record, NTFS_AT_DATA, NULL, data) &&
            ntfs_attr_where(&fs, data, 0, IMAGE_HEADER, ret);
    ntfs_close(&fs);
    return found;
}

static int make_void(struct stack *stack, struct volume *volume, struct err *err)
{
    static const uint8_t zeros[IMAGE_HEADER];
    uint8_t old[IMAGE_HEADER];
    struct patch patch = { .old = old, .bytes = zeros, .len = sizeof(zeros) };
    int r;

    if (!find_image(volume, &patch.at))
        return err_status(err, STATUS_REFUSED,
                          "%s: its hiberfil.sys holds no image: another Windows is hibernated that "
                          "has this volume open; start that one and shut it down completely",
                          volume->name);
    r = volume_read(volume, patch.at, old, sizeof(old));
    if (r < 0)
        return err_set(err, -r, "read hiberfil.sys on %s", volume->name);
    return volume_patch(stack, volume, &patch, err);
}

/* 1: it may be written now. 0: there is more that keeps it from that, and nothing was done. */
static int discard(struct stack *stack, struct volume *volume, const struct ntfs_state *state,
                   struct err *err)
{
    const struct ntfs_state rest = { .unreadable = state->unreadable,
                                     .marked = state->marked,
                                     .log_dirty = state->log_dirty };
    const char *why = ntfs_not_written(&rest);
    int r = 0;

    free(volume->read_only);
    volume->read_only = mem_strdup(why ? why : "");
    if (why)
        return 0;
    if (state->hibernated)
        r = make_void(stack, volume, err);
    log_debug("%s: what Windows keeps in memory is given up", volume->name);
    return r < 0 ? r : 1;
}

int ntfs_discard_hibernation(struct stack *stack, struct strlist *ret, struct err *err)
{
    for (size_t i = 0; i < stack->n_volumes; i++) {
        struct volume *volume = &stack->volumes[i];
        struct ntfs_state state;
        const char *why;
        int r;

        if (strcmp(volume->fstype, "ntfs") != 0 || volume->inactive)
            continue;
        ntfs_state_read(volume, &state);
        why = ntfs_not_written(&state);
        if ((!state.hibernated && !state.cached) || strcmp(volume->read_only, why) != 0)
            continue;
        r = discard(stack, volume, &state, err);
        if (r < 0)
            return r;
        if (r > 0)
            strlist_add(ret, volume->name);
    }
    return 0;
}
