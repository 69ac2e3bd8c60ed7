/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu-nbd serves the image on a private socket; the kernel's nbd driver is connected to it through
 * netlink. (`qemu-nbd --connect` would be less work, but when it is killed while its socket is full
 * it deadlocks in the kernel: the thread that holds the device waits for a sender that waits for
 * the process to read.) Partitions are loop devices on the nbd device.
 */
#include "engine/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "engine/base/signals.h"
#include "engine/loopdev.h"
#include "engine/nbddev.h"
#include "engine/nbdnl.h"
#include "engine/nbdproto.h"
#include "engine/server.h"
#include "engine/watch.h"

#define NBD_PACKAGE "qemu-utils (Debian), qemu-img (Fedora)"
#define CONNECTIONS_MAX 4U
#define REQUEST_TIMEOUT_S 120U /* slow storage is no error; a dead server is noticed otherwise */
#define LOCK_MS 5000           /* udev looks at a new device for a moment */
#define STEP_MS 2              /* sysfs and flock have no event */

struct nbd {
    struct session *session;
    struct disk *disk;
    char *socket;
    char *identifier; /* of the device, for the kernel */
    char *record;
    int number;  /* -1: not connected */
    pid_t owner; /* as the kernel notes it: us */
    int watcher;
    struct server server;
    int sockets[CONNECTIONS_MAX];
    size_t n_sockets;
};

static void pause_a_step(void)
{
    const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };

    (void)nanosleep(&step, NULL);
}

/* ---- the server ---- */

static int start_server(struct nbd *nbd, struct err *err)
{
    CLEANUP_FREE char *graph = server_graph(nbd->disk);
    CLEANUP_FREE char *image = mem_printf("json:%s", graph);
    CLEANUP_FREE char *pid_file = mem_printf("%s.pid", nbd->socket);
    /* it would end after the first client, and the handshakes come one after the other */
    const char *argv[] = { "qemu-nbd",   "--persistent", "--shared=4", "--socket", nbd->socket,
                           "--pid-file", pid_file,       image,        NULL,       NULL };
    int r;

    if (nbd->disk->read_only)
        argv[8] = "--read-only";
    r = server_start(nbd->session, argv, NBD_PACKAGE, &nbd->server, err);
    return r < 0 ? r : server_wait_pid_file(nbd->session, &nbd->server, pid_file, err);
}

/* ---- handshakes ---- */

struct conversation {
    struct nbd *nbd;
    int fd;
    uint64_t deadline;
};

static int stream_read(void *arg, void *data, size_t len)
{
    const struct conversation *with = arg;
    uint8_t *at = data;

    while (len > 0) {
        struct pollfd polls[] = {
            { .fd = with->fd, .events = POLLIN },
            { .fd = with->nbd->server.process.pidfd, .events = POLLIN },
            { .fd = signals_fd(), .events = POLLIN },
        };
        uint64_t now = io_now_ms();
        ssize_t n = recv(with->fd, at, len, MSG_DONTWAIT);

        if (n == 0)
            return -ECONNRESET;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
        if (signals_pending())
            return -EINTR;
        if (polls[1].revents || now >= with->deadline)
            return -ETIMEDOUT;
        (void)poll(polls, ARRAY_SIZE(polls), (int)(with->deadline - now));
        if (polls[1].revents && !polls[0].revents)
            return -ECONNRESET;
    }
    return 0;
}

static int stream_write(void *arg, const void *data, size_t len)
{
    const struct conversation *with = arg;
    ssize_t n = send(with->fd, data, len, MSG_NOSIGNAL);

    if (n < 0)
        return -errno;
    return (size_t)n == len ? 0 : -EPIPE;
}

static int open_socket(const struct nbd *nbd, struct err *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(nbd->socket) >= sizeof(address.sun_path))
        return err_set(err, ENAMETOOLONG, "connect to %s", nbd->socket);
    memcpy(address.sun_path, nbd->socket, strlen(nbd->socket) + 1);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return err_set(err, errno, "connect to %s", nbd->socket);
    return TAKE_FD(fd);
}

/* One more connection; *ret is what all of them must agree in. */
static int add_connection(struct nbd *nbd, struct nbdproto_export *ret, struct err *err)
{
    CLEANUP_FD int fd = open_socket(nbd, err);
    struct conversation with = { .nbd = nbd, .fd = fd, .deadline = io_now_ms() + SERVER_START_MS };
    const struct nbdproto_stream stream = { .read = stream_read,
                                            .write = stream_write,
                                            .arg = &with };
    struct nbdproto_export export = { 0 };
    int r = fd < 0 ? fd : nbdproto_go(&stream, &export, err);

    if (r < 0)
        return r;
    if (nbd->n_sockets > 0 && (export.size_bytes != ret->size_bytes || export.flags != ret->flags))
        return err_set(err, EPROTO, "open the export again: it is another one now");
    *ret = export;
    nbd->sockets[nbd->n_sockets++] = TAKE_FD(fd);
    return 0;
}

/* How many connections are of use: requests of one are answered in turn. */
static size_t connections_wanted(const struct nbdproto_export *export)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (!(export->flags & NBDPROTO_MULTI_CONN) || cores < 2)
        return 1;
    return (size_t)cores < CONNECTIONS_MAX ? (size_t)cores : CONNECTIONS_MAX;
}

/* ---- what the host would see ---- */

#define HEAD 8192U
#define MD_MAGIC 0xa92b4efcU /* linux/include/uapi/linux/raid/md_p.h */

/* A member of a volume group or an array that begins where the disk does. */
static bool is_member(const uint8_t head[HEAD])
{
    for (size_t sector = 0; sector < 4; sector++)
        if (memcmp(head + 512 * sector, "LABELONE", 8) == 0)
            return true;
    return get_le32(head) == MD_MAGIC || get_le32(head + 4096) == MD_MAGIC;
}

/* The kernel's device begins where the disk does, and any program of the host may read it. */
static int look_at_start(struct nbd *nbd, const struct nbdproto_export *export, struct err *err)
{
    struct conversation with = { nbd, nbd->sockets[0], io_now_ms() + SERVER_START_MS };
    const struct nbdproto_stream stream = { stream_read, stream_write, &with };
    uint8_t head[HEAD];
    int r;

    if (!nbd->disk->hides_members || export->size_bytes < HEAD)
        return 0;
    r = nbdproto_read(&stream, 0, head, sizeof(head), err);
    if (r < 0 || !is_member(head))
        return r;
    nbd->disk->shows_members = true;
    return err_status(err, STATUS_HOST,
                      "the whole disk is a member of a volume group or an array, which the host "
                      "would see");
}

/* ---- the device ---- */

static int connect_device(struct nbd *nbd, struct err *err)
{
    struct nbdproto_export export = { 0 };
    struct nbdnl_connect connect;
    int r;

    do {
        r = add_connection(nbd, &export, err);
        if (r < 0)
            return r;
        if (nbd->n_sockets == 1)
            r = look_at_start(nbd, &export, err);
    } while (r == 0 && nbd->n_sockets < connections_wanted(&export));
    if (r < 0)
        return r;
    nbd->record = mem_strdup("?");
    r = session_record(nbd->session, "nbd", nbd->record, err);
    if (r < 0)
        return r;
    connect = (struct nbdnl_connect){
        .sockets = nbd->sockets,
        .n_sockets = nbd->n_sockets,
        .size_bytes = 0, /* nothing to look into until it is locked */
        .block_size = nbd->disk->sector_size,
        .flags = export.flags,
        .timeout_s = REQUEST_TIMEOUT_S,
        .identifier = nbd->identifier,
    };
    r = nbdnl_connect(&connect, err);
    if (r < 0)
        return r;
    nbd->number = r;
    nbd->owner = nbd_owner((unsigned)r);
    nbd->disk->size_bytes = export.size_bytes;
    return 0;
}

/* From here on a kernel without identifiers can tell whose the device is, too. */
static int record_device(struct nbd *nbd, struct err *err)
{
    CLEANUP_FREE char *before = nbd->record;
    int r;

    nbd->record = mem_printf("%d %d", nbd->number, (int)nbd->owner);
    r = session_record(nbd->session, "nbd", nbd->record, err);
    return r < 0 ? r : session_forget(nbd->session, "nbd", before, err);
}

/* Only now that the device is locked it gets content: udev, which is told of each change, would
 * hand members of arrays and volume groups to the host's tools. An open makes the kernel look for
 * partitions, which must not happen later. */
static int show_content(const struct nbd *nbd, const char *node, struct err *err)
{
    CLEANUP_FD int fd = -1;
    int r = nbdnl_resize((unsigned)nbd->number, nbd->identifier, nbd->disk->size_bytes, err);

    if (r < 0)
        return r;
    fd = open(node, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno, "open %s", node);
    return nbd_drop_partitions((unsigned)nbd->number, fd, err);
}

/* udev looks into no device that is locked, and lets go of it soon. */
static int lock_device(int fd, const char *node, struct err *err)
{
    uint64_t deadline = io_now_ms() + LOCK_MS;

    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK || io_now_ms() >= deadline)
            return err_set(err, errno, "lock %s", node);
        if (signals_pending())
            return err_set(err, EINTR, "lock %s", node);
        pause_a_step();
    }
    return 0;
}

static int open_device(struct nbd *nbd, struct err *err)
{
    CLEANUP_FREE char *name = mem_printf("nbd%d", nbd->number);
    CLEANUP_FREE char *node = NULL;
    struct disk *disk = nbd->disk;
    int r = session_block_node(nbd->session, name, &node, err);

    if (r < 0)
        return r;
    disk->fd = open(node, (disk->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (disk->fd < 0)
        return err_set(err, errno, "open %s", node);
    r = lock_device(disk->fd, node, err);
    if (r < 0)
        return r;
    r = show_content(nbd, node, err);
    if (r < 0)
        return r;
    /* only now: a program that opened and closed it before us would have ended it */
    r = nbdnl_disconnect_on_close((unsigned)nbd->number, nbd->identifier, err);
    if (r < 0)
        return r;
    disk->node = TAKE(node);
    return 0;
}

/* ---- release ---- */

/* Does somebody else hold the device (a mount, a volume group that the host found)? */
static bool is_held(const struct disk *disk)
{
    CLEANUP_FD int fd = disk->node ? open(disk->node, O_RDONLY | O_EXCL | O_CLOEXEC) : -1;

    return disk->node && fd < 0 && errno == EBUSY;
}

/* A last user that only looks may take a moment. */
static bool stays_held(const struct disk *disk)
{
    uint64_t deadline = io_now_ms() + SERVER_STOP_MS;

    while (is_held(disk)) {
        if (io_now_ms() >= deadline)
            return true;
        pause_a_step();
    }
    return false;
}

static int disconnect(struct nbd *nbd, struct err *err)
{
    unsigned number = (unsigned)nbd->number;
    uint64_t deadline = io_now_ms() + SERVER_STOP_MS;
    int r = 0;

    if (nbd->number < 0)
        return 0;
    if (stays_held(nbd->disk))
        r = err_set(err, EBUSY, "/dev/nbd%u is still in use", number);
    else if (nbd_owner(number) == nbd->owner)
        r = nbdnl_disconnect(number, err);
    if (nbd->disk->fd >= 0)
        (void)close(nbd->disk->fd);
    nbd->disk->fd = -1;
    /* others may connect it from now on */
    while (r == 0 && nbd_owner(number) == nbd->owner && io_now_ms() < deadline)
        pause_a_step();
    return r;
}

static int nbd_done(void *arg, struct err *err)
{
    struct nbd *nbd = arg;
    struct err ignored = ERR_NONE;
    int r = disconnect(nbd, err);

    nbd->disk->check = NULL;
    if (nbd->watcher >= 0)
        (void)close(nbd->watcher);
    for (size_t i = 0; i < nbd->n_sockets; i++)
        (void)close(nbd->sockets[i]);
    server_stop(nbd->session, &nbd->server, SERVER_STOP_MS);
    if (r == 0 && nbd->record)
        (void)session_forget(nbd->session, "nbd", nbd->record, &ignored);
    (void)unlink(nbd->socket);
    free(nbd->socket);
    free(nbd->identifier);
    free(nbd->record);
    free(nbd);
    return r;
}

/* ---- attach ---- */

static int nbd_check(struct disk *disk, struct err *err)
{
    struct nbd *nbd = disk->priv;

    return server_check(&nbd->server, err);
}

static int start_watcher(struct nbd *nbd, struct err *err)
{
    const struct watch_opts opts = { .pidfds = { nbd->server.process.pidfd },
                                     .n_pidfds = 1,
                                     .nbd_index = nbd->number };

    return watch_start(nbd->session, &opts, &nbd->watcher, err);
}

static int nbd_attach(struct session *session, struct disk *disk, struct err *err)
{
    static unsigned counter;
    struct nbd *nbd = mem_alloc(sizeof(*nbd));
    int r;

    nbd->session = session;
    nbd->disk = disk;
    nbd->number = nbd->watcher = -1;
    nbd->socket = mem_printf("%s/nbd%u.sock", session_run_dir(session), ++counter);
    nbd->identifier = mem_printf(NBD_IDENTIFIER "%s", session_id(session));
    undo_push(session_undo(session), nbd->socket, nbd_done, nbd);
    r = start_server(nbd, err);
    if (r == 0)
        r = connect_device(nbd, err);
    if (r == 0)
        r = start_watcher(nbd, err);
    if (r == 0)
        r = record_device(nbd, err);
    if (r == 0)
        r = open_device(nbd, err);
    if (r < 0)
        return r;
    disk->priv = nbd;
    disk->check = nbd_check;
    disk->direct_io = true;
    return 0;
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
