/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A btrfs while it is mounted. */
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/base/signals.h"
#include "engine/btrfsdev.h"
#include "storage/btrfs.h"
#include "storage/fsfeatures.h"

#define LOCK_WAIT_MS 60000   /* for another run of h2k that has a copy mounted */
#define CLONES_SINCE_MAJOR 6 /* Linux 6.7 mounts copies of a single-device file system apart */
#define CLONES_SINCE_MINOR 7

struct btrfs_use {
    struct btrfs_use *next;
    unsigned refs; /* mounts */
    char *uuid;
    struct strlist nodes;   /* block devices; the first one is the name for this use */
    uint64_t *devids;       /* of each */
    struct strlist numbers; /* "MAJOR MINOR" of each, as they are recorded */
    struct session *session;
    int lock_fd; /* -1: copies do no harm */
};

static struct btrfs_use *uses; /* of this process */

static bool kernel_mounts_clones(void)
{
    unsigned major, minor;

    return fsfeatures_kernel(&major, &minor) &&
           (major > CLONES_SINCE_MAJOR ||
            (major == CLONES_SINCE_MAJOR && minor >= CLONES_SINCE_MINOR));
}

/* ---- one at a time ---- */

/* A name that the kernel frees with us. */
static int try_lock(int fd, const char *uuid)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int len = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "h2k-btrfs-%s", uuid);

    return bind(fd, (const struct sockaddr *)&address,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) < 0
               ? -errno
               : 0;
}

static int lock(struct btrfs_use *use, struct err *err)
{
    uint64_t end = io_now_ms() + LOCK_WAIT_MS;
    struct pollfd stop = { .fd = signals_fd(), .events = POLLIN };
    int r;

    use->lock_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (use->lock_fd < 0)
        return err_set(err, errno, "make a socket");
    for (;;) {
        r = try_lock(use->lock_fd, use->uuid);
        if (r != -EADDRINUSE || io_now_ms() >= end)
            break;
        if (signals_pending())
            return err_set(err, EINTR, "wait for another copy of the btrfs %s", use->uuid);
        (void)poll(&stop, 1, 50);
    }
    if (r == -EADDRINUSE)
        return err_status(err, STATUS_TEMPORARY,
                          "another run of h2k has a copy of the btrfs %s mounted: try again when "
                          "it has ended",
                          use->uuid);
    return r < 0 ? err_set(err, -r, "lock the btrfs %s", use->uuid) : 0;
}

static int check_unmounted(const struct btrfs_use *use, const struct volume *volume,
                           struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("/sys/fs/btrfs/%s", use->uuid);

    if (access(path, F_OK) < 0)
        return 0;
    return err_status(err, STATUS_REFUSED,
                      "the btrfs %s on %s is mounted already, and this kernel cannot tell two "
                      "%sfile systems with one uuid apart: unmount the other one first",
                      use->uuid, volume->name, use->nodes.n > 1 ? "such " : "");
}

/* ---- beginning and end ---- */

static int add_node(struct stack *stack, struct btrfs_use *use, struct volume *volume,
                    struct err *err)
{
    const char *node = NULL;
    size_t n = use->nodes.n;
    struct btrfs_super super;
    struct stat st;
    int r = volume_node(stack, volume, &node, err);

    if (r < 0)
        return r;
    if (!node || stat(node, &st) < 0)
        return err_set(err, errno, "stat %s", node);
    if (btrfs_super_read(volume, &super) < 0)
        return err_set(err, EIO, "read the superblock of %s", volume->name);
    *(uint64_t *)mem_add(&use->devids, &n, sizeof(uint64_t)) = super.devid;
    strlist_add(&use->nodes, node);
    strlist_take(&use->numbers, mem_printf("%u %u", major(st.st_rdev), minor(st.st_rdev)));
    return session_record(stack->session, "btrfs", use->numbers.items[use->numbers.n - 1], err);
}

static struct btrfs_use *find_use(const char *node)
{
    for (struct btrfs_use *use = uses; use; use = use->next)
        if (use->nodes.n > 0 && strcmp(use->nodes.items[0], node) == 0)
            return use;
    return NULL;
}

/* A guest with two copies: waiting for ourselves would not help. */
static int check_own(const struct btrfs_use *use, const struct volume *volume, struct err *err)
{
    for (const struct btrfs_use *other = uses; other; other = other->next)
        if (strcmp(other->uuid, use->uuid) == 0)
            return err_status(err, STATUS_REFUSED,
                              "%s is a copy of a btrfs of the guest that is mounted (%s), and this "
                              "kernel cannot tell them apart: leave the copy out",
                              volume->name, use->uuid);
    return 0;
}

static int prepare(struct stack *stack, const struct btrfs_set *set, struct btrfs_use *use,
                   struct err *err)
{
    bool apart = set->n == 1 && kernel_mounts_clones();
    int r = 0;

    for (size_t i = 0; i < set->n && r == 0; i++)
        r = add_node(stack, use, &stack->volumes[set->members[i]], err);
    if (r == 0 && !apart)
        r = check_own(use, &stack->volumes[set->members[0]], err);
    if (r == 0 && !apart)
        r = lock(use, err);
    if (r == 0 && !apart)
        r = check_unmounted(use, &stack->volumes[set->members[0]], err);
    return r;
}

int btrfs_use_begin(struct stack *stack, struct volume *volume, struct btrfs_use **ret,
                    struct err *err)
{
    CLEANUP_BTRFS_SET struct btrfs_set set = { 0 };
    const char *node = NULL;
    struct btrfs_use *use;
    int r = btrfs_find_set(stack, volume, &set, err);

    if (r == 0)
        r = volume_node(stack, &stack->volumes[set.members[0]], &node, err);
    if (r < 0)
        return r;
    use = node ? find_use(node) : NULL;
    if (!use) {
        use = mem_alloc(sizeof(*use));
        use->uuid = mem_strdup(volume->uuid);
        use->session = stack->session;
        use->lock_fd = -1;
        r = prepare(stack, &set, use, err);
        use->next = uses;
        uses = use;
    }
    use->refs++;
    if (r < 0)
        btrfs_use_end(use);
    else
        *ret = use;
    return r;
}

static void unlink_use(const struct btrfs_use *use)
{
    struct btrfs_use **at = &uses;

    while (*at != use)
        at = &(*at)->next;
    *at = use->next;
}

void btrfs_use_end(struct btrfs_use *use)
{
    if (!use || --use->refs > 0)
        return;
    for (size_t i = 0; i < use->nodes.n; i++)
        (void)btrfsdev_forget(use->nodes.items[i]);
    for (size_t i = 0; i < use->numbers.n; i++) {
        struct err ignored = ERR_NONE;

        (void)session_forget(use->session, "btrfs", use->numbers.items[i], &ignored);
    }
    unlink_use(use);
    if (use->lock_fd >= 0)
        (void)close(use->lock_fd);
    strlist_done(&use->nodes);
    strlist_done(&use->numbers);
    free(use->devids);
    free(use->uuid);
    free(use);
}

size_t btrfs_use_n_nodes(const struct btrfs_use *use)
{
    return use->nodes.n;
}

const char *btrfs_use_node(const struct btrfs_use *use, size_t i)
{
    return use->nodes.items[i];
}

/* ---- what was mounted ---- */

static bool is_node(const char *node, const char *path)
{
    struct stat own, st;

    return stat(node, &own) == 0 && stat(path, &st) == 0 && own.st_rdev == st.st_rdev;
}

int btrfs_use_check(const struct btrfs_use *use, int fd, struct err *err)
{
    CLEANUP_FD int dir = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct btrfs_ioctl_fs_info_args info = { 0 };

    if (dir < 0 || ioctl(dir, BTRFS_IOC_FS_INFO, &info) < 0)
        return err_set(err, errno, "ask which devices the btrfs %s has", use->uuid);
    for (size_t i = 0; i < use->nodes.n; i++) {
        struct btrfs_ioctl_dev_info_args device = { .devid = use->devids[i] };

        if (ioctl(dir, BTRFS_IOC_DEV_INFO, &device) < 0)
            return err_set(err, errno, "ask for a device of the btrfs %s", use->uuid);
        if (!is_node(use->nodes.items[i], (const char *)device.path))
            return err_status(err, STATUS_REFUSED,
                              "the kernel has put %s into the btrfs %s, which is no device of this "
                              "guest: another file system has its uuid",
                              (const char *)device.path, use->uuid);
    }
    return info.num_devices == use->nodes.n
               ? 0
               : err_status(err, STATUS_REFUSED,
                            "the kernel has put together %llu devices of the btrfs %s, but there "
                            "are %zu",
                            (unsigned long long)info.num_devices, use->uuid, use->nodes.n);
}

int btrfs_set_writable(int fd, bool writable, bool *ret_was, struct err *err)
{
    CLEANUP_FD int dir = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint64_t flags = 0;

    if (dir < 0 || ioctl(dir, BTRFS_IOC_SUBVOL_GETFLAGS, &flags) < 0)
        return err_set(err, errno, "ask whether the subvolume may be written");
    *ret_was = !(flags & BTRFS_SUBVOL_RDONLY);
    if (*ret_was == writable)
        return 0;
    flags ^= BTRFS_SUBVOL_RDONLY;
    if (ioctl(dir, BTRFS_IOC_SUBVOL_SETFLAGS, &flags) < 0)
        return err_set(err, errno, "make the subvolume %s", writable ? "writable" : "read-only");
    return 0;
}
