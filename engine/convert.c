/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/convert.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/exec.h"
#include "engine/base/invoker.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/image_vhdx.h"

#define QEMU_IMG_MEMORY (UINT64_C(4) << 30)
#define GRAPH_DEPTH 64 /* nested nodes in a graph: format, file, backing ... */

/* The length that a qcow2 header has room for (docs/interop/qcow2.txt: backing_file_size). */
#define BACKING_NAME_MAX 1023

/* ---- progress ---- */

struct copy {
    struct convert_meter meter;
    const struct progress *progress;
    const char *stage;
    uint64_t total;
    int fd; /* the file that is written; -1: none */
};

static void on_output(void *arg, const char *data, size_t len)
{
    struct copy *copy = arg;
    int hundredths = convert_meter_feed(&copy->meter, data, len);

    if (hundredths < 0)
        return;
    /* start writing back while the copy goes on, so that the fsync at the end finds little to do */
    if (copy->fd >= 0)
        (void)sync_file_range(copy->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    progress_update(copy->progress, copy->stage, copy->total / 10000 * (unsigned)hundredths,
                    copy->total);
}

/* ---- qemu-img ---- */

static int failed(const char *what, const char *path, struct exec_result *result, struct err *err)
{
    const char *said = strbuf_text(&result->err);
    size_t len = strcspn(said, "\r\n");

    if (result->exit_status > 128)
        return err_status(err, STATUS_FAILED, "%s %s: qemu-img was ended by signal %d (%s)", what,
                          path, result->exit_status - 128, strsignal(result->exit_status - 128));
    if (strstr(said, strerror(ENOSPC)) || strstr(said, strerror(EDQUOT)))
        return err_status(err, STATUS_TEMPORARY,
                          "%s %s: no space left: free some there or choose another folder", what,
                          path);
    return err_status(err, STATUS_FAILED, "%s %s: %.*s", what, path, (int)len,
                      len ? said : "qemu-img failed without a message");
}

static int run_qemu_img(const char *const *argv, const char *what, const char *path,
                        struct copy *copy, struct err *err)
{
    struct exec_opts opts = {
        .argv = argv,
        .package = "qemu-utils (qemu-img)",
        .limit_as = QEMU_IMG_MEMORY,
        .on_output = copy ? on_output : NULL,
        .on_output_arg = copy,
    };
    CLEANUP_EXEC struct exec_result result = { 0 };
    int r = exec_run(&opts, &result, err);

    if (r < 0)
        return err_wrap(err, "%s %s", what, path);
    if (result.exit_status != 0)
        return failed(what, path, &result, err);
    return 0;
}

/* qemu must be able to write to the nodes: an explicit read-only wins over its reopening. */
static void allow_writing(json_t *node, unsigned depth)
{
    static const char *const below[] = { "file", "backing", "extents" };

    if (depth == 0 || !json_is_object(node))
        return;
    (void)json_object_del(node, "read-only");
    (void)json_object_del(node, "auto-read-only");
    for (size_t i = 0; i < ARRAY_SIZE(below); i++)
        allow_writing(json_object_get(node, below[i]), depth - 1);
}

/* "json:{...}" of @image, or of @overlay over it; the nodes of @image may be written to down to
 * @writable_depth. NULL and *err when it cannot be told. */
static char *graph_name(const struct image *image, const char *overlay, unsigned writable_depth,
                        struct err *err)
{
    CLEANUP_FREE char *text = image_qemu_json(image);
    CLEANUP_FREE char *dumped = NULL;
    json_t *graph = text ? json_loads(text, 0, NULL) : NULL;

    if (graph)
        allow_writing(graph, writable_depth);
    if (graph && overlay)
        graph = json_pack("{s:s, s:{s:s, s:s}, s:o}", "driver", "qcow2", "file", "driver", "file",
                          "filename", overlay, "backing", graph);
    if (graph)
        dumped = json_dumps(graph, JSON_COMPACT);
    json_decref(graph);
    if (!dumped) {
        /* JSON is UTF-8; a name in another encoding cannot be told to qemu */
        (void)err_set(err, EINVAL, "describe %s to qemu-img: is its name UTF-8?", image->path);
        return NULL;
    }
    return mem_printf("json:%s", dumped);
}

/* A new empty file, ours only; qemu-img fills it and keeps mode and owner. */
static int make_private_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return err_set(err, errno, "create %s", path);
    return fd;
}

int convert_make_overlay(const struct image *image, const char *path, struct err *err)
{
    CLEANUP_FREE char *size = mem_printf("%" PRIu64, image->size_bytes);
    /* -u: the backing file is not opened. Its name is a hint for people: every use of the overlay
     * gives the whole graph, which qemu takes when the image is one file. */
    bool named = strlen(image->path) <= BACKING_NAME_MAX && !image->replayed;
    const char *const argv[] = { "qemu-img",  "create", "-q",          "-f", "qcow2", "-u", "-b",
                                 image->path, "-F",     image->format, path, size,    NULL };
    const char *const nameless[] = { "qemu-img", "create", "-q", "-f", "qcow2", path, size, NULL };
    CLEANUP_FD int fd = make_private_file(path, err);
    int r;

    if (fd < 0)
        return fd;
    r = run_qemu_img(named ? argv : nameless, "make the overlay", path, NULL, err);
    if (r < 0)
        (void)unlink(path);
    return r;
}

int convert_replay_log(struct session *session, struct image *image, struct err *err)
{
    static unsigned counter;
    CLEANUP_FREE char *path = mem_printf("%s/log%u.qcow2", session_work_dir(session), ++counter);
    CLEANUP_FREE char *size =
        mem_printf("%" PRIu64, ((uint64_t)image->files[0].st.st_size + 511) / 512 * 512);
    const char *const create[] = { "qemu-img", "create", "-q", "-f", "qcow2", path, size, NULL };
    const char *check[] = { "qemu-img", "check", "-q", "-r", "all", NULL, NULL };
    CLEANUP_FREE char *graph = NULL;
    CLEANUP_FD int fd = make_private_file(path, err);
    int r;

    if (fd < 0)
        return fd;
    r = run_qemu_img(create, "make a file for the log of", image->path, NULL, err);
    if (r < 0)
        return r;
    image->replayed = mem_strdup(path);
    /* the image may be written to and so may the new file below it; what that lies over is a
     * backing file, which qemu opens for reading */
    graph = graph_name(image, NULL, 1, err);
    if (!graph)
        return -EINVAL;
    check[5] = graph;
    strlist_add(&image->notes, "vhdx: was not closed cleanly: what its log holds was applied to a "
                               "copy, the file is as it was");
    return run_qemu_img(check, "replay the log of", image->path, NULL, err);
}

/* "/dir/.name.h2k-<pid>.part" beside @target. */
static char *temp_name(const char *target)
{
    const char *slash = strrchr(target, '/');
    const char *base = slash ? slash + 1 : target;
    int dir_len = (int)(base - target);

    return mem_printf("%.*s.%.200s.h2k-%ld.part", dir_len, target, base, (long)getpid());
}

static int copy_to(const struct image *image, const char *overlay, const char *temp, int fd,
                   const struct convert_opts *opts, struct err *err)
{
    CLEANUP_FREE char *graph = graph_name(image, overlay, 0, err);
    const char *options = opts->compress ? opts->format->compressed_options : opts->format->options;
    struct copy copy = {
        .progress = opts->progress,
        .stage = "copy",
        .total = image_allocated_bytes(image),
        .fd = fd,
    };
    const char *argv[20];
    size_t n = 0;

    if (!graph)
        return -EINVAL;
    argv[n++] = "qemu-img";
    argv[n++] = "convert";
    argv[n++] = "-p";
    argv[n++] = "-m";
    argv[n++] = "16";
    if (!(opts->compress && opts->format->in_order_when_compressed))
        argv[n++] = "-W";
    if (opts->compress)
        argv[n++] = "-c";
    if (options) {
        argv[n++] = "-o";
        argv[n++] = options;
    }
    argv[n++] = "-O";
    argv[n++] = opts->format->name;
    argv[n++] = graph;
    argv[n++] = temp;
    argv[n] = NULL;
    return run_qemu_img(argv, "write", temp, &copy, err);
}

int convert_image(const struct image *image, const char *overlay, const char *target,
                  const struct convert_opts *opts, char **ret_temp, struct err *err)
{
    CLEANUP_FREE char *temp = temp_name(target);
    CLEANUP_FD int fd = -1;
    int r = convert_check(opts, err);

    if (r < 0)
        return r;
    if (opts->session) {
        r = session_record(opts->session, "file", temp, err);
        if (r < 0)
            return r;
    }
    fd = make_private_file(temp, err);
    if (fd < 0)
        return fd;
    progress_update(opts->progress, "copy", 0, 0);
    r = copy_to(image, overlay, temp, fd, opts, err);
    if (r == 0 && opts->format->finish)
        r = opts->format->finish(fd, temp, target, err);
    if (r == 0 && fsync(fd) < 0)
        r = err_set(err, errno, "write %s back", temp);
    if (r == 0)
        r = invoker_own(fd, temp, err);
    if (r < 0) {
        (void)unlink(temp);
        return r;
    }
    *ret_temp = TAKE(temp);
    return 0;
}

/* ---- in place ---- */

static int sync_files(const struct image *image, struct err *err)
{
    for (size_t i = 0; i < image->n_files; i++) {
        CLEANUP_FD int fd = open(image->files[i].path, O_RDONLY | O_CLOEXEC);

        if (fd < 0 || fsync(fd) < 0)
            return err_set(err, errno, "sync %s", image->files[i].path);
    }
    return 0;
}

/* A commit that was killed may leave a log in a VHDX, which qemu replays only into a file that it
 * opens for writing, and it opens the lower file of a commit for reading first. */
static int replay_log(const struct image *image, struct err *err)
{
    CLEANUP_FREE char *graph = graph_name(image, NULL, GRAPH_DEPTH, err);
    const char *const argv[] = { "qemu-img", "check", "-q", "-r", "all", graph, NULL };

    int r;

    if (!graph)
        return -EINVAL;
    r = run_qemu_img(argv, "replay the log of", image->path, NULL, err);
    return r < 0 ? r : vhdx_drop_log(image->path, err);
}

int convert_commit(const char *overlay, const struct image *image, const struct progress *progress,
                   struct err *err)
{
    CLEANUP_FREE char *graph = graph_name(image, overlay, GRAPH_DEPTH, err);
    struct stat st;
    struct copy copy = { .progress = progress, .stage = "commit", .fd = -1 };
    const char *const argv[] = { "qemu-img", "commit", "-p", "-d", graph, NULL };
    int r;

    if (!graph)
        return -EINVAL;
    if (!image->can_rewrite)
        return err_status(err, STATUS_REFUSED, "%s: this kind of %s cannot be rewritten in place",
                          image->path, image->format);
    if (stat(overlay, &st) < 0)
        return err_set(err, errno, "open %s", overlay);
    copy.total = (uint64_t)st.st_blocks * 512;
    r = strcmp(image->format, "vhdx") == 0 ? replay_log(image, err) : 0;
    if (r < 0)
        return r;
    r = run_qemu_img(argv, "commit to", image->path, &copy, err);
    if (r < 0)
        return r;
    return sync_files(image, err);
}
