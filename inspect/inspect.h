/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From volumes to facts: find the systems, mount one, look at it. */
#ifndef H2K_INSPECT_INSPECT_H
#define H2K_INSPECT_INSPECT_H

#include "inspect/facts.h"
#include "storage/mount.h"
#include "storage/volume.h"

struct inspect_opts {
    const char *root;   /* --root: "auto", "first", "single" or a guest name; NULL: auto */
    bool read_only;     /* true: no journal is replayed */
    bool with_packages; /* fill facts->packages */
    bool with_initrds;  /* look into every initramfs */
};

/* A kind of operating system that may be found on a file system. */
struct os_probe {
    const char *name; /* "linux" */
    enum os_family os;
    bool (*match)(const struct guest_root *root);
    int (*collect)(const struct guest_root *root, const struct inspect_opts *opts,
                   struct facts *facts, struct err *err);
};

/* A system that was found, mounted with all its file systems. */
struct system {
    struct facts *facts;
    struct mtree *tree;
};

/*
 * Find the systems in @stack. Each element of *ret has facts and no tree; with STATUS_NO_OS when
 * there is none. Free with systems_free().
 */
int inspect_find(struct stack *stack, const struct inspect_opts *opts, struct system **ret,
                 size_t *ret_n, struct err *err);

/* Choose one of them as --root says: STATUS_REFUSED and the list when it is not clear. */
int inspect_choose(struct system *systems, size_t n, const struct inspect_opts *opts,
                   struct system **ret, struct err *err);

/* Mount all of the system's file systems in fstab's order and collect all facts. */
int inspect_open(struct stack *stack, struct system *system, const struct inspect_opts *opts,
                 struct err *err);

void systems_free(struct system *systems, size_t n);

#endif
