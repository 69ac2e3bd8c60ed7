/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * btrfs file systems as sets of devices. The kernel knows a file system by its uuid: it puts
 * together what was ever scanned with that uuid, whatever machine it belongs to. So the devices of
 * one are named when it is mounted, only one copy of it is mounted at a time, and its devices are
 * forgotten afterwards.
 */
#ifndef H2K_STORAGE_BTRFS_H
#define H2K_STORAGE_BTRFS_H

#include "storage/volume.h"

/* fs/btrfs, struct btrfs_super_block, as far as it matters here. */
struct btrfs_super {
    uint8_t fsid[16], device_uuid[16];
    uint64_t generation;
    uint64_t n_devices; /* of the file system */
    uint64_t devid;     /* of this one */
    uint64_t log_root;  /* not 0: a log tree waits for replay */
};

/* 0; -EIO when it cannot be read, -EINVAL when there is none. */
int btrfs_super_read(const struct volume *volume, struct btrfs_super *ret);

/* The devices of one file system, as indexes into stack->volumes. */
struct btrfs_set {
    size_t *members; /* by device number: the first one stands for the file system */
    size_t n;
};
void btrfs_set_done(struct btrfs_set *set);
#define CLEANUP_BTRFS_SET __attribute__((cleanup(btrfs_set_done)))

/* All devices of the file system that @volume is one of. 0, or negative errno and *err: some are
 * missing, or there are copies (STATUS_REFUSED). */
int btrfs_find_set(const struct stack *stack, const struct volume *volume, struct btrfs_set *ret,
                   struct err *err);

/* The device that stands for the file system that @volume is one of: itself when there is no other,
 * or when it is no btrfs. */
const struct volume *btrfs_lead(const struct stack *stack, const struct volume *volume);

/* Say of each device of an incomplete file system why it cannot be mounted, and what must not be
 * written. For when all volumes are known. */
void btrfs_check_sets(struct stack *stack);

/* A file system that is mounted, or about to be: one for all its mounts. */
struct btrfs_use;

/*
 * Get the devices ready: nodes for all, recorded for cleanup. No other run may have a file system
 * of this uuid mounted where the kernel could mix them; another run of h2k is waited for.
 * STATUS_REFUSED when it is mounted already, STATUS_TEMPORARY when the wait was too long.
 * btrfs_use_end() comes after the unmount, also after a mount that failed.
 */
int btrfs_use_begin(struct stack *stack, struct volume *volume, struct btrfs_use **ret,
                    struct err *err);
void btrfs_use_end(struct btrfs_use *use);

size_t btrfs_use_n_nodes(const struct btrfs_use *use);
const char *btrfs_use_node(const struct btrfs_use *use, size_t i);

/*
 * Set whether the subvolume that is mounted at @fd may be written; *ret_was: whether it could be.
 * Systems that are updated as a whole (MicroOS) start from a subvolume that may not.
 */
int btrfs_set_writable(int fd, bool writable, bool *ret_was, struct err *err);

/* Is what was mounted at @fd made of these devices, and no others? 0, or STATUS_REFUSED. */
int btrfs_use_check(const struct btrfs_use *use, int fd, struct err *err);

#endif
