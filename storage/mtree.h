/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside of struct mtree, for the files that implement mount.h. */
#ifndef H2K_STORAGE_MTREE_H
#define H2K_STORAGE_MTREE_H

#include "storage/btrfs.h"
#include "storage/fsserver.h"
#include "storage/fstypes.h"
#include "storage/mount.h"
#include "storage/staging.h"

/* One mounted file system. It remembers what its release needs, because the stack may be gone by
 * then. */
struct branch {
    char *target; /* as it was asked for */
    char *path;   /* where it is mounted, as this namespace sees it; NULL: not (any more) */
    char *beside; /* our folder that it is mounted on; NULL: a folder of the tree */
    char *node;   /* block device; of a btrfs over several, the first */
    const struct fstype *fstype;
    int fd; /* O_PATH of its root, -1 once it is released */
    bool read_only;
    char *why_read_only; /* though it was to be written; NULL: it was not, or is */
    bool was_dirty;
    struct btrfs_use *btrfs; /* NULL: it is no btrfs */
    bool restore_read_only;  /* its subvolume may not be written otherwise */
    struct staging *staging; /* NULL: it is the real thing */
    struct fsserver server;  /* of a file system in user space */
};

#define BRANCH_NONE                                                                                \
    {                                                                                              \
        .fd = -1, .server = FSSERVER_NONE                                                          \
    }

struct mtree {
    unsigned refs; /* the caller's, and one for each step on the undo stack */
    struct stack *stack;
    char *dir; /* the mount point of "/" */
    struct guest_root *root;
    struct guest_root *whole; /* of what the root is a folder of; NULL: it is the whole */
    size_t n_whole;           /* branches that lie below that folder's */
    struct branch *branches;
    size_t n_branches;
};

/* The branch at @target, NULL when nothing is mounted there. */
struct branch *mtree_branch(const struct mtree *tree, const char *target);

/* Mount @volume, of branch->fstype, detached: branch->fd and branch->node. */
int branch_mount(struct mtree *tree, struct branch *branch, struct volume *volume,
                 const struct mount_opts *opts, struct err *err);

/* Mount it read-only though it was to be written. */
void branch_stay_read_only(struct branch *branch, const char *why);

/* Unmount and forget the device; goes on after a failure. */
int branch_release(struct branch *branch, struct err *err);

#endif
