/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/plan.h"

#include <errno.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/plan_lookup.h"
#include "storage/volume.h"

#define NOTES_MAX 200 /* a guest's file can give rise to one in each of its lines */

struct plan *plan_new(const struct guest_root *root)
{
    struct plan *plan = mem_alloc(sizeof(*plan));

    plan->root = root;
    plan->fixer = "";
    return plan;
}

static void change_done(struct change *change)
{
    free(change->path);
    free(change->reason);
    free(change->data);
    free(change->old);
    free(change->note);
    if (change->edit)
        hive_edit_done(change->edit);
    free(change->edit);
    if (change->was)
        hive_value_done(change->was);
    free(change->was);
    if (!change->run)
        return;
    strlist_done(&change->run->argv);
    strlist_done(&change->run->env);
    strlist_done(&change->run->paths);
    strlist_done(&change->run->texts);
    strlist_done(&change->run->wanted);
    free(change->run->makes);
    free(change->run);
}

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->n; i++)
        change_done(&plan->changes[i]);
    free(plan->changes);
    for (size_t i = 0; i < plan->n_hives; i++) {
        free(plan->hives[i].asked);
        free(plan->hives[i].path);
        hive_free(plan->hives[i].hive);
    }
    free(plan->hives);
    strlist_done(&plan->notes);
    free(plan);
}

/* ---- adding ---- */

void plan_drop_change(struct plan *plan, struct change *change)
{
    size_t i = (size_t)(change - plan->changes);

    change_done(change);
    memmove(change, change + 1, (plan->n - i - 1) * sizeof(*change));
    plan->n--;
    memset(&plan->changes[plan->n], 0, sizeof(*change));
}

/* Forget what earlier changes put at @path. */
static void drop_content(struct plan *plan, const char *path)
{
    for (size_t i = plan->n; i > 0; i--)
        if (action_decides_content(plan->changes[i - 1].action) &&
            strcmp(plan->changes[i - 1].path, path) == 0)
            plan_drop_change(plan, &plan->changes[i - 1]);
}

struct change *plan_add_change(struct plan *plan, enum change_action action, const char *path,
                               const char *reason)
{
    struct change *change = mem_add(&plan->changes, &plan->n, sizeof(*change));

    change->fixer = plan->fixer;
    change->action = action;
    change->path = mem_strdup(path);
    change->reason = mem_strdup(reason);
    return change;
}

static void set_data(struct change *change, const void *data, size_t len)
{
    free(change->data);
    change->data = mem_alloc(len + 1);
    if (len)
        memcpy(change->data, data, len);
    change->len = len;
}

void change_add_reason(struct change *change, const char *reason)
{
    char *both;

    if (strstr(change->reason, reason))
        return;
    both = mem_printf("%s; %s", change->reason, reason);
    free(change->reason);
    change->reason = both;
}

static bool guest_has(const struct plan *plan, const char *path, mode_t type)
{
    struct stat st;

    return guest_lstat(plan->root, path, &st) == 0 && (st.st_mode & S_IFMT) == type;
}

/* The same for a file that is about to be put there: the removal of a link must stay, because a
 * write would follow the link. */
static void make_way(struct plan *plan, const char *path)
{
    const struct change *change = plan_find_content(plan, path);

    if (change && !(change->action == CHANGE_REMOVE && guest_has(plan, path, S_IFLNK)))
        drop_content(plan, path);
}

/* The folder of a new entry, planned too when it is missing. */
static void add_parent(struct plan *plan, const char *path, const char *reason)
{
    CLEANUP_FREE char *folder = mem_strdup(path);
    char *slash = strrchr(folder, '/');

    if (!slash || slash == folder)
        return;
    *slash = '\0';
    plan_mkdir(plan, folder, 0755, reason);
}

struct err *plan_failed(struct plan *plan)
{
    static struct err unused;

    return plan->err.code ? &unused : &plan->err;
}

/* A file that exists: does @data differ from it? Fills the old side of *change; what is larger than
 * a text and than the new content is not read. */
static int compare_with_guest(struct plan *plan, struct change *change)
{
    size_t max = change->len > GUEST_TEXT_MAX ? change->len : GUEST_TEXT_MAX;
    struct err err = ERR_NONE;
    struct stat st;
    int r = guest_read(plan->root, change->path, max, &change->old, &change->old_len, &err);

    if (r == -EFBIG)
        change->old = mem_strdup("");
    else if (r < 0) {
        *plan_failed(plan) = err;
        return r;
    }
    if (guest_stat(plan->root, change->path, &st) == 0)
        change->secret = !(st.st_mode & S_IROTH);
    return r == -EFBIG || change->len != change->old_len ||
           memcmp(change->data, change->old, change->len) != 0;
}

void plan_write_file(struct plan *plan, const char *path, const void *data, size_t len,
                     const struct guest_attr *attr, const char *reason)
{
    CLEANUP_FREE char *real = plan_real_path(plan, path);
    struct change *change, *write;
    bool in_guest;

    if (!real) {
        (void)err_set(plan_failed(plan), ELOOP, "write %s", path);
        return;
    }
    change = plan_find_content(plan, real);
    if (change && change->action == CHANGE_WRITE) {
        if (change->len == len && memcmp(change->data, data, len) == 0)
            return;
        set_data(change, data, len);
        change_add_reason(change, reason);
        if (change->old && change->old_len == change->len &&
            memcmp(change->old, change->data, change->len) == 0)
            plan_drop_change(plan, change);
        return;
    }
    make_way(plan, real);
    in_guest = guest_has(plan, real, S_IFREG);
    if (!in_guest)
        add_parent(plan, real, reason);
    write = plan_add_change(plan, CHANGE_WRITE, real, reason);
    set_data(write, data, len);
    write->attr = *attr;
    write->secret = !(attr->mode & S_IROTH);
    if (in_guest && compare_with_guest(plan, write) <= 0)
        plan_drop_change(plan, write);
}

void plan_write_noted(struct plan *plan, const char *path, const void *data, size_t len,
                      const char *note, const char *reason)
{
    static const struct guest_attr attr = { .mode = 0644 };
    CLEANUP_FREE char *real = plan_real_path(plan, path);
    struct change *change;

    plan_write_file(plan, path, data, len, &attr, reason);
    change = real ? plan_find(plan, real, CHANGE_WRITE) : NULL;
    if (!change)
        return;
    free(change->note);
    change->note = mem_strdup(note);
}

void plan_write(struct plan *plan, const char *path, const char *text, const char *reason)
{
    plan_write_new(plan, path, text, 0644, reason);
}

void plan_write_new(struct plan *plan, const char *path, const char *text, mode_t mode,
                    const char *reason)
{
    const struct guest_attr attr = { .mode = mode };

    plan_write_file(plan, path, text, strlen(text), &attr, reason);
}

void plan_append(struct plan *plan, const char *path, const void *data, size_t len,
                 const char *note, const char *reason)
{
    CLEANUP_FREE char *real = plan_real_path(plan, path);
    struct change *change = real ? plan_find(plan, real, CHANGE_APPEND) : NULL;

    if (len == 0)
        return;
    if (!real) {
        (void)err_set(plan_failed(plan), ELOOP, "append to %s", path);
        return;
    }
    if (change) {
        change->data = mem_realloc(change->data, change->len + len + 1);
        memcpy(change->data + change->len, data, len);
        change->len += len;
        change->data[change->len] = '\0';
        change_add_reason(change, reason);
        return;
    }
    change = plan_add_change(plan, CHANGE_APPEND, real, reason);
    set_data(change, data, len);
    change->note = mem_strdup(note);
}

void plan_copy(struct plan *plan, const char *from, const char *to, const char *reason)
{
    CLEANUP_FREE char *source = plan_real_path(plan, from);
    CLEANUP_FREE char *real = plan_real_path(plan, to);
    struct change *change;
    struct stat st;

    if (!source || !real || plan_find_content(plan, source)) {
        (void)err_set(plan_failed(plan), EINVAL, "copy %s to %s", from, to);
        return;
    }
    if (guest_stat(plan->root, source, &st) < 0 || !S_ISREG(st.st_mode)) {
        (void)err_set(plan_failed(plan), ENOENT, "copy %s to %s", from, to);
        return;
    }
    make_way(plan, real);
    add_parent(plan, real, reason);
    change = plan_add_change(plan, CHANGE_COPY, real, reason);
    set_data(change, source, strlen(source));
    change->attr =
        (struct guest_attr){ .mode = st.st_mode & 07777, .uid = st.st_uid, .gid = st.st_gid };
    change->note = mem_printf("%lld bytes of %s", (long long)st.st_size, source);
}

void plan_remove(struct plan *plan, const char *path, const char *reason)
{
    CLEANUP_FREE char *at = plan_real_parent(plan, path);
    struct stat st;

    if (plan_find(plan, at, CHANGE_REMOVE) && !plan_find(plan, at, CHANGE_WRITE))
        return;
    drop_content(plan, at);
    if (guest_lstat(plan->root, at, &st) == 0)
        (void)plan_add_change(plan, CHANGE_REMOVE, at, reason);
}

void plan_link(struct plan *plan, const char *target, const char *path, const char *reason)
{
    CLEANUP_FREE char *at = plan_real_parent(plan, path);
    CLEANUP_FREE char *now = NULL;
    struct change *change;

    drop_content(plan, at);
    now = plan_link_at(plan, at);
    if (now && strcmp(now, target) == 0)
        return;
    add_parent(plan, at, reason);
    change = plan_add_change(plan, CHANGE_LINK, at, reason);
    set_data(change, target, strlen(target));
}

void plan_mkdir(struct plan *plan, const char *path, mode_t mode, const char *reason)
{
    const struct guest_attr attr = { .mode = mode };

    plan_mkdir_as(plan, path, &attr, reason);
}

void plan_mkdir_as(struct plan *plan, const char *path, const struct guest_attr *attr,
                   const char *reason)
{
    CLEANUP_FREE char *real = plan_real_path(plan, path);

    if (!real) {
        (void)err_set(plan_failed(plan), ELOOP, "make folder %s", path);
        return;
    }
    if (guest_is_dir(plan->root, real) || plan_find(plan, real, CHANGE_MKDIR))
        return;
    plan_add_change(plan, CHANGE_MKDIR, real, reason)->attr = *attr;
}

void plan_chmod(struct plan *plan, const char *path, mode_t mode, const char *reason)
{
    CLEANUP_FREE char *real = plan_real_path(plan, path);
    struct change *change = real ? plan_find_content(plan, real) : NULL;
    struct stat st;

    if (!real)
        return;
    if (change && change->action != CHANGE_REMOVE && !change->old) {
        change->attr.mode = mode;
        return;
    }
    if (guest_stat(plan->root, real, &st) < 0 || (st.st_mode & 07777) == (mode & 07777))
        return;
    change = plan_find(plan, real, CHANGE_CHMOD);
    if (!change)
        change = plan_add_change(plan, CHANGE_CHMOD, real, reason);
    change->attr.mode = mode;
}

void plan_patch(struct plan *plan, const char *volume, const struct patch *patch, const char *note,
                const char *reason)
{
    struct change *change;

    if (memcmp(patch->old, patch->bytes, patch->len) == 0)
        return;
    change = plan_add_change(plan, CHANGE_PATCH, volume, reason);
    set_data(change, patch->bytes, patch->len);
    change->old = mem_dup(patch->old, patch->len);
    change->old_len = patch->len;
    change->at = patch->at;
    change->note = mem_strdup(note);
}

struct run *plan_run(struct plan *plan, const char *path, const char *reason)
{
    CLEANUP_FREE char *real = plan_real_path(plan, path);
    struct change *change = plan_add_change(plan, CHANGE_RUN, real ? real : path, reason);

    change->run = mem_alloc(sizeof(*change->run));
    return change->run;
}

bool plan_runs(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n; i++)
        if (plan->changes[i].action == CHANGE_RUN)
            return true;
    return false;
}

void plan_note(struct plan *plan, const char *fmt, ...)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *line = NULL;
    va_list args;

    va_start(args, fmt);
    text = mem_vprintf(fmt, args);
    va_end(args);
    line = mem_printf("%s: %s", plan->fixer, text);
    if (plan->notes.n < NOTES_MAX && !strlist_has(&plan->notes, line))
        strlist_add(&plan->notes, line);
    else if (plan->notes.n == NOTES_MAX)
        strlist_add(&plan->notes, "there is more to say than fits here");
}
