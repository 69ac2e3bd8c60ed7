/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text files that depmod writes beside a kernel's modules: pure parsers, no I/O.
 *
 * modules.dep: "kernel/drivers/block/virtio_blk.ko.xz: kernel/drivers/virtio/virtio.ko.xz ...",
 * paths relative to the folder; those of module-init-tools begin with /lib/modules/VERSION/, which
 * is left out (other absolute ones occur for modules elsewhere). modules.builtin: one
 * path per line. modules.softdep: "softdep NAME pre: A B post: C".
 */
#ifndef H2K_INSPECT_MODULES_DEP_H
#define H2K_INSPECT_MODULES_DEP_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/mem.h"

#define MODULES_LINES_MAX 200000U

/* Is it the path of a module: NAME.ko, .ko.xz, .ko.zst or .ko.gz, relative, without "." and ".."
 * components or doubled slashes? */
bool module_path_ok(const char *path);

/* Is @path ("kernel/.../virtio_blk.ko.xz") the module @name? '-' and '_' are the same. */
bool module_path_is(const char *path, const char *name);

/* "virtio_blk" of "kernel/.../virtio-blk.ko.xz". Free it. */
char *module_path_name(const char *path);

struct module_dep {
    char *name; /* with '_' only */
    char *path;
    struct strlist needs; /* paths, as modules.dep has them */
};

struct modules_dep {
    struct module_dep *modules; /* sorted by name */
    size_t n;
};

/* Lines that are no module are left out. 0, or -EFBIG: more than MODULES_LINES_MAX lines. */
int modules_dep_parse(const char *text, size_t len, struct modules_dep *ret);
void modules_dep_done(struct modules_dep *dep);

/* NULL: no such module. */
const struct module_dep *modules_dep_find(const struct modules_dep *dep, const char *name);
const struct module_dep *modules_dep_find_path(const struct modules_dep *dep, const char *path);

/* Names ('_' only, sorted) of the modules that are built into the kernel. 0 or -EFBIG. */
int modules_builtin_parse(const char *text, size_t len, struct strlist *ret);

/* Does the list of modules_builtin_parse() have @name? */
bool modules_builtin_has(const struct strlist *builtin, const char *name);

/* What should be loaded before or after @name, by name ('_' only), according to the text of
 * modules.softdep; added to @ret. Names may be aliases or unknown modules. */
void modules_softdep_of(const char *text, size_t len, const char *name, struct strlist *ret);

#endif
