/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * File systems of the guest, mounted in the session's inner namespace: ext2/3/4, xfs, btrfs, vfat
 * and ntfs only, the type always named, always nosuid,nodev,noexec.
 */
#ifndef H2K_STORAGE_MOUNT_H
#define H2K_STORAGE_MOUNT_H

#include <stdbool.h>

#include "engine/base/err.h"
#include "engine/guest.h"
#include "storage/volume.h"

struct mount_opts {
    bool read_only;     /* no journal is replayed: noload, norecovery, nologreplay */
    const char *subvol; /* btrfs: path of the subvolume ("@"); NULL: see subvolid */
    uint64_t subvolid;  /* btrfs: its id; 0: the default one */
};

/* A tree of mounted file systems that together are a guest's "/". */
struct mtree;

int mtree_new(struct stack *stack, struct mtree **ret, struct err *err);

/*
 * Mount @volume at @target ("/", "/boot"), which is resolved inside the tree built so far; "/"
 * first. A vfat that the kernel cannot mount is served from a staged copy made with mtools.
 * An NTFS or vfat that Windows has not let go of (hibernated, marked dirty) is mounted read-only
 * whatever @opts say; see mtree_why_read_only().
 * 0, or negative errno and *err; STATUS_HOST when this kernel has no driver (the text names it).
 */
int mtree_mount(struct mtree *tree, struct volume *volume, const char *target,
                const struct mount_opts *opts, struct err *err);

/* Mount @volume where no file of the tree can be: below the name @name ("/SYSTEM:") of its root,
 * see guest_root_add_volume(). Synced, trimmed and released like the others. */
int mtree_mount_beside(struct mtree *tree, struct volume *volume, const char *name,
                       const struct mount_opts *opts, struct err *err);

/* Let the folder @source of the tree be seen at @target, too; @recursive: with what is mounted
 * below it. */
int mtree_bind(struct mtree *tree, const char *source, const char *target, bool recursive,
               struct err *err);

/*
 * From here on the tree's "/" is a folder of the file system that is mounted there: an ostree
 * deployment. The whole file system is seen at /sysroot, and its folder @var at /var, where the new
 * root has folders for them. Once, before anything else is mounted.
 */
int mtree_enter(struct mtree *tree, const char *folder, const char *var, struct err *err);

/* The tree's root, valid until mtree_release() or mtree_enter(). */
struct guest_root *mtree_root(const struct mtree *tree);

/* Why the file system at @target is read-only though it was to be written; NULL: it is as it was
 * asked for. Of NTFS and vfat only: others fail to mount then. */
const char *mtree_why_read_only(const struct mtree *tree, const char *target);

/* Was the journal of the file system mounted at @target unclean? (read-only mounts: it still is) */
bool mtree_was_dirty(const struct mtree *tree, const char *target);

/* Write staged copies back and sync every file system; errors matter here. */
int mtree_sync(struct mtree *tree, struct err *err);

/* Discard unused blocks of every file system mounted for writing (after mtree_sync()).
 * *ret_bytes: how much was trimmed. A file system that cannot is skipped. */
int mtree_trim(struct mtree *tree, uint64_t *ret_bytes, struct err *err);

/* Unmount everything, deepest first, and free @tree. NULL is fine. The session's undo stack does
 * the same on other ways out. */
int mtree_release(struct mtree *tree, struct err *err);

/* btrfs: ids, paths and the default of the subvolumes of the file system at @target. */
struct subvolume {
    uint64_t id;
    char *path; /* "@", "@/.snapshots/1/snapshot"; "" for the top level */
    bool is_default;
    bool read_only;
    bool is_snapshot; /* has a parent uuid */
};
int mtree_subvolumes(const struct mtree *tree, const char *target, struct subvolume **ret,
                     size_t *ret_n, struct err *err);
void subvolumes_free(struct subvolume *subvolumes, size_t n);

/* Can this host mount @fstype? 0, or negative errno and *err: STATUS_HOST and what would be needed,
 * STATUS_FAILED when h2k mounts no such file systems. */
int mount_check(const char *fstype, bool read_only, struct err *err);

/* And how? */
enum mount_support { MOUNT_NONE, MOUNT_KERNEL, MOUNT_STAGED, MOUNT_FUSE };
enum mount_support mount_support(const char *fstype, bool read_only);

#endif
