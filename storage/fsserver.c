/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/fsserver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "storage/fsmount.h"

/* What a step in the outer namespace needs. */
struct start {
    struct fsserver *server;
    const char *dir;
    dev_t before; /* what lies below the mount */
    int fd;
};

static int has_mounted(void *arg, struct err *err)
{
    const struct start *start = arg;
    struct stat st;

    return stat(start->dir, &st) < 0 ? err_set(err, errno, "stat %s", start->dir)
                                     : st.st_dev != start->before;
}

/* In the outer namespace: wait for the mount, and leave nothing of it there. */
static int take_over(void *arg, struct err *err)
{
    struct start *start = arg;
    CLEANUP_FD int mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    CLEANUP_FD int dir = -1;
    int r;

    if (mounts < 0)
        return err_set(err, errno, "watch the mounts");
    r = server_wait(&start->server->server, mounts, POLLPRI, has_mounted, start, err);
    if (r < 0)
        return r;
    dir = open(start->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return err_set(err, errno, "open %s", start->dir);
    r = fsmount_copy(dir, false, &start->fd, err);
    if (r == 0 && umount2(start->dir, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
        r = err_set(err, errno, "unmount %s", start->dir);
    return r;
}

/* The number of a connection that serves a block device is that of the device, as the kernel
 * writes it. */
static int record_connection(struct fsserver *server, const char *node, struct err *err)
{
    struct stat st;

    if (fstat(server->device_fd, &st) < 0)
        return err_set(err, errno, "stat %s", node);
    server->connection =
        mem_printf("%llu", (unsigned long long)major(st.st_rdev) << 20 | minor(st.st_rdev));
    return session_record(server->session, "fuse", server->connection, err);
}

int fsserver_start(struct session *session, const struct fsserver_opts *opts, struct fsserver *ret,
                   int *ret_fd, struct err *err)
{
    static unsigned counter;
    CLEANUP_FREE char *dir = mem_printf("%s/fuse%u", session_run_dir(session), ++counter);
    const char *const argv[] = { opts->program, "-o", opts->options, opts->node, dir, NULL };
    struct start start = { .server = ret, .dir = dir, .fd = -1 };
    struct stat st;
    int r;

    if (mkdir(dir, 0700) < 0 || stat(dir, &st) < 0)
        return err_set(err, errno, "make the folder %s", dir);
    start.before = st.st_dev;
    ret->session = session;
    ret->dir = mem_strdup(dir);
    ret->device_fd = open(opts->node, O_RDONLY | O_CLOEXEC);
    if (ret->device_fd < 0)
        return err_set(err, errno, "open %s", opts->node);
    r = record_connection(ret, opts->node, err);
    if (r == 0)
        r = server_start(session, argv, opts->program, &ret->server, err);
    if (r == 0)
        r = session_in_outer(session, take_over, &start, err);
    if (r < 0)
        cleanup_fd(&start.fd);
    else
        *ret_fd = start.fd;
    return r;
}

char *fsserver_words(struct fsserver *server)
{
    struct strbuf said = { 0 };

    process_stderr(&server->server.process, &said);
    return strbuf_take(&said);
}

int fsserver_sync(const struct fsserver *server, struct err *err)
{
    if (server->device_fd >= 0 && fsync(server->device_fd) < 0)
        return err_set(err, errno, "write back to the block device");
    return 0;
}

int fsserver_end(struct fsserver *server, bool wrote, struct err *err)
{
    struct err ignored = ERR_NONE;
    int r = 0;

    if (!server->session)
        return 0;
    if (wrote)
        r = server_wait_end(&server->server, "Failed to", err);
    server_stop(server->session, &server->server, SERVER_STOP_MS);
    if (r == 0 && wrote)
        r = fsserver_sync(server, err);
    if (server->connection)
        (void)session_forget(server->session, "fuse", server->connection, &ignored);
    free(server->connection);
    free(server->dir);
    cleanup_fd(&server->device_fd);
    *server = (struct fsserver)FSSERVER_NONE;
    return r;
}
