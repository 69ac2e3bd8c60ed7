/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which module files an initramfs lacks so that certain drivers can be loaded from it. */
#ifndef H2K_FIXERS_LINUX_MODULE_CLOSURE_H
#define H2K_FIXERS_LINUX_MODULE_CLOSURE_H

#include "inspect/modules_dep.h"

struct kernel_modules {
    struct modules_dep dep;
    struct strlist builtin;
    char *softdep; /* text of modules.softdep, NULL when there is none */
    size_t softdep_len;
};

void kernel_modules_done(struct kernel_modules *modules);

enum module_kind { MODULE_ABSENT, MODULE_BUILTIN, MODULE_LOADABLE };

enum module_kind module_kind(const struct kernel_modules *modules, const char *name);

/*
 * Paths (sorted, each once) of the modules that @wanted needs and that are not in @have: themselves
 * if they are loadable, all that modules.dep names, and what softdeps name and exists. Built-in and
 * unknown names in @wanted add nothing. A module in @have is looked through as well: what it needs
 * may be missing.
 */
void module_closure(const struct kernel_modules *modules, const char *const *wanted,
                    size_t n_wanted, const struct strlist *have, struct strlist *ret);

/* Paths of the loadable modules of @wanted and of what modules.dep says they need, each once, in an
 * order in which insmod can load them. */
void module_load_order(const struct kernel_modules *modules, const char *const *wanted,
                       size_t n_wanted, struct strlist *ret);

#endif
