/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attach an image and keep its file system busy until an ending signal: something to kill.
 *
 *     attach_hold ro|rw|idle|outer BACKEND IMAGE
 *
 * The image is one ext4 without partition table. Says "ready" when it is mounted. With "idle" it is
 * mounted read-only and only held. With "outer" it is mounted for writing in the block server's
 * namespace, which h2k never does: killed, that server waits for itself for ever. Exit status: 0
 * after a signal, 1 when something failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/base/signals.h"
#include "engine/disk.h"
#include "engine/image.h"
#include "engine/session.h"

static int unmount(void *arg, struct err *err)
{
    int r = umount2(arg, 0) < 0 ? err_set(err, errno, "unmount %s", (char *)arg) : 0;

    free(arg);
    return r;
}

/* Dirty pages all the time, a journal commit now and then. */
static int work(const char *dir, bool read_only, unsigned round, struct err *err)
{
    static char block[65536];
    CLEANUP_FREE char *path = mem_printf("%s/file%u", dir, read_only ? 0 : round % 16);
    CLEANUP_FD int fd = open(path, read_only ? O_RDONLY : O_RDWR | O_CREAT | O_TRUNC, 0600);
    int r = 0;

    if (fd < 0)
        return err_set(err, errno, "open %s", path);
    for (unsigned i = 0; i < 8 && r == 0; i++)
        r = read_only ? io_pread_full(fd, block, sizeof(block), i * sizeof(block))
                      : io_write_full(fd, block, sizeof(block));
    if (read_only)
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    else if (r == 0 && round % 8 == 7 && fsync(fd) < 0)
        r = -errno;
    return r < 0 ? err_set(err, -r, "use %s", path) : 0;
}

struct target {
    const char *node;
    char *dir;
    bool read_only;
};

static int mount_here(void *arg, struct err *err)
{
    const struct target *target = arg;

    if (mkdir(target->dir, 0700) < 0 ||
        mount(target->node, target->dir, "ext4", target->read_only ? MS_RDONLY : 0,
              target->read_only ? "noload" : "") < 0)
        return err_set(err, errno, "mount %s", target->dir);
    return 0;
}

/* Busy in the outer namespace until it is killed. */
static int hold_outer(void *arg, struct err *err)
{
    const struct target *target = arg;
    int r = mount_here(arg, err);

    (void)printf("ready\n");
    (void)fflush(stdout);
    for (unsigned round = 0; r == 0; round++)
        r = work(target->dir, false, round, err);
    return r;
}

static int mount_it(struct session *session, struct target *target, struct err *err)
{
    int r = mount_here(target, err);

    if (r == 0)
        undo_push(session_undo(session), "mount", unmount, mem_strdup(target->dir));
    return r;
}

static int hold(struct session *session, struct image *image, const struct disk_opts *opts,
                const char *how, struct err *err)
{
    CLEANUP_FREE char *node = NULL;
    CLEANUP_FREE char *dir = mem_printf("%s/mnt", session_run_dir(session));
    struct target target = { .dir = dir, .read_only = opts->mode == DISK_READ_ONLY };
    struct disk *disk = NULL;
    int r = disk_attach(session, image, opts, &disk, err);

    if (r == 0)
        r = disk_map(session, disk, 0, 0, &node, err);
    target.node = node;
    if (r == 0 && strcmp(how, "outer") == 0)
        return session_in_outer(session, hold_outer, &target, err);
    if (r == 0)
        r = mount_it(session, &target, err);
    if (r < 0)
        return r;
    (void)printf("ready\n");
    (void)fflush(stdout);
    if (strcmp(how, "idle") == 0) {
        struct pollfd stop = { .fd = signals_fd(), .events = POLLIN };

        while (!signals_pending())
            (void)poll(&stop, 1, -1);
        return 0;
    }
    for (unsigned round = 0; r == 0 && !signals_pending(); round++)
        r = work(dir, target.read_only, round, err);
    /* ending takes a while, and needs the server */
    for (unsigned round = 0; r == 0 && round < 32; round++)
        r = work(dir, target.read_only, round, err);
    return r == 0 ? disk_sync(disk, err) : r;
}

int main(int argc, char **argv)
{
    struct image_opts image_opts = { 0 };
    struct disk_opts opts = { 0 };
    struct session *session = NULL;
    struct image *image = NULL;
    struct err err = ERR_NONE;
    char text[4096];
    bool failed;
    int r;

    if (argc != 4)
        return 2;
    opts.mode =
        strcmp(argv[1], "ro") == 0 || strcmp(argv[1], "idle") == 0 ? DISK_READ_ONLY : DISK_OVERLAY;
    opts.backend = argv[2];
    signals_init();
    r = image_open(argv[3], &image_opts, &image, &err);
    if (r == 0)
        r = session_open(NULL, &session, &err);
    if (r == 0)
        r = hold(session, image, &opts, argv[1], &err);
    if (r < 0)
        (void)fprintf(stderr, "%s\n", err_text(&err, text, sizeof(text)));
    failed = r < 0 && err.status < STATUS_SIGNAL;
    err_clear(&err);
    if (session_close(session, &err) < 0) {
        (void)fprintf(stderr, "%s\n", err_text(&err, text, sizeof(text)));
        failed = true;
    }
    image_free(image);
    return failed;
}
