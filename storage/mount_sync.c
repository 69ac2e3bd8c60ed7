/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing back and trimming what is mounted. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "storage/mtree.h"

static int open_branch(const struct branch *branch, struct err *err)
{
    int fd = openat(branch->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? err_set(err, errno, "open %s", branch->target) : fd;
}

static int sync_branch(const struct branch *branch, struct err *err)
{
    CLEANUP_FD int fd = -1;

    if (branch->read_only)
        return 0;
    if (branch->staging)
        return staging_save(branch->staging, err);
    fd = open_branch(branch, err);
    if (fd < 0)
        return fd;
    if (syncfs(fd) < 0)
        return err_set(err, errno, "sync");
    /* a server has written to the device, but not everything is on it */
    return fsserver_sync(&branch->server, err);
}

int mtree_sync(struct mtree *tree, struct err *err)
{
    for (size_t i = 0; i < tree->n_branches; i++) {
        int r = sync_branch(&tree->branches[i], err);

        if (r < 0)
            return err_wrap(err, "write back the file system at %s", tree->branches[i].target);
    }
    return 0;
}

/* Subvolumes share their file system: once is enough. */
static bool is_first_of_node(const struct mtree *tree, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(tree->branches[i].node, tree->branches[index].node) == 0)
            return false;
    return true;
}

int mtree_trim(struct mtree *tree, uint64_t *ret_bytes, struct err *err)
{
    uint64_t total = 0;

    for (size_t i = 0; i < tree->n_branches; i++) {
        const struct branch *branch = &tree->branches[i];
        struct fstrim_range range = { .len = UINT64_MAX };
        CLEANUP_FD int fd = -1;

        if (branch->read_only || branch->staging || !is_first_of_node(tree, i))
            continue;
        fd = open_branch(branch, err);
        if (fd < 0)
            return fd;
        /* blocks freed in the running transaction would not be discarded */
        if (syncfs(fd) < 0)
            return err_set(err, errno, "sync the file system at %s", branch->target);
        if (ioctl(fd, FITRIM, &range) == 0) {
            total += range.len;
            continue;
        }
        if (errno != EOPNOTSUPP && errno != ENOTTY)
            return err_set(err, errno, "discard unused blocks at %s", branch->target);
        log_debug("%s: discard is not supported", branch->target);
    }
    *ret_bytes = total;
    return 0;
}
