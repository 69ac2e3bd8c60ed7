/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* qemu-nbd connects the image to one of the kernel's nbd devices; partitions are loop devices on
 * that. */
#include "engine/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/base/signals.h"
#include "engine/loopdev.h"
#include "engine/nbddev.h"
#include "engine/server.h"

#define NBD_PACKAGE "qemu-utils (Debian), qemu-img (Fedora)"
#define NBD_MAX 1024
#define STEP_MS 2 /* sysfs has no event for the size of a device */

struct nbd {
    struct session *session;
    struct disk *disk;
    unsigned number;
    char *record;
    struct server server;
};

/* ---- finding a device ---- */

/* Open and lock device @number if it is there and free. -EBUSY: it is not free; -ENOENT: there are
 * no more. The lock keeps other h2k and udev away. */
static int lock_device(struct session *session, unsigned number, int access_mode, char **ret_node,
                       struct err *err)
{
    CLEANUP_FREE char *sysfs = mem_printf("/sys/block/nbd%u", number);
    CLEANUP_FREE char *name = mem_printf("nbd%u", number);
    CLEANUP_FREE char *node = NULL;
    CLEANUP_FD int fd = -1;
    int r;

    if (access(sysfs, F_OK) < 0)
        return -ENOENT;
    if (nbd_size(number) != 0 || nbd_server(number) != 0)
        return -EBUSY;
    r = session_block_node(session, name, &node, err);
    if (r < 0)
        return r;
    fd = open(node, access_mode | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno, "open %s", node);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 || nbd_size(number) != 0 || nbd_server(number) != 0)
        return -EBUSY;
    *ret_node = TAKE(node);
    return TAKE_FD(fd);
}

/* ---- connecting ---- */

static int start_server(struct nbd *nbd, const char *node, struct err *err)
{
    CLEANUP_FREE char *graph = server_graph(nbd->disk);
    CLEANUP_FREE char *image = mem_printf("json:%s", graph);
    /* --verbose keeps it in the foreground, where it dies with us */
    const char *argv[] = { "qemu-nbd", "--verbose", "--connect", node, image, NULL, NULL };

    if (nbd->disk->read_only)
        argv[5] = "--read-only";
    return server_start(nbd->session, argv, NBD_PACKAGE, &nbd->server, err);
}

/* The device names the thread of the server that holds it. */
static int is_ours(const struct nbd *nbd)
{
    CLEANUP_FREE char *path = NULL;
    pid_t thread = nbd_server(nbd->number);

    if (thread == 0 || nbd->server.process.pid <= 0)
        return 0;
    path = mem_printf("/proc/%d/task/%d", (int)nbd->server.process.pid, (int)thread);
    return access(path, F_OK) == 0;
}

static int wait_connected(struct nbd *nbd, struct err *err)
{
    uint64_t deadline = io_now_ms() + SERVER_START_MS;

    while (!is_ours(nbd) || nbd_size(nbd->number) == 0) {
        struct pollfd polls[] = {
            { .fd = nbd->server.process.pidfd, .events = POLLIN },
            { .fd = signals_fd(), .events = POLLIN },
        };
        int r = server_check(&nbd->server, err);

        if (r < 0)
            return r;
        if (signals_pending())
            return err_set(err, EINTR, "connect /dev/nbd%u", nbd->number);
        if (io_now_ms() >= deadline)
            return err_set(err, ETIMEDOUT, "connect /dev/nbd%u", nbd->number);
        (void)poll(polls, ARRAY_SIZE(polls), STEP_MS);
    }
    return 0;
}

/* Wait until the device is free again; a lazy last user may take a moment. */
static void wait_free(unsigned number)
{
    const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
    uint64_t deadline = io_now_ms() + SERVER_STOP_MS;

    while ((nbd_size(number) != 0 || nbd_server(number) != 0) && io_now_ms() < deadline)
        (void)nanosleep(&step, NULL);
}

static int nbd_done(void *arg, struct err *err)
{
    struct nbd *nbd = arg;
    struct pollfd end = { .fd = nbd->server.process.pidfd, .events = POLLIN };
    int r = 0;

    if (is_ours(nbd)) {
        nbd_disconnect(nbd->disk->fd);
        /* it flushes the overlay before it ends */
        (void)poll(&end, 1, SERVER_STOP_MS);
    }
    server_stop(nbd->session, &nbd->server, SERVER_STOP_MS);
    (void)close(nbd->disk->fd);
    nbd->disk->fd = -1;
    wait_free(nbd->number);
    if (nbd_size(nbd->number) != 0)
        r = err_set(err, EBUSY, "/dev/nbd%u is still in use", nbd->number);
    else if (nbd->record)
        r = session_forget(nbd->session, "nbd", nbd->record, err);
    free(nbd->record);
    free(nbd);
    return r;
}

static int nbd_check(struct disk *disk, struct err *err)
{
    struct nbd *nbd = disk->priv;

    return server_check(&nbd->server, err);
}

static int connect_device(struct session *session, struct disk *disk, unsigned number,
                          const char *node, struct err *err)
{
    struct nbd *nbd = mem_alloc(sizeof(*nbd));
    int r;

    nbd->session = session;
    nbd->disk = disk;
    nbd->number = number;
    undo_push(session_undo(session), node, nbd_done, nbd);
    r = start_server(nbd, node, err);
    if (r < 0)
        return r;
    r = wait_connected(nbd, err);
    if (r < 0)
        return r;
    /* until here the end of the server, which dies with us, frees the device */
    nbd->record = mem_printf("%u %d", number, (int)nbd_server(number));
    r = session_record(session, "nbd", nbd->record, err);
    if (r < 0)
        return r;
    disk->priv = nbd;
    disk->check = nbd_check;
    disk->direct_io = true;
    disk->size_bytes = nbd_size(number);
    return 0;
}

static int nbd_attach(struct session *session, struct disk *disk, struct err *err)
{
    for (unsigned number = 0; number < NBD_MAX; number++) {
        CLEANUP_FREE char *node = NULL;
        size_t mark = undo_mark(session_undo(session));
        int fd = lock_device(session, number, disk->read_only ? O_RDONLY : O_RDWR, &node, err);
        struct err ignored = ERR_NONE;
        int r;

        if (fd == -EBUSY)
            continue;
        if (fd == -ENOENT)
            break;
        if (fd < 0)
            return fd;
        disk->fd = fd;
        r = connect_device(session, disk, number, node, err);
        if (r == 0) {
            disk->node = TAKE(node);
            return 0;
        }
        (void)undo_run_to(session_undo(session), mark, &ignored);
        /* another program that does not lock was faster */
        if (nbd_server(number) == 0)
            return r;
        err_clear(err);
    }
    return err_status(err, STATUS_HOST, "all nbd devices are in use (modprobe nbd nbds_max=64)");
}

static int nbd_map(struct session *session, struct disk *disk, uint64_t offset, uint64_t len,
                   char **ret_node, struct err *err)
{
    if (offset == 0 && len == 0) {
        *ret_node = mem_strdup(disk->node);
        return 0;
    }
    return disk_map_loop(session, disk, offset, len, ret_node, err);
}

static int probe(struct err *err)
{
    int r = nbd_probe(err);

    if (r < 0)
        return r;
    if (!exec_have("qemu-nbd"))
        return err_status(err, STATUS_HOST, "qemu-nbd is not installed: install %s", NBD_PACKAGE);
    return loop_probe(err);
}

const struct attach_backend attach_nbd = {
    .name = "nbd",
    .summary = "a kernel nbd device that qemu-nbd serves",
    .probe = probe,
    .attach = nbd_attach,
    .map = nbd_map,
};
