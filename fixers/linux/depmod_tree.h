/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A private module tree of the host, indexed by the host's depmod: no code of the guest runs. */
#ifndef H2K_FIXERS_LINUX_DEPMOD_TREE_H
#define H2K_FIXERS_LINUX_DEPMOD_TREE_H

#include <stddef.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"

struct depmod_tree {
    char *base;    /* given to depmod -b */
    char *modules; /* base/lib/modules/VERSION */
    char *version;
    struct strlist paths;      /* all that was made, in that order: removed backwards */
    struct strlist modules_in; /* module files, relative to modules */
};

/* Make an empty tree below @work_dir. *ret is released with depmod_tree_done(), also after a
 * failure. -EINVAL when @version cannot be the name of a kernel's folder. */
int depmod_tree_init(struct depmod_tree *ret, const char *work_dir, const char *version,
                     struct err *err);

/* Removes the tree. */
void depmod_tree_done(struct depmod_tree *tree);
#define CLEANUP_DEPMOD_TREE __attribute__((cleanup(depmod_tree_done)))

/* Add a file at @path ("kernel/.../x.ko", "modules.order"), without "." and ".." components; a
 * second one of that name replaces the first. */
int depmod_tree_add(struct depmod_tree *tree, const char *path, const void *data, size_t len,
                    struct err *err);

/*
 * Run depmod. *ret_names: the index files it made ("modules.dep.bin"), sorted.
 * STATUS_HOST when the host's depmod is missing or does not see all the modules (it may have been
 * built without a compression that they use).
 */
int depmod_tree_run(struct depmod_tree *tree, struct strlist *ret_names, struct err *err);

/* Content of an index file. Free it. */
int depmod_tree_read(const struct depmod_tree *tree, const char *name, char **ret, size_t *ret_len,
                     struct err *err);

#endif
