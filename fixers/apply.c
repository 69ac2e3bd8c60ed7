/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/apply.h"

#include <errno.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "fixers/plan_lookup.h"
#include "fixers/run.h"
#include "storage/volume.h"

#define SPACE_MARGIN (1U << 20) /* metadata: directory blocks, journal, trees */
#define HIVE_GROWS (256U << 10) /* bytes; libhivex never uses a freed cell again */
#define SPACE_BLOCK 4096U       /* files are counted in whole blocks of this size */

/* ---- space ---- */

/* Space on one file system while the changes are made in order. */
struct space {
    dev_t device;
    char *path; /* where it was met first */
    uint64_t free_bytes;
    int64_t used; /* more than before the plan */
    int64_t peak; /* highest value of used, temporary files included */
};

struct spaces {
    struct space *items;
    size_t n;
};

static int64_t blocks(uint64_t bytes)
{
    return (int64_t)((bytes + SPACE_BLOCK - 1) / SPACE_BLOCK * SPACE_BLOCK);
}

/* The topmost folder above @folder that is on the same file system. Free it. */
static char *mount_point(const struct guest_root *root, const char *folder, dev_t device)
{
    char *top = mem_strdup(folder);
    char *slash;

    while ((slash = strrchr(top, '/')) != NULL && slash[1] != '\0') {
        char *parent = slash == top ? mem_strdup("/") : mem_strndup(top, (size_t)(slash - top));
        struct stat st;

        if (guest_stat(root, parent, &st) < 0 || st.st_dev != device) {
            free(parent);
            break;
        }
        free(top);
        top = parent;
    }
    return top;
}

/* The file system that will hold @path: that of the nearest folder that exists. */
static int space_of(const struct plan *plan, const char *path, struct spaces *spaces,
                    struct space **ret, struct err *err)
{
    CLEANUP_FREE char *folder = mem_strdup(path);
    struct stat st;
    struct space *space;

    for (;;) {
        char *slash = strrchr(folder, '/');

        if (!slash || slash == folder) {
            free(folder);
            folder = mem_strdup("/");
            break;
        }
        *slash = '\0';
        if (guest_is_dir(plan->root, folder))
            break;
    }
    if (guest_stat(plan->root, folder, &st) < 0)
        return err_set(err, ENOENT, "look at %s", folder);
    for (size_t i = 0; i < spaces->n; i++) {
        *ret = &spaces->items[i];
        if (spaces->items[i].device == st.st_dev)
            return 0;
    }
    space = mem_add(&spaces->items, &spaces->n, sizeof(*space));
    space->device = st.st_dev;
    space->path = mount_point(plan->root, folder, st.st_dev);
    *ret = space;
    return guest_free_space(plan->root, folder, &space->free_bytes, err);
}

/* Bytes of the file that a change puts in place; 0 when it puts none. */
static uint64_t new_size(const struct plan *plan, const struct change *change)
{
    struct stat st;
    uint64_t size = 0;

    switch (change->action) {
    case CHANGE_WRITE:
        return change->len;
    case CHANGE_APPEND: /* with other names the whole file is copied: old and new exist at once */
        if (guest_stat(plan->root, change->path, &st) == 0 && st.st_nlink > 1)
            size = (uint64_t)st.st_size;
        return size + change->len;
    case CHANGE_COPY:
        return guest_stat(plan->root, change->data, &st) == 0 ? (uint64_t)st.st_size : 0;
    case CHANGE_LINK:
    case CHANGE_MKDIR:
        return SPACE_BLOCK;
    case CHANGE_RUN: /* what it makes; what else it does cannot be foreseen */
        return change->run->makes ? change->run->about_bytes : 0;
    case CHANGE_HIVE: /* all changes of a hive make one new file */
        if (plan_first_of_hive(plan, change->path) == change &&
            guest_stat(plan->root, change->path, &st) == 0)
            return (uint64_t)st.st_size + HIVE_GROWS;
        return 0;
    case CHANGE_REMOVE:
    case CHANGE_CHMOD:
    case CHANGE_PATCH:
        break;
    }
    return 0;
}

static void count(const struct plan *plan, const struct change *change, struct space *space)
{
    int64_t fresh = blocks(new_size(plan, change));
    struct stat st;

    if (space->used + fresh > space->peak)
        space->peak = space->used + fresh;
    space->used += fresh;
    if ((change->run && !change->run->makes) || (change->edit && fresh == 0))
        return;
    /* what is replaced is free afterwards, unless another name still holds it */
    if (change->action != CHANGE_CHMOD && change->action != CHANGE_MKDIR &&
        change->action != CHANGE_APPEND && guest_lstat(plan->root, change->path, &st) == 0 &&
        S_ISREG(st.st_mode) && st.st_nlink == 1)
        space->used -= (int64_t)st.st_blocks * 512;
}

static int refuse(const struct space *space, uint64_t need, struct err *err)
{
    return err_status(err, STATUS_REFUSED,
                      "the guest's file system at %s is too full: %llu bytes are needed, %llu are "
                      "free, %llu are missing; free some space in the guest, or leave a fixer out "
                      "with --skip",
                      space->path, (unsigned long long)need, (unsigned long long)space->free_bytes,
                      (unsigned long long)(need - space->free_bytes));
}

int plan_check_space(const struct plan *plan, struct err *err)
{
    struct spaces spaces = { 0 };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < plan->n; i++) {
        struct space *space = NULL;

        if (plan->changes[i].action == CHANGE_PATCH)
            continue;
        r = space_of(plan, plan->changes[i].path, &spaces, &space, err);
        if (r >= 0 && space)
            count(plan, &plan->changes[i], space);
    }
    for (size_t i = 0; r >= 0 && i < spaces.n; i++) {
        const struct space *space = &spaces.items[i];
        uint64_t need = space->peak > 0 ? (uint64_t)space->peak + SPACE_MARGIN : 0;

        if (need > space->free_bytes)
            r = refuse(space, need, err);
    }
    for (size_t i = 0; i < spaces.n; i++)
        free(spaces.items[i].path);
    free(spaces.items);
    return r < 0 ? r : 0;
}

/* ---- changes ---- */

static int apply_write(const struct guest_root *root, const struct change *change, struct err *err)
{
    struct guest_piece piece = { .data = change->data, .len = change->len };

    return guest_replace(root, change->path, &piece, 1, &change->attr, err);
}

static int append_to_copy(const struct guest_root *root, const struct change *change,
                          struct err *err)
{
    CLEANUP_FD int old = guest_open(root, change->path, err);
    struct guest_piece pieces[] = {
        { .fd = old },
        { .data = change->data, .len = change->len },
    };

    if (old < 0)
        return old;
    return guest_replace(root, change->path, pieces, ARRAY_SIZE(pieces), &change->attr, err);
}

/* Where it is if possible: a /boot has rarely room for a second copy of an initramfs, and what is
 * written to is an overlay. */
static int apply_append(const struct guest_root *root, const struct change *change, struct err *err)
{
    int r = guest_append(root, change->path, change->data, change->len, err);

    if (r != -EMLINK && r != -EPERM)
        return r;
    err_clear(err);
    return append_to_copy(root, change, err);
}

static int apply_copy(const struct guest_root *root, const struct change *change, struct err *err)
{
    CLEANUP_FD int source = guest_open(root, change->data, err);
    struct guest_piece piece = { .fd = source };

    if (source < 0)
        return source;
    return guest_replace(root, change->path, &piece, 1, &change->attr, err);
}

static int apply_remove(const struct guest_root *root, const struct change *change, struct err *err)
{
    return guest_remove(root, change->path, err);
}

static int apply_link(const struct guest_root *root, const struct change *change, struct err *err)
{
    return guest_symlink(root, change->data, change->path, err);
}

static int apply_mkdir(const struct guest_root *root, const struct change *change, struct err *err)
{
    return guest_mkdir(root, change->path, &change->attr, err);
}

static int apply_chmod(const struct guest_root *root, const struct change *change, struct err *err)
{
    return guest_chmod(root, change->path, change->attr.mode, err);
}

static int apply_patch(const struct plan *plan, const struct change *change, struct err *err)
{
    struct volume *volume = plan->stack ? stack_find(plan->stack, change->path) : NULL;
    const struct patch patch = { change->at, change->old, change->data, change->len };

    if (!volume)
        return err_set(err, ENODEV, "find the volume %s", change->path);
    return volume_patch(plan->stack, volume, &patch, err);
}

/* All changes of the hive at once, when the first of them is met. */
static int apply_hive(const struct plan *plan, const struct change *first, struct err *err)
{
    CLEANUP_FREE struct hive_edit *edits = mem_alloc(plan->n * sizeof(*edits));
    CLEANUP_STRBUF struct strbuf bytes = { 0 };
    struct hive *hive = NULL;
    size_t n = 0;
    int r;

    if (plan_first_of_hive(plan, first->path) != first)
        return 0;
    for (size_t i = 0; i < plan->n; i++)
        if (plan->changes[i].edit && strcmp(plan->changes[i].path, first->path) == 0)
            edits[n++] = *plan->changes[i].edit;
    r = hive_open(plan->root, first->path, &hive, err);
    if (r >= 0)
        r = hive_edit(hive, edits, n, &bytes, err);
    if (r >= 0) {
        struct guest_piece piece = { .data = bytes.data, .len = bytes.len };

        r = guest_replace(plan->root, first->path, &piece, 1, &first->attr, err);
    }
    hive_free(hive);
    return r;
}

static int (*const actions[])(const struct guest_root *root, const struct change *change,
                              struct err *err) = {
    [CHANGE_WRITE] = apply_write,   [CHANGE_APPEND] = apply_append, [CHANGE_COPY] = apply_copy,
    [CHANGE_REMOVE] = apply_remove, [CHANGE_LINK] = apply_link,     [CHANGE_MKDIR] = apply_mkdir,
    [CHANGE_CHMOD] = apply_chmod,
};

static int apply_one(const struct plan *plan, const struct change *change, struct err *err)
{
    if (change->run)
        return run_program(plan, change, err);
    if (change->edit)
        return apply_hive(plan, change, err);
    if (change->action == CHANGE_PATCH)
        return apply_patch(plan, change, err);
    return actions[change->action](plan->root, change, err);
}

int plan_apply(const struct plan *plan, struct err *err)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct change *change = &plan->changes[i];
        int r;

        log_debug("%s: %s %s", change->fixer, change_name(change), change->path);
        r = apply_one(plan, change, err);
        if (r < 0)
            return err_wrap(err, "%s: %s %s", change->fixer, change_name(change), change->path);
    }
    return 0;
}
