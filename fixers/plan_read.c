/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest as it will be once a plan is carried out. */
#include <errno.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/plan_lookup.h"

static int read_appended(const struct plan *plan, const char *path, char **ret_text,
                         size_t *ret_len, struct err *err)
{
    const struct change *append = plan_find(plan, path, CHANGE_APPEND);
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    int r = guest_read(plan->root, path, GUEST_TEXT_MAX, &text, &len, err);

    if (r < 0)
        return r;
    if (append) {
        text = mem_realloc(text, len + append->len + 1);
        memcpy(text + len, append->data, append->len);
        len += append->len;
        text[len] = '\0';
    }
    *ret_text = TAKE(text);
    *ret_len = len;
    return 0;
}

int plan_read(struct plan *plan, const char *path, char **ret_text, size_t *ret_len,
              struct err *err)
{
    CLEANUP_FREE char *real = plan_real_path(plan, path);
    const struct change *change;

    if (!real)
        return err_set(err, ELOOP, "read %s", path);
    change = plan_find_content(plan, real);
    if (!change)
        return read_appended(plan, real, ret_text, ret_len, err);
    if (change->action == CHANGE_COPY)
        return guest_read(plan->root, change->data, GUEST_TEXT_MAX, ret_text, ret_len, err);
    if (change->action == CHANGE_REMOVE)
        return err_set(err, ENOENT, "read %s", path);
    if (change->action != CHANGE_WRITE)
        return err_set(err, EINVAL, "read %s", path);
    *ret_text = mem_dup(change->data, change->len + 1);
    *ret_len = change->len;
    return 0;
}

int plan_read_text(struct plan *plan, const char *path, char **ret_text, struct err *err)
{
    /* what the guest's owner may have put there, as opposed to a disk that cannot be read */
    static const int odd[] = { EINVAL, EISDIR, ELOOP, EFBIG, ENXIO, EXDEV, ENAMETOOLONG, EACCES };
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    int r = plan_read(plan, path, &text, &len, err);

    if (r == -ENOENT || r == -ENOTDIR) {
        err_clear(err);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
        if (r != -odd[i])
            continue;
        err_clear(err);
        plan_note(plan, "%s is not a plain text file (%s); it stays as it is", path,
                  strerror(odd[i]));
        return 0;
    }
    if (r < 0)
        return r;
    if (strlen(text) != len) {
        plan_note(plan, "%s holds zero bytes; it stays as it is", path);
        return 0;
    }
    *ret_text = TAKE(text);
    return 1;
}

bool plan_exists(const struct plan *plan, const char *path)
{
    CLEANUP_FREE char *real = plan_real_path(plan, path);
    const struct change *change = real ? plan_find_content(plan, real) : NULL;

    if (change)
        return change->action != CHANGE_REMOVE;
    return real && guest_exists(plan->root, real);
}

char *plan_readlink(const struct plan *plan, const char *path)
{
    CLEANUP_FREE char *at = plan_real_parent(plan, path);

    return plan_link_at(plan, at);
}
