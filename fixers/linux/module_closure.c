/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/module_closure.h"

#include <stdlib.h>
#include <string.h>

void kernel_modules_done(struct kernel_modules *modules)
{
    modules_dep_done(&modules->dep);
    strlist_done(&modules->builtin);
    free(modules->softdep);
}

enum module_kind module_kind(const struct kernel_modules *modules, const char *name)
{
    if (modules_builtin_has(&modules->builtin, name))
        return MODULE_BUILTIN;
    return modules_dep_find(&modules->dep, name) ? MODULE_LOADABLE : MODULE_ABSENT;
}

/* Put @module on the list of those to look through. */
static void visit(struct strlist *seen, const struct module_dep *module)
{
    if (module && !strlist_has(seen, module->path))
        strlist_add(seen, module->path);
}

static void visit_name(const struct kernel_modules *modules, struct strlist *seen, const char *name)
{
    if (!modules_builtin_has(&modules->builtin, name))
        visit(seen, modules_dep_find(&modules->dep, name));
}

/* @have holds the file, or one of the same module at another place. */
static bool is_there(const struct strlist *have, const struct module_dep *module)
{
    for (size_t i = 0; i < have->n; i++)
        if (module_path_is(have->items[i], module->name))
            return true;
    return false;
}

void module_closure(const struct kernel_modules *modules, const char *const *wanted,
                    size_t n_wanted, const struct strlist *have, struct strlist *ret)
{
    struct strlist seen = { 0 };

    for (size_t i = 0; i < n_wanted; i++)
        visit_name(modules, &seen, wanted[i]);
    for (size_t i = 0; i < seen.n; i++) {
        const struct module_dep *module = modules_dep_find_path(&modules->dep, seen.items[i]);
        struct strlist soft = { 0 };

        if (!module)
            continue;
        for (size_t j = 0; j < module->needs.n; j++)
            visit(&seen, modules_dep_find_path(&modules->dep, module->needs.items[j]));
        if (modules->softdep)
            modules_softdep_of(modules->softdep, modules->softdep_len, module->name, &soft);
        for (size_t j = 0; j < soft.n; j++)
            visit_name(modules, &seen, soft.items[j]);
        strlist_done(&soft);
        if (!is_there(have, module))
            strlist_add(ret, module->path);
    }
    strlist_sort(ret);
    strlist_done(&seen);
}

void module_load_order(const struct kernel_modules *modules, const char *const *wanted,
                       size_t n_wanted, struct strlist *ret)
{
    for (size_t i = 0; i < n_wanted; i++) {
        const struct module_dep *module = module_kind(modules, wanted[i]) == MODULE_LOADABLE
                                              ? modules_dep_find(&modules->dep, wanted[i])
                                              : NULL;

        /* depmod(8) writes what must be loaded first at the end */
        for (size_t j = module ? module->needs.n : 0; j > 0; j--)
            if (!strlist_has(ret, module->needs.items[j - 1]))
                strlist_add(ret, module->needs.items[j - 1]);
        if (module && !strlist_has(ret, module->path))
            strlist_add(ret, module->path);
    }
}
