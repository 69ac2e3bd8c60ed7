/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/hibernation.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "storage/fat_read.h"
#include "storage/ntfs.h"
#include "storage/ntfs_read.h"

#define IMAGE_HEADER 4096U

static const char asleep[] =
    "Windows is hibernated on it: start Windows and shut it down, or give up "
    "what it keeps (--discard-hibernation)";

bool hibernation_is_image(const uint8_t head[4])
{
    static const char *const marks[] = { "hibr", "HIBR", "rstr", "RSTR" };

    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (memcmp(head, marks[i], strlen(marks[i])) == 0)
            return true;
    return false;
}

static int write_zeros(struct stack *stack, struct volume *volume, uint64_t at, size_t len,
                       struct err *err)
{
    static const uint8_t zeros[IMAGE_HEADER];
    uint8_t old[IMAGE_HEADER];
    const struct patch patch = { .at = at, .old = old, .bytes = zeros, .len = len };
    int r = volume_read(volume, at, old, len);

    if (r < 0)
        return err_set(err, -r, "read hiberfil.sys on %s", volume->name);
    return volume_patch(stack, volume, &patch, err);
}

static void allow_writing(struct volume *volume)
{
    free(volume->read_only);
    volume->read_only = mem_strdup("");
    log_debug("%s: what Windows keeps in memory is given up", volume->name);
}

/* ---- FAT ---- */

/* *ret_at: where the header of the image lies; *ret_len: how much of that is in one piece. */
static bool find_fat_image(const struct volume *volume, uint64_t *ret_at, size_t *ret_len)
{
    struct fat fat;

    if (!fat_open(volume, &fat) || !fat_is_hibernated(&fat, ret_at))
        return false;
    *ret_len = fat.cluster_bytes < IMAGE_HEADER ? fat.cluster_bytes : IMAGE_HEADER;
    return true;
}

/* ---- NTFS ---- */

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
    uint64_t at = 0;

    if (!find_image(volume, &at))
        return err_status(err, STATUS_REFUSED,
                          "%s: its hiberfil.sys holds no image: another Windows is hibernated that "
                          "has this volume open; start that one and shut it down completely",
                          volume->name);
    return write_zeros(stack, volume, at, IMAGE_HEADER, err);
}

/* 1: it may be written now. 0: nothing sleeps there, or there is more that keeps it from that, and
 * nothing was done. */
static int discard_ntfs(struct stack *stack, struct volume *volume, struct err *err)
{
    struct ntfs_state state, rest;
    const char *why;

    ntfs_state_read(volume, &state);
    why = ntfs_not_written(&state);
    if ((!state.hibernated && !state.cached) || strcmp(volume->read_only, why) != 0)
        return 0;
    rest = state;
    rest.hibernated = rest.cached = false;
    why = ntfs_not_written(&rest);
    if (why) {
        free(volume->read_only);
        volume->read_only = mem_strdup(why);
        return 0;
    }
    allow_writing(volume);
    return state.hibernated && make_void(stack, volume, err) < 0 ? -err->code : 1;
}

static int discard_fat(struct stack *stack, struct volume *volume, struct err *err)
{
    uint64_t at = 0;
    size_t len = 0;
    int r;

    if (!find_fat_image(volume, &at, &len) || strcmp(volume->read_only, asleep) != 0)
        return 0;
    allow_writing(volume);
    r = write_zeros(stack, volume, at, len, err);
    return r < 0 ? r : 1;
}

/* ---- all volumes ---- */

int hibernation_discard(struct stack *stack, struct strlist *ret, struct err *err)
{
    for (size_t i = 0; i < stack->n_volumes; i++) {
        struct volume *volume = &stack->volumes[i];
        int r = 0;

        if (volume->inactive)
            continue;
        if (strcmp(volume->fstype, "ntfs") == 0)
            r = discard_ntfs(stack, volume, err);
        else if (strcmp(volume->fstype, "vfat") == 0)
            r = discard_fat(stack, volume, err);
        if (r < 0)
            return r;
        if (r > 0)
            strlist_add(ret, volume->name);
    }
    return 0;
}

static const char *not_written(const struct volume *volume)
{
    struct ntfs_state state;
    uint64_t at;
    size_t len;

    if (strcmp(volume->fstype, "vfat") == 0)
        return find_fat_image(volume, &at, &len) ? asleep : NULL;
    if (strcmp(volume->fstype, "ntfs") != 0)
        return NULL;
    ntfs_state_read(volume, &state);
    return ntfs_not_written(&state);
}

void hibernation_check_all(struct stack *stack)
{
    for (size_t i = 0; i < stack->n_volumes; i++) {
        struct volume *volume = &stack->volumes[i];
        const char *why = volume->inactive && !volume->peek ? NULL : not_written(volume);

        if (why)
            volume_set_read_only(volume, STATUS_REFUSED, why);
    }
}
