/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounting and releasing one file system. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "storage/fsfeatures.h"
#include "storage/mtree.h"

#define BUSY_WAIT_MS 1000 /* how long a file system may stay busy after its last user */

/* ---- mounting ---- */

static size_t add_options(struct fsmount_option *to, const struct fsmount_option *from)
{
    size_t n = 0;

    for (size_t i = 0; i < FSTYPE_OPTIONS_MAX && from[i].key; i++)
        to[n++] = from[i];
    return n;
}

static size_t add_btrfs_options(struct fsmount_option *to, const struct btrfs_use *use,
                                const struct mount_opts *opts, const char *id)
{
    size_t n = 0;

    if (opts->subvol)
        to[n++] = (struct fsmount_option){ "subvol", opts->subvol };
    else if (opts->subvolid)
        to[n++] = (struct fsmount_option){ "subvolid", id };
    for (size_t i = 1; i < btrfs_use_n_nodes(use); i++)
        to[n++] = (struct fsmount_option){ "device", btrfs_use_node(use, i) };
    return n;
}

/* A root that its own tools replace instead of changing it may still be repaired. What else may not
 * be written (snapshots) stays so. */
static int make_writable(struct branch *branch, struct err *err)
{
    bool was = true;
    int r = 0;

    if (branch->btrfs && !branch->read_only && strcmp(branch->target, "/") == 0)
        r = btrfs_set_writable(branch->fd, true, &was, err);
    branch->restore_read_only = r == 0 && !was;
    return r;
}

/* The kernel says "invalid argument" of what it does not know. */
static int explain_refusal(const struct branch *branch, const struct volume *volume,
                           struct err *err)
{
    CLEANUP_FREE char *missing =
        err->code == EINVAL ? fsfeatures_missing_here(volume, branch->read_only) : NULL;

    if (!missing)
        return -err->code;
    (void)err_status(err, STATUS_HOST, "the running kernel cannot mount this %s: %s",
                     branch->fstype->name, missing);
    err->code = EINVAL;
    return -EINVAL;
}

static int by_kernel(struct branch *branch, const struct mount_opts *opts, struct err *err)
{
    size_t n_nodes = branch->btrfs ? btrfs_use_n_nodes(branch->btrfs) : 0;
    CLEANUP_FREE struct fsmount_option *options =
        mem_alloc((FSTYPE_OPTIONS_MAX + 1 + n_nodes) * sizeof(*options));
    CLEANUP_FREE char *id = mem_printf("%llu", (unsigned long long)opts->subvolid);
    const struct fstype *fstype = branch->fstype;
    int r;
    struct fsmount_opts mount = {
        .type = fstype->driver,
        .source = branch->node,
        .read_only = branch->read_only,
        .lenient = fstype->lenient,
        .options = options,
    };

    mount.n_options = add_options(options, branch->read_only ? fstype->read : fstype->write);
    if (branch->btrfs)
        mount.n_options += add_btrfs_options(options + mount.n_options, branch->btrfs, opts, id);
    r = fsmount_new(&mount, &branch->fd, err);
    if (r == 0 && branch->btrfs)
        r = btrfs_use_check(branch->btrfs, branch->fd, err);
    return r < 0 ? r : make_writable(branch, err);
}

void branch_stay_read_only(struct branch *branch, const char *why)
{
    branch->read_only = true;
    free(branch->why_read_only);
    branch->why_read_only = mem_strdup(why);
}

/* A server that finds something amiss falls back to reading, and says why first. */
static int check_fallback(struct branch *branch, struct err *err)
{
    CLEANUP_FREE char *said = NULL;
    CLEANUP_FREE char *why = NULL;
    struct statvfs fs;

    if (branch->read_only)
        return 0;
    if (fstatvfs(branch->fd, &fs) < 0)
        return err_set(err, errno, "look at the file system");
    if (!(fs.f_flag & ST_RDONLY))
        return 0;
    said = fsserver_words(&branch->server);
    why = mem_printf("%s: %.*s", branch->fstype->program, (int)strcspn(said, "\n"), said);
    branch_stay_read_only(branch, why);
    return 0;
}

static int by_program(const struct mtree *tree, struct branch *branch, struct err *err)
{
    const struct fstype *fstype = branch->fstype;
    const struct fsserver_opts opts = {
        .program = fstype->program,
        .options = branch->read_only ? fstype->program_read : fstype->program_write,
        .node = branch->node,
    };
    int r = fsserver_start(tree->stack->session, &opts, &branch->server, &branch->fd, err);

    return r < 0 ? r : check_fallback(branch, err);
}

/* Does a program do what the kernel has no driver for? */
static int check_program(const struct fstype *fstype, bool read_only, struct err *err)
{
    if (!fstype->program || !exec_have(fstype->program))
        return err_status(err, STATUS_HOST,
                          "the running kernel has no driver for %s (module %s)%s%s: load or "
                          "install one of them",
                          fstype->name, fstype->driver,
                          fstype->program ? " and there is no program " : "",
                          fstype->program ? fstype->program : "");
    if (!read_only && !fstype->program_writes)
        return err_status(err, STATUS_HOST,
                          "%s can be written with the kernel's driver only (module %s)",
                          fstype->name, fstype->driver);
    return 0;
}

static int without_driver(const struct mtree *tree, struct branch *branch,
                          const struct volume *volume, struct err *err)
{
    const struct fstype *fstype = branch->fstype;
    int r = check_program(fstype, branch->read_only, err);

    if (r < 0)
        return r;
    if (fstype->without_driver == FSTYPE_BY_PROGRAM)
        return by_program(tree, branch, err);
    r = staging_load(branch->node, volume->size_bytes, &branch->fd, &branch->staging, err);
    if (r == 0 && branch->read_only)
        (void)fsmount_make_read_only(branch->fd); /* what is written there goes nowhere anyway */
    return r;
}

/* What the kernel's driver refuses to write can still be read. */
static int by_driver(struct branch *branch, const struct mount_opts *opts, struct err *err)
{
    struct err one = ERR_NONE;
    char text[2 * ERR_TEXT];
    int r;

    if (branch->read_only)
        return by_kernel(branch, opts, err);
    r = by_kernel(branch, opts, &one);
    if (r == 0 || r == -EINTR) {
        *err = one;
        return r;
    }
    branch_stay_read_only(branch, err_text(&one, text, sizeof(text)));
    return by_kernel(branch, opts, err);
}

/*
 * NTFS: the driver replays a log that is not clean, the program can only throw it away. To the
 * program all other writing is left: it is the older of the two by far, and it is the same on
 * every kernel.
 */
static int program_or_driver(const struct mtree *tree, struct branch *branch,
                             const struct mount_opts *opts, struct err *err)
{
    const struct fstype *fstype = branch->fstype;
    bool has_driver = fsmount_have(fstype->driver) != -ENODEV;
    int r;

    if (!has_driver && !branch->read_only && branch->was_dirty)
        branch_stay_read_only(branch, "its log holds changes that were not finished, and only the "
                                      "kernel's driver (module ntfs3) finishes them: load it, or "
                                      "start Windows and shut it down");
    if (has_driver && (branch->read_only || branch->was_dirty || !exec_have(fstype->program)))
        return by_driver(branch, opts, err);
    r = check_program(fstype, branch->read_only, err);
    return r < 0 ? r : by_program(tree, branch, err);
}

int branch_mount(struct mtree *tree, struct branch *branch, struct volume *volume,
                 const struct mount_opts *opts, struct err *err)
{
    const char *node = NULL;
    int r = 0;

    if (strcmp(branch->fstype->name, "btrfs") == 0) {
        r = btrfs_use_begin(tree->stack, volume, &branch->btrfs, err);
        node = r == 0 ? btrfs_use_node(branch->btrfs, 0) : NULL;
    } else {
        r = volume_node(tree->stack, volume, &node, err);
    }
    if (r < 0)
        return r;
    branch->node = mem_strdup(node);
    if (branch->fstype->without_driver == FSTYPE_BY_PROGRAM)
        return program_or_driver(tree, branch, opts, err);
    if (fsmount_have(branch->fstype->driver) == -ENODEV)
        return without_driver(tree, branch, volume, err);
    r = by_kernel(branch, opts, err);
    return r < 0 ? explain_refusal(branch, volume, err) : 0;
}

/* ---- releasing ---- */

/* A busy file system is waited for, then detached, so that what lies below can go later. */
static int unmount(const char *path, struct err *err)
{
    uint64_t end = io_now_ms() + BUSY_WAIT_MS;

    for (;;) {
        if (umount2(path, UMOUNT_NOFOLLOW) == 0)
            return 0;
        if (errno != EBUSY || io_now_ms() >= end)
            break;
        (void)poll(NULL, 0, 10);
    }
    (void)err_set(err, errno, "unmount %s", path);
    (void)umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH);
    return -err->code;
}

int branch_release(struct branch *branch, struct err *err)
{
    struct err other = ERR_NONE;
    bool unused;
    int r = 0, r2;

    staging_free(branch->staging);
    if (branch->fd >= 0 && branch->restore_read_only)
        r = btrfs_set_writable(branch->fd, false, &unused, err);
    if (branch->fd >= 0)
        (void)close(branch->fd);
    if (branch->path) {
        r2 = unmount(branch->path, r < 0 ? &other : err);
        if (r == 0)
            r = r2;
    }
    /* one that is still mounted somewhere does not end by itself */
    r2 = fsserver_end(&branch->server, branch->path && r == 0 && !branch->read_only,
                      r < 0 ? &other : err);
    if (r == 0)
        r = r2;
    btrfs_use_end(branch->btrfs);
    if (r < 0)
        r = err_wrap(err, "release %s", branch->target);
    free(branch->path);
    free(branch->node);
    free(branch->target);
    free(branch->why_read_only);
    *branch = (struct branch)BRANCH_NONE;
    return r;
}

int mount_check(const char *fstype, bool read_only, struct err *err)
{
    const struct fstype *found = fstype_find(fstype);
    CLEANUP_FREE char *needs = NULL;

    if (!found) {
        needs = fstype_needs(fstype);
        return err_status(err, STATUS_FAILED,
                          "h2k does not mount file systems of type \"%s\": that takes %s", fstype,
                          needs);
    }
    return fsmount_have(found->driver) == 0 ? 0 : check_program(found, read_only, err);
}

enum mount_support mount_support(const char *fstype, bool read_only)
{
    const struct fstype *found = fstype_find(fstype);
    struct err err = ERR_NONE;

    if (mount_check(fstype, read_only, &err) < 0)
        return MOUNT_NONE;
    if (fsmount_have(found->driver) == 0)
        return MOUNT_KERNEL;
    return found->without_driver == FSTYPE_STAGED ? MOUNT_STAGED : MOUNT_FUSE;
}
