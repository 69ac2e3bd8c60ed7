/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files, folders, links and modes that the user asks for. */
#include <errno.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/inject.h"

#define TREE_MAX 65536 /* entries of a folder that is removed */

/* A folder goes with all that is in it; no link in it is followed. */
static int remove_tree(struct plan *plan, const char *path, struct err *err)
{
    CLEANUP_STRLIST struct strlist all = { 0 };
    struct stat st;
    int r = 0;

    strlist_add(&all, path);
    for (size_t i = 0; r >= 0 && i < all.n; i++) {
        CLEANUP_STRLIST struct strlist names = { 0 };

        if (guest_lstat(plan->root, all.items[i], &st) < 0 || !S_ISDIR(st.st_mode))
            continue;
        r = guest_list(plan->root, all.items[i], &names, err);
        for (size_t n = 0; r >= 0 && n < names.n; n++)
            strlist_take(&all, mem_printf("%s/%s", all.items[i], names.items[n]));
        if (all.n > TREE_MAX)
            return err_status(err, STATUS_REFUSED, "%s has too much in it to be removed", path);
    }
    for (size_t i = all.n; r >= 0 && i > 0; i--)
        plan_remove(plan, all.items[i - 1], INJECT_REASON);
    return r;
}

static int wrong_kind(const char *path, const char *what, struct err *err)
{
    return err_status(err, STATUS_USAGE, "%s %s in the guest", path, what);
}

void inject_parents(struct plan *plan, const char *path)
{
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        CLEANUP_FREE char *folder = mem_strndup(path, (size_t)(slash - path));

        if (!plan_exists(plan, folder))
            plan_mkdir(plan, folder, 0755, INJECT_REASON);
    }
}

static int put_file(struct plan *plan, const struct inject_file *file, struct err *err)
{
    const struct guest_attr attr = { .mode = file->bits };
    struct stat st;

    if (guest_stat(plan->root, file->path, &st) == 0 && !S_ISREG(st.st_mode))
        return wrong_kind(file->path, "is no plain file", err);
    inject_parents(plan, file->path);
    plan_write_file(plan, file->path, file->data, file->len, &attr, INJECT_REASON);
    if (file->mode || file->from)
        plan_chmod(plan, file->path, file->bits, INJECT_REASON);
    return 0;
}

static int put_folder(struct plan *plan, const struct inject_file *file, struct err *err)
{
    if (guest_exists(plan->root, file->path) && !guest_is_dir(plan->root, file->path))
        return wrong_kind(file->path, "is no folder", err);
    inject_parents(plan, file->path);
    plan_mkdir(plan, file->path, file->bits, INJECT_REASON);
    if (file->mode)
        plan_chmod(plan, file->path, file->bits, INJECT_REASON);
    return 0;
}

static int put_link(struct plan *plan, const struct inject_file *file, struct err *err)
{
    struct stat st;

    if (guest_lstat(plan->root, file->path, &st) == 0 && S_ISDIR(st.st_mode))
        return wrong_kind(file->path, "is a folder, not to be replaced by a link,", err);
    inject_parents(plan, file->path);
    plan_link(plan, file->link, file->path, INJECT_REASON);
    return 0;
}

static int put_mode(struct plan *plan, const struct inject_file *file, struct err *err)
{
    if (!plan_exists(plan, file->path))
        return wrong_kind(file->path, "is not there", err);
    plan_chmod(plan, file->path, file->bits, INJECT_REASON);
    return 0;
}

int inject_files(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ctx->opts->inject.n_files; i++) {
        const struct inject_file *file = &ctx->opts->inject.files[i];

        if (file->data)
            r = put_file(plan, file, err);
        else if (file->folder)
            r = put_folder(plan, file, err);
        else if (file->link)
            r = put_link(plan, file, err);
        else if (file->remove)
            r = remove_tree(plan, file->path, err);
        else
            r = put_mode(plan, file, err);
    }
    return r;
}
