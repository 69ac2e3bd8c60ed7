/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of several systems is meant. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/strbuf.h"
#include "inspect/inspect.h"

static struct system *choose_auto(struct system *systems, size_t n)
{
    struct system *found = NULL;

    if (n == 1)
        return systems;
    for (size_t i = 0; i < n; i++) {
        if (!systems[i].is_boot_default)
            continue;
        if (found)
            return NULL;
        found = &systems[i];
    }
    return found;
}

static struct system *choose_first(struct system *systems, size_t n)
{
    return n > 0 ? systems : NULL;
}

static struct system *choose_single(struct system *systems, size_t n)
{
    return n == 1 ? systems : NULL;
}

static const struct {
    const char *name;
    struct system *(*choose)(struct system *systems, size_t n);
} choices[] = {
    { "auto", choose_auto },
    { "first", choose_first },
    { "single", choose_single },
};

static char *list_systems(const struct system *systems, size_t n)
{
    struct strbuf list = { 0 };

    for (size_t i = 0; i < n; i++)
        strbuf_printf(&list, "%s%s (%s)", i ? ", " : "", systems[i].facts->root,
                      systems[i].facts->product_name);
    return strbuf_take(&list);
}

int inspect_choose(struct system *systems, size_t n, const struct inspect_opts *opts,
                   struct system **ret, struct err *err)
{
    const char *wanted = opts->root ? opts->root : "auto";
    CLEANUP_FREE char *list = list_systems(systems, n);

    for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
        struct system *system;

        if (strcmp(choices[i].name, wanted) != 0)
            continue;
        system = choices[i].choose(systems, n);
        if (!system)
            return err_status(err, STATUS_REFUSED,
                              "there are several systems, choose one with --root: %s", list);
        *ret = system;
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(systems[i].facts->root, wanted) == 0) {
            *ret = &systems[i];
            return 0;
        }
    }
    return err_status(err, STATUS_NO_OS, "there is no system on %s; found: %s", wanted, list);
}
