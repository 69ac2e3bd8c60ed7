/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attach an image and keep its file system busy until an ending signal: something to kill.
 *
 *     attach_hold ro|rw BACKEND IMAGE
 *
 * The image is one ext4 without partition table. Says "ready" when it is mounted. Exit status: 0
 * after a signal, 1 when something failed.
 */
#include <errno.h>
#include <fcntl.h>
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

static int mount_it(struct session *session, const char *node, bool read_only, char **ret,
                    struct err *err)
{
    char *dir = mem_printf("%s/mnt", session_run_dir(session));

    if (mkdir(dir, 0700) < 0 ||
        mount(node, dir, "ext4", read_only ? MS_RDONLY : 0, read_only ? "noload" : "") < 0)
        return err_set(err, errno, "mount %s", dir);
    undo_push(session_undo(session), "mount", unmount, mem_strdup(dir));
    *ret = dir;
    return 0;
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

static int hold(struct session *session, struct image *image, const struct disk_opts *opts,
                struct err *err)
{
    CLEANUP_FREE char *node = NULL;
    CLEANUP_FREE char *dir = NULL;
    struct disk *disk = NULL;
    bool read_only = opts->mode == DISK_READ_ONLY;
    int r = disk_attach(session, image, opts, &disk, err);

    if (r == 0)
        r = disk_map(session, disk, 0, 0, &node, err);
    if (r == 0)
        r = mount_it(session, node, read_only, &dir, err);
    if (r < 0)
        return r;
    (void)printf("ready\n");
    (void)fflush(stdout);
    for (unsigned round = 0; r == 0 && !signals_pending(); round++)
        r = work(dir, read_only, round, err);
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
    int r;

    if (argc != 4)
        return 2;
    opts.mode = strcmp(argv[1], "rw") == 0 ? DISK_OVERLAY : DISK_READ_ONLY;
    opts.backend = argv[2];
    signals_init();
    r = image_open(argv[3], &image_opts, &image, &err);
    if (r == 0)
        r = session_open(NULL, &session, &err);
    if (r == 0)
        r = hold(session, image, &opts, &err);
    if (r < 0 && !signals_pending())
        (void)fprintf(stderr, "%s\n", err_text(&err, text, sizeof(text)));
    err_clear(&err);
    if (session_close(session, &err) < 0) {
        (void)fprintf(stderr, "%s\n", err_text(&err, text, sizeof(text)));
        r = -1;
    }
    image_free(image);
    return r < 0 && !signals_pending();
}
