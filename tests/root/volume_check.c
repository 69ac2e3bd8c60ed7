/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What h2k makes of the disks of a guest: the topmost array or volume on them, or, when CONTENT is
 * a folder, all logical volumes, with the content of /dev/vg/lv in CONTENT/lv.
 * $KEYS and $HEADERS hold values of --key and --header, a line each; with keys it is the encrypted
 * volume.
 *
 *     volume_check read CONTENT IMAGE...       is it what CONTENT holds? Prints names and why they
 *                                              must not be written, or why they are not there
 *     volume_check problem IMAGE...            prints why there is no array
 *     volume_check write CONTENT DIR IMAGE...  the same as read, then writes here and there, into
 *                                              CONTENT too; the overlays are DIR/0.qcow2 ...
 *
 *     volume_check hold CONTENT IMAGE...       the same as read, says "ready", and waits to be
 * killed
 *
 * Exit status: 0 when it is so, else 1 with the reason on stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "storage/volume.h"

#define DISKS_MAX 8
#define BLOCK (1U << 18)
#define WRITES 200U

struct job {
    const char *mode, *content, *dir;
    char *const *images;
    size_t n;
    struct session *session;
    struct disk *disks[DISKS_MAX];
    struct stack *stack;
    struct keys keys;
};

static int add_keys(struct keys *keys, struct err *err)
{
    static const struct {
        const char *name;
        int (*add)(struct keys *keys, const char *text, struct err *err);
    } sources[] = { { "KEYS", keys_add }, { "HEADERS", keys_add_header } };

    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        const char *text = getenv(sources[i].name);
        CLEANUP_FREE char *copy = mem_strdup(text ? text : "");
        char *save = NULL;

        for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
            if (sources[i].add(keys, line, err) < 0)
                return -err->code;
    }
    return keys_load(keys, err);
}

static int attach(struct job *job, struct err *err)
{
    int r = session_open(NULL, &job->session, err);

    if (r == 0)
        r = add_keys(&job->keys, err);
    for (size_t i = 0; i < job->n && r == 0; i++) {
        struct image_opts image_opts = { .format = "raw", .allow_stale = true };
        CLEANUP_FREE char *overlay = job->dir ? mem_printf("%s/%zu.qcow2", job->dir, i) : NULL;
        struct disk_opts opts = { .mode = job->dir ? DISK_OVERLAY : DISK_READ_ONLY,
                                  .overlay = overlay };
        struct image *image = NULL;

        r = image_open(job->images[i], &image_opts, &image, err);
        if (r == 0)
            r = disk_attach(job->session, image, &opts, &job->disks[i], err);
    }
    return r < 0 ? r
                 : stack_build_with_keys(job->session, job->disks, job->n, &job->keys, &job->stack,
                                         err);
}

static struct volume *topmost(const struct job *job)
{
    for (size_t i = job->stack->n_volumes; i-- > 0;)
        if (job->stack->volumes[i].kind > VOLUME_PARTITION && !job->stack->volumes[i].inactive &&
            (job->keys.n == 0 || job->stack->volumes[i].kind == VOLUME_CRYPT))
            return &job->stack->volumes[i];
    return NULL;
}

static void print_problems(const struct job *job)
{
    for (size_t i = 0; i < job->stack->n_volumes; i++)
        printf("%d %s\n", (int)job->stack->volumes[i].problem_status,
               job->stack->volumes[i].problem);
}

static int compare(const struct volume *volume, int content, struct err *err)
{
    static uint8_t is[BLOCK], should[BLOCK];
    struct stat st;

    if (fstat(content, &st) < 0 || (uint64_t)st.st_size != volume->size_bytes)
        return err_set(err, EPROTO, "%s has %llu bytes instead of %llu", volume->name,
                       (unsigned long long)volume->size_bytes, (unsigned long long)st.st_size);
    for (uint64_t at = 0; at < volume->size_bytes; at += BLOCK) {
        uint64_t left = volume->size_bytes - at;
        size_t len = left < BLOCK ? (size_t)left : BLOCK;
        int r = volume_read(volume, at, is, len);

        if (r == 0)
            r = io_pread_full(content, should, len, at);
        if (r < 0)
            return err_set(err, -r, "read %s at %llu", volume->name, (unsigned long long)at);
        if (memcmp(is, should, len) != 0)
            return err_set(err, EPROTO, "%s differs between %llu and %llu", volume->name,
                           (unsigned long long)at, (unsigned long long)(at + len));
    }
    return 0;
}

static int write_both(struct job *job, struct volume *volume, int content, struct err *err)
{
    const char *node = NULL;
    uint32_t block[1024], number = 12345;
    int r = volume_node(job->stack, volume, &node, err);
    CLEANUP_FD int fd = r < 0 ? -1 : open(node, O_RDWR | O_CLOEXEC);

    if (r < 0 || fd < 0)
        return r < 0 ? r : err_set(err, errno, "open %s", node);
    for (unsigned i = 0; i < WRITES; i++) {
        off_t at;

        number = number * 1103515245U + 12345U;
        at = (off_t)((number >> 4) % (volume->size_bytes / sizeof(block)) * sizeof(block));
        for (size_t w = 0; w < ARRAY_SIZE(block); w++)
            block[w] = number + (uint32_t)w;
        if (pwrite(fd, block, sizeof(block), at) != sizeof(block) ||
            pwrite(content, block, sizeof(block), at) != sizeof(block))
            return err_set(err, errno, "write to %s", node);
    }
    return fsync(fd) < 0 ? err_set(err, errno, "sync %s", node) : 0;
}

/* One volume against the file that has its content. */
static int check(struct job *job, struct volume *volume, const char *path, struct err *err)
{
    CLEANUP_FD int content = open(path, (job->dir ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    int r;

    if (content < 0)
        return err_set(err, errno, "open %s", path);
    printf("%s %s\n", volume->name, volume->read_only);
    r = compare(volume, content, err);
    if (r == 0 && job->dir && volume->read_only[0] == '\0')
        r = write_both(job, volume, content, err);
    return r;
}

static int check_all(struct job *job, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < job->stack->n_volumes && r == 0; i++) {
        struct volume *volume = &job->stack->volumes[i];
        CLEANUP_FREE char *path = mem_printf("%s/%s", job->content, strrchr(volume->name, '/') + 1);

        if (volume->kind != VOLUME_LOGICAL && volume->kind != VOLUME_LDM)
            continue;
        if (volume->inactive)
            printf("%s inactive: %d %s\n", volume->name, (int)volume->problem_status,
                   volume->problem);
        else
            r = check(job, volume, path, err);
    }
    return r;
}

static int use(struct job *job, struct err *err)
{
    struct volume *volume;
    struct stat st;
    int r = attach(job, err);

    if (r < 0)
        return r;
    volume = topmost(job);
    if (!volume || !job->content)
        print_problems(job);
    if (!job->content)
        return volume ? err_set(err, EPROTO, "there is %s", volume->name) : 0;
    if (!volume)
        return err_set(err, EPROTO, "there is no volume");
    if (stat(job->content, &st) == 0 && S_ISDIR(st.st_mode))
        r = check_all(job, err);
    else
        r = check(job, volume, job->content, err);
    if (r == 0 && strcmp(job->mode, "hold") == 0) {
        (void)puts("ready");
        (void)fflush(stdout);
        (void)pause();
    }
    for (size_t i = 0; i < job->n && r == 0; i++)
        r = disk_sync(job->disks[i], err);
    return r;
}

int main(int argc, char **argv)
{
    struct job job = { .mode = argc > 1 ? argv[1] : "" };
    struct err err = ERR_NONE, other = ERR_NONE;
    char text[2 * ERR_TEXT];
    int at = 2, r;

    if (strcmp(job.mode, "problem") != 0)
        job.content = at < argc ? argv[at++] : NULL;
    if (strcmp(job.mode, "write") == 0)
        job.dir = at < argc ? argv[at++] : NULL;
    if (at >= argc || argc - at > DISKS_MAX)
        return 2;
    job.images = argv + at;
    job.n = (size_t)(argc - at);
    r = use(&job, &err);
    stack_free(job.stack);
    keys_done(&job.keys);
    if (session_close(job.session, r < 0 ? &other : &err) < 0)
        r = -1;
    if (r < 0)
        (void)fprintf(stderr, "volume_check: %s\n", err_text(&err, text, sizeof(text)));
    return r < 0 ? 1 : 0;
}
