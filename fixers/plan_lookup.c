/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/plan_lookup.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/upcase.h"

#define LINK_HOPS 40 /* as the kernel's own limit */

/* "/a//b/./c/../d/" -> "/a/b/d": only for text behind the last folder that exists. */
static char *normalise(const char *path)
{
    struct strbuf out = { 0 };

    strbuf_puts(&out, "");
    while (*path) {
        size_t len;

        path += strspn(path, "/");
        len = strcspn(path, "/");
        if (len == 2 && strncmp(path, "..", 2) == 0) {
            char *slash = out.data ? strrchr(out.data, '/') : NULL;

            out.len = slash ? (size_t)(slash - out.data) : 0;
            if (out.data)
                out.data[out.len] = '\0';
        } else if (len > 0 && !(len == 1 && *path == '.')) {
            strbuf_putc(&out, '/');
            strbuf_add(&out, path, len);
        }
        path += len;
    }
    if (out.len == 0)
        strbuf_putc(&out, '/');
    return strbuf_take(&out);
}

/* How a change of the plan spells @path; @len bytes of that are canonical. NULL: none is there. */
static char *planned_spelling(const struct plan *plan, const char *path, size_t len)
{
    size_t name_len = strlen(path + len);

    for (size_t i = 0; i < plan->n; i++) {
        const char *other = plan->changes[i].path;

        if (strncmp(other, path, len) != 0 || other[len] != '/')
            continue;
        if (upcase_equal_n(other + len + 1, strcspn(other + len + 1, "/"), path + len + 1,
                           name_len - 1))
            return mem_printf("%.*s%.*s", (int)len, path, (int)strcspn(other + len + 1, "/") + 1,
                              other + len);
    }
    return NULL;
}

/* Name by name as the guest or else the plan spells it; what neither has stays as it is. */
static char *spell(const struct plan *plan, char *path)
{
    CLEANUP_FREE char *whole = path;
    CLEANUP_FREE char *at = mem_strdup("");

    if (!guest_root_ignores_case(plan->root) || strcmp(path, "/") == 0)
        return TAKE(whole);
    for (const char *name = whole; *name; name += 1 + strcspn(name + 1, "/")) {
        CLEANUP_FREE char *asked = mem_printf("%s%.*s", at, (int)strcspn(name + 1, "/") + 1, name);
        char *found = guest_spelling(plan->root, asked);

        if (!found)
            found = planned_spelling(plan, asked, strlen(at));
        free(at);
        at = found ? found : TAKE(asked);
    }
    return TAKE(at);
}

static char *real_parent(const struct plan *plan, const char *path)
{
    CLEANUP_FREE char *head = mem_strdup(path);
    size_t end = strlen(head);

    while (end > 1 && head[end - 1] == '/')
        head[--end] = '\0';
    for (;;) {
        char *slash = strrchr(head, '/');
        CLEANUP_FREE char *real = NULL;
        CLEANUP_FREE char *joined = NULL;
        struct err err = ERR_NONE;

        if (!slash || slash == head)
            return normalise(path);
        *slash = '\0';
        if (guest_real_path(plan->root, head, &real, &err) < 0)
            continue;
        joined = mem_printf("%s%s", real, path + (slash - head));
        return normalise(joined);
    }
}

char *plan_real_parent(const struct plan *plan, const char *path)
{
    return spell(plan, real_parent(plan, path));
}

bool action_decides_content(enum change_action action)
{
    return action != CHANGE_APPEND && action != CHANGE_CHMOD && action != CHANGE_RUN &&
           action != CHANGE_PATCH && action != CHANGE_HIVE;
}

struct change *plan_find_content(const struct plan *plan, const char *path)
{
    for (size_t i = plan->n; i > 0; i--)
        if (action_decides_content(plan->changes[i - 1].action) &&
            strcmp(plan->changes[i - 1].path, path) == 0)
            return &plan->changes[i - 1];
    return NULL;
}

struct change *plan_find(const struct plan *plan, const char *path, enum change_action action)
{
    for (size_t i = plan->n; i > 0; i--)
        if (plan->changes[i - 1].action == action && strcmp(plan->changes[i - 1].path, path) == 0)
            return &plan->changes[i - 1];
    return NULL;
}

const struct change *plan_first_of_hive(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->n; i++)
        if (plan->changes[i].action == CHANGE_HIVE && strcmp(plan->changes[i].path, path) == 0)
            return &plan->changes[i];
    return NULL;
}

char *plan_link_at(const struct plan *plan, const char *path)
{
    const struct change *change = plan_find_content(plan, path);
    struct err err = ERR_NONE;
    char *target = NULL;

    if (change)
        return change->action == CHANGE_LINK ? mem_strdup(change->data) : NULL;
    return guest_readlink(plan->root, path, &target, &err) < 0 ? NULL : target;
}

char *plan_real_path(const struct plan *plan, const char *path)
{
    CLEANUP_FREE char *at = plan_real_parent(plan, path);

    for (int hops = 0; hops < LINK_HOPS; hops++) {
        CLEANUP_FREE char *target = plan_link_at(plan, at);
        CLEANUP_FREE char *next = NULL;

        if (!target)
            return TAKE(at);
        if (target[0] == '/')
            next = mem_strdup(target);
        else
            next = mem_printf("%.*s/%s", (int)(strrchr(at, '/') - at), at, target);
        free(at);
        at = plan_real_parent(plan, next);
    }
    return NULL;
}
