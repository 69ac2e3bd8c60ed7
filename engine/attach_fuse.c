/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The image as a raw file through FUSE, loop devices on it. Two ways: qemu-storage-daemon's own
 * export, or qemu-nbd and nbdfuse where the daemon is built without FUSE (EL9) or missing. Both
 * mount over a plain file in the run directory, in the outer namespace only.
 */
#include "engine/attach.h"

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
#include "engine/base/exec.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/loopdev.h"
#include "engine/server.h"
#include "engine/watch.h"

#define DAEMON "qemu-storage-daemon"
#define DAEMON_PACKAGE "qemu-system-common (Debian), qemu-kvm-core or qemu-img (Fedora)"
#define NBD_PACKAGE "qemu-utils (Debian), qemu-img (Fedora)"
#define NBDFUSE_PACKAGE "libnbd-bin (Debian), libnbd (Fedora)"

struct fuse {
    struct session *session;
    struct disk *disk;
    char *path;                               /* of the export */
    dev_t below;                              /* device of the plain file at @path */
    char *socket;                             /* second way: qemu-nbd's */
    char *connection;                         /* value of the line in the state file */
    struct server image_server, mount_server; /* the first way has only the latter */
    int watcher;
};

/* The daemon said that it has no FUSE: asked once per process. */
static bool daemon_lacks_fuse;

/* ---- the mount ---- */

static int fuse_check(struct disk *disk, struct err *err)
{
    struct fuse *fuse = disk->priv;
    int r = server_check(&fuse->mount_server, err);

    if (r == 0 && fuse->image_server.record)
        r = server_check(&fuse->image_server, err);
    return r;
}

/* From the mount on, what fails may mean that a server has died. */
static int export_is_mounted(void *arg, struct err *err)
{
    const struct fuse *fuse = arg;
    struct stat st;
    int r = stat(fuse->path, &st) < 0 ? err_set(err, errno, "stat %s", fuse->path) : 1;

    if (r > 0 && st.st_dev == fuse->below)
        return 0;
    fuse->disk->check = fuse_check;
    return r;
}

static int record_connection(struct fuse *fuse, dev_t dev, struct err *err)
{
    fuse->connection = mem_printf("%u", minor(dev));
    return session_record(fuse->session, "fuse", fuse->connection, err);
}

/* In the outer namespace: wait for the export and open it. */
static int open_export(void *arg, struct err *err)
{
    struct fuse *fuse = arg;
    struct disk *disk = fuse->disk;
    /* a poll for POLLPRI ends when a mount appears in our namespace */
    CLEANUP_FD int mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    struct stat st;
    int r;

    if (mounts < 0)
        return err_set(err, errno, "open /proc/self/mountinfo");
    r = server_wait(&fuse->mount_server, mounts, POLLPRI, export_is_mounted, fuse, err);
    if (r < 0)
        return r;
    disk->fd = open(fuse->path, (disk->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (disk->fd < 0 || fstat(disk->fd, &st) < 0)
        return err_set(err, errno, "open the exported image %s", fuse->path);
    disk->size_bytes = (uint64_t)st.st_size;
    return record_connection(fuse, st.st_dev, err);
}

static int unmount_export(void *arg, struct err *err)
{
    const struct fuse *fuse = arg;

    /* EINVAL: it never was mounted */
    if (umount2(fuse->path, MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT)
        return err_set(err, errno, "unmount %s", fuse->path);
    return 0;
}

static void stop_servers(struct fuse *fuse, unsigned grace_ms)
{
    server_stop(fuse->session, &fuse->mount_server, grace_ms);
    server_stop(fuse->session, &fuse->image_server, grace_ms);
}

static void fuse_done(struct fuse *fuse)
{
    struct err ignored = ERR_NONE;

    if (fuse->watcher >= 0)
        (void)close(fuse->watcher);
    stop_servers(fuse, SERVER_STOP_MS);
    if (fuse->connection)
        (void)session_forget(fuse->session, "fuse", fuse->connection, &ignored);
    (void)unlink(fuse->path);
    if (fuse->socket)
        (void)unlink(fuse->socket);
    free(fuse->connection);
    free(fuse->socket);
    free(fuse->path);
    free(fuse);
}

static int fuse_release(void *arg, struct err *err)
{
    struct fuse *fuse = arg;
    int r;

    if (fuse->disk->fd >= 0)
        (void)close(fuse->disk->fd);
    fuse->disk->fd = -1;
    fuse->disk->check = NULL;
    /* The storage daemon (seen with 7.2) polls a connection without a mount in a busy loop. One
     * that only reads has nothing to write back, so it goes first. */
    if (fuse->disk->read_only)
        stop_servers(fuse, 0);
    r = session_in_outer(fuse->session, unmount_export, fuse, err);
    fuse_done(fuse);
    return r;
}

static int make_mount_point(struct fuse *fuse, struct err *err)
{
    CLEANUP_FD int fd = open(fuse->path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(err, errno, "create %s", fuse->path);
    fuse->below = st.st_dev;
    return 0;
}

/* ---- first way: the storage daemon ---- */

static int start_daemon(struct fuse *fuse, struct err *err)
{
    CLEANUP_FREE char *graph = server_graph(fuse->disk);
    CLEANUP_FREE char *export =
        mem_printf("type=fuse,id=export,node-name=disk,mountpoint=%s,writable=%s,growable=off",
                   fuse->path, fuse->disk->read_only ? "off" : "on");
    const char *argv[] = { DAEMON, "--blockdev", graph, "--export", export, NULL };

    return server_start(fuse->session, argv, DAEMON_PACKAGE, &fuse->mount_server, err);
}

/* ---- second way: qemu-nbd on a private socket, nbdfuse on that ---- */

static int start_nbdfuse(struct fuse *fuse, struct err *err)
{
    CLEANUP_FREE char *graph = server_graph(fuse->disk);
    CLEANUP_FREE char *image = mem_printf("json:%s", graph);
    CLEANUP_FREE char *uri = mem_printf("nbd+unix:///?socket=%s", fuse->socket);
    CLEANUP_FREE char *pid_file = mem_printf("%s.pid", fuse->socket);
    const char *nbd[] = { "qemu-nbd", "--persistent", "--socket", fuse->socket, "--pid-file",
                          pid_file,   image,          NULL,       NULL };
    const char *mount_rw[] = { "nbdfuse", fuse->path, uri, NULL };
    const char *mount_ro[] = { "nbdfuse", "--readonly", fuse->path, uri, NULL };
    int r;

    if (fuse->disk->read_only)
        nbd[7] = "--read-only";
    r = server_start(fuse->session, nbd, NBD_PACKAGE, &fuse->image_server, err);
    if (r < 0)
        return r;
    r = server_wait_pid_file(fuse->session, &fuse->image_server, pid_file, err);
    if (r < 0)
        return r;
    return server_start(fuse->session, fuse->disk->read_only ? mount_ro : mount_rw, NBDFUSE_PACKAGE,
                        &fuse->mount_server, err);
}

/* ---- attach ---- */

/*
 * The storage daemon (seen with 7.2) has one buffer for incoming requests and reads the next write
 * into it while the last one still waits: writes in parallel corrupt each other. A loop device
 * without direct I/O writes synchronously, which the kernel does one by one for each FUSE inode.
 * Reads carry no data in the request and may be parallel.
 */
static bool direct_io_is_safe(const struct fuse *fuse)
{
    bool by_daemon = !fuse->image_server.record;

    return fuse->disk->read_only || !by_daemon;
}

static int start_watcher(struct fuse *fuse, struct err *err)
{
    struct watch_opts opts = { .pidfds = { fuse->mount_server.process.pidfd },
                               .n_pidfds = 1,
                               .nbd_index = -1 };

    if (fuse->image_server.record)
        opts.pidfds[opts.n_pidfds++] = fuse->image_server.process.pidfd;
    return watch_start(fuse->session, &opts, &fuse->watcher, err);
}

static int try_way(struct session *session, struct disk *disk,
                   int (*start)(struct fuse *fuse, struct err *err), struct err *err)
{
    static unsigned counter;
    struct fuse *fuse = mem_alloc(sizeof(*fuse));
    int r;

    counter++;
    fuse->session = session;
    fuse->disk = disk;
    fuse->watcher = -1;
    fuse->path = mem_printf("%s/disk%u.raw", session_run_dir(session), counter);
    fuse->socket = mem_printf("%s/disk%u.sock", session_run_dir(session), counter);
    undo_push(session_undo(session), fuse->path, fuse_release, fuse);
    disk->priv = fuse;
    r = make_mount_point(fuse, err);
    if (r < 0)
        return r;
    r = start(fuse, err);
    if (r < 0)
        return r;
    r = session_in_outer(session, open_export, fuse, err);
    if (r < 0)
        return disk_blame(disk, r, err);
    r = start_watcher(fuse, err);
    if (r < 0)
        return r;
    disk->direct_io = direct_io_is_safe(fuse);
    return 0;
}

static bool says_no_fuse(const struct err *err)
{
    return strstr(err->text[0], "does not accept value 'fuse'") ||
           strstr(err->text[0], "Invalid parameter 'fuse'");
}

static int fuse_attach(struct session *session, struct disk *disk, struct err *err)
{
    size_t mark = undo_mark(session_undo(session));
    struct err ignored = ERR_NONE;
    int r;

    if (!daemon_lacks_fuse && exec_have(DAEMON)) {
        r = try_way(session, disk, start_daemon, err);
        if (r == 0 || !says_no_fuse(err))
            return r;
        log_debug("%s has no FUSE export: using nbdfuse", DAEMON);
        daemon_lacks_fuse = true;
        err_clear(err);
        (void)undo_run_to(session_undo(session), mark, &ignored);
    }
    return try_way(session, disk, start_nbdfuse, err);
}

static int fuse_probe(struct err *err)
{
    CLEANUP_FD int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return err_status(err, STATUS_HOST,
                          "open /dev/fuse: %s (modprobe fuse; a container needs the device 10:229)",
                          strerror(errno));
    if (!exec_have(DAEMON) && !(exec_have("qemu-nbd") && exec_have("nbdfuse")))
        return err_status(err, STATUS_HOST,
                          "neither %s nor qemu-nbd and nbdfuse is installed: install %s, or %s "
                          "and %s",
                          DAEMON, DAEMON_PACKAGE, NBD_PACKAGE, NBDFUSE_PACKAGE);
    return loop_probe(err);
}

const struct attach_backend attach_fuse = {
    .name = "fuse",
    .summary = "the image as a file through FUSE, loop devices on it",
    .probe = fuse_probe,
    .attach = fuse_attach,
    .map = disk_map_loop,
};
