/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One kernel's initramfs while its change is planned: shared by the parts of the fixer. */
#ifndef H2K_FIXERS_LINUX_INITRAMFS_WORK_H
#define H2K_FIXERS_LINUX_INITRAMFS_WORK_H

#include "fixers/fixer.h"
#include "fixers/linux/depmod_tree.h"
#include "fixers/linux/module_closure.h"
#include "fixers/linux/naming_files.h"
#include "fixers/linux/segment.h"

struct initrd_kind;

struct initramfs_work {
    const struct fix_context *ctx;
    struct plan *plan;
    const struct fact_kernel *kernel;
    const struct naming_files *naming;
    struct strlist *config; /* loadable drivers of all kernels, for the guest's own tool */
    struct kernel_modules modules;
    int fd;
    uint64_t size;
    const struct initramfs *found; /* the kernel's, or scanned */
    struct initramfs scanned;
    const struct initrd_kind *kind;
    char *prefix;           /* of modules in the archive */
    struct strlist missing; /* paths of modules that it lacks */
    struct strlist drivers; /* names of what a root on virtio needs, as far as it is loadable */
    struct strlist load;    /* paths of them and of what they need, in the order of loading */
    struct strlist renamed; /* configuration inside that gets UUIDs */
    struct strlist listed;  /* files inside that name drivers, and now virtio's */
    struct strlist gone;    /* devices that it would wait for in vain */
    struct segment segment;
    struct depmod_tree tree;
};

/* ---- what the kernel has (initramfs_modules.c) ---- */

/* A file of the kernel's modules folder: 1 and *ret_text, 0 when it is missing, or negative errno.
 */
int work_read_index(struct initramfs_work *work, const char *name, char **ret_text, size_t *ret_len,
                    struct err *err);

/* Fill work->modules. 1, 0 (with a note) when the kernel has no index of its modules, or negative
 * errno. */
int work_read_modules(struct initramfs_work *work, struct err *err);

/* Put the modules of work->missing and, for a tree of them, new indexes into the segment. */
int work_add_modules(struct initramfs_work *work, struct err *err);

/* Have the guest's own tool make the initramfs anew instead (rebuild.c): 1, or negative errno and
 * *err; STATUS_REFUSED when the guest has no tool that is known. */
int initramfs_plan_rebuild(struct initramfs_work *work, const char *reason, struct err *err);

/* The name that a module has in the archive: without the suffix of a compression when the others
 * there have none. Free it. */
char *work_name_inside(const struct initramfs_work *work, const char *path);

#endif
