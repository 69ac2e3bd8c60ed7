/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/attach.h"
#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "engine/convert.h"
#include "engine/loopdev.h"

#define SERVER_DEATH_MS 1000 /* from the closed connection to the ended process */

/* loop first: nothing is faster for what it can do */
const struct attach_backend *const disk_backends[] = { &attach_loop, &attach_nbd, &attach_fuse };
const size_t disk_n_backends = ARRAY_SIZE(disk_backends);

static int disk_release(void *arg, struct err *err)
{
    struct disk *disk = arg;

    (void)err;
    free(disk->overlay);
    free(disk->node);
    free(disk->map_fds);
    free(disk);
    return 0;
}

static int make_overlay(struct session *session, struct disk *disk, const char *path,
                        struct err *err)
{
    static unsigned counter;

    disk->overlay = path ? mem_strdup(path)
                         : mem_printf("%s/disk%u.qcow2", session_work_dir(session), ++counter);
    return convert_make_overlay(disk->image, disk->overlay, err);
}

static const struct attach_backend *find_backend(const char *name)
{
    for (size_t i = 0; i < disk_n_backends; i++)
        if (strcmp(disk_backends[i]->name, name) == 0)
            return disk_backends[i];
    return NULL;
}

static int attach_with(const struct attach_backend *backend, struct session *session,
                       struct disk *disk, struct err *err)
{
    size_t mark = undo_mark(session_undo(session));
    int r = backend->probe(err);

    disk->backend = backend->name;
    if (r == 0)
        r = backend->attach(session, disk, err);
    if (r < 0) {
        struct err ignored = ERR_NONE;

        (void)undo_run_to(session_undo(session), mark, &ignored);
    }
    return r;
}

static int attach_named(const char *name, struct session *session, struct disk *disk,
                        struct err *err)
{
    const struct attach_backend *backend = find_backend(name);

    if (!backend)
        return err_status(err, STATUS_USAGE, "there is no backend called %s", name);
    if (backend->can && !backend->can(disk->image, disk->overlay ? DISK_OVERLAY : DISK_READ_ONLY))
        return err_status(err, STATUS_USAGE, "backend %s cannot attach a %s image%s", name,
                          disk->image->format, disk->overlay ? " for writing" : "");
    return attach_with(backend, session, disk, err);
}

/* Only a lack of the host makes the next backend worth trying: a bad image is bad for all. */
static int attach_auto(struct session *session, struct disk *disk, struct err *err)
{
    enum disk_mode mode = disk->overlay ? DISK_OVERLAY : DISK_READ_ONLY;
    CLEANUP_STRBUF struct strbuf reasons = { 0 };

    for (size_t i = 0; i < disk_n_backends; i++) {
        const struct attach_backend *backend = disk_backends[i];
        char text[ERR_TEXT];
        int r;

        if (backend->can && !backend->can(disk->image, mode))
            continue;
        r = attach_with(backend, session, disk, err);
        if (r == 0 || err->status != STATUS_HOST)
            return r;
        log_debug("backend %s: %s", backend->name, err_text(err, text, sizeof(text)));
        strbuf_printf(&reasons, "%s%s: %s", reasons.len ? "; " : "", backend->name,
                      err_text(err, text, sizeof(text)));
        err_clear(err);
    }
    return err_status(err, STATUS_HOST, "no backend works here: %s", strbuf_text(&reasons));
}

/* Rather hide what the host's tools would look at, but not at any price. */
static int attach_carefully(struct session *session, struct disk *disk, struct err *err)
{
    int r;

    disk->hides_members = true;
    r = attach_auto(session, disk, err);
    if (r == 0 || !disk->shows_members || err->status != STATUS_HOST)
        return r;
    err_clear(err);
    disk->hides_members = false;
    return attach_auto(session, disk, err);
}

int disk_attach(struct session *session, const struct image *image, const struct disk_opts *opts,
                struct disk **ret, struct err *err)
{
    size_t mark = undo_mark(session_undo(session));
    struct disk *disk = mem_alloc(sizeof(*disk));
    int r = 0;

    disk->image = image;
    disk->fd = -1;
    disk->size_bytes = image->size_bytes;
    disk->sector_size = image->sector_size;
    disk->read_only = opts->mode == DISK_READ_ONLY;
    undo_push(session_undo(session), image->path, disk_release, disk);
    if (!disk->read_only)
        r = make_overlay(session, disk, opts->overlay, err);
    if (r == 0 && opts->backend && strcmp(opts->backend, "auto") != 0)
        r = attach_named(opts->backend, session, disk, err);
    else if (r == 0)
        r = attach_carefully(session, disk, err);
    if (r < 0) {
        struct err ignored = ERR_NONE;

        (void)undo_run_to(session_undo(session), mark, &ignored);
        return err_wrap(err, "attach %s", image->path);
    }
    log_debug("%s: backend %s", image->path, disk->backend);
    *ret = disk;
    return 0;
}

struct mapped {
    struct disk *disk;
    int fd;
};

/* The device is about to go: disk_sync() must not touch a number that may be used again. */
static int unmap(void *arg, struct err *err)
{
    CLEANUP_FREE struct mapped *mapped = arg;
    struct disk *disk = mapped->disk;

    (void)err;
    for (size_t i = 0; i < disk->n_map_fds; i++) {
        if (disk->map_fds[i] != mapped->fd)
            continue;
        disk->n_map_fds--;
        disk->map_fds[i] = disk->map_fds[disk->n_map_fds];
        break;
    }
    return 0;
}

int disk_map_loop(struct session *session, struct disk *disk, uint64_t offset, uint64_t len,
                  char **ret_node, struct err *err)
{
    struct loop_opts opts = {
        .backing_fd = disk->fd,
        .offset = offset,
        .len = len,
        .sector_size = disk->sector_size,
        .read_only = disk->read_only,
        .direct_io = disk->direct_io,
    };
    struct mapped mapped = { .disk = disk, .fd = -1 };
    int r = loop_attach(session, &opts, ret_node, &mapped.fd, err);

    if (r < 0)
        return r;
    undo_push(session_undo(session), *ret_node, unmap, mem_dup(&mapped, sizeof(mapped)));
    *(int *)mem_add(&disk->map_fds, &disk->n_map_fds, sizeof(int)) = mapped.fd;
    return 0;
}

int disk_map(struct session *session, struct disk *disk, uint64_t offset, uint64_t len,
             char **ret_node, struct err *err)
{
    const struct attach_backend *backend = find_backend(disk->backend);
    int r;

    if (offset > disk->size_bytes || len > disk->size_bytes - offset)
        return err_set(err, EPROTO, "%" PRIu64 " bytes at %" PRIu64 " lie beyond the end of %s",
                       len, offset, disk->image->path);
    r = backend->map(session, disk, offset, len, ret_node, err);
    return r < 0 ? err_wrap(err, "make a block device of %s", disk->image->path) : 0;
}

int disk_sync(struct disk *disk, struct err *err)
{
    int r = 0;

    if (disk->read_only)
        return 0;
    /* the kernel may report a lost write only once: look at every device */
    for (size_t i = 0; i < disk->n_map_fds; i++)
        if (fsync(disk->map_fds[i]) < 0 && r == 0)
            r = err_set(err, errno, "write back to %s", disk->overlay);
    if (r == 0 && fsync(disk->fd) < 0)
        r = err_set(err, errno, "write back to %s", disk->overlay);
    if (r == 0 && disk->check)
        r = disk->check(disk, err);
    return r;
}

/* What a dead server looks like to whoever reads or writes. */
static bool is_io_error(const struct err *err)
{
    return err->code == EIO || err->code == ENOTCONN || err->code == ECONNABORTED;
}

int disk_blame(struct disk *disk, int r, struct err *err)
{
    const struct timespec step = { .tv_nsec = 5000000L };
    uint64_t deadline = io_now_ms() + (r < 0 && is_io_error(err) ? SERVER_DEATH_MS : 0);

    if (!disk->check)
        return r;
    for (;;) {
        struct err dead = ERR_NONE;

        if (disk->check(disk, &dead) < 0) {
            *err = dead;
            return err_wrap(err, "%s", disk->image->path);
        }
        if (io_now_ms() >= deadline)
            return r;
        (void)nanosleep(&step, NULL);
    }
}
