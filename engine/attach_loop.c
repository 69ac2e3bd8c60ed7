/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loop devices straight on a raw image, read-only. */
#include "engine/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/mem.h"
#include "engine/loopdev.h"
#include "engine/watch.h"

static bool loop_can(const struct image *image, enum disk_mode mode)
{
    return mode == DISK_READ_ONLY && strcmp(image->format, "raw") == 0;
}

static int loop_done(void *arg, struct err *err)
{
    struct disk *disk = arg;

    (void)err;
    if (disk->fd >= 0)
        (void)close(disk->fd);
    disk->fd = -1;
    return 0;
}

static int loop_attach_image(struct session *session, struct disk *disk, struct err *err)
{
    const struct image *image = disk->image;
    struct stat st;

    disk->fd = open(image->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (disk->fd < 0)
        return err_set(err, errno, "open %s", image->path);
    undo_push(session_undo(session), image->path, loop_done, disk);
    if (fstat(disk->fd, &st) < 0)
        return err_set(err, errno, "stat %s", image->path);
    if (st.st_dev != image->files[0].st.st_dev || st.st_ino != image->files[0].st.st_ino)
        return err_set(err, ESTALE, "open %s", image->path);
    return 0;
}

static int unguard(void *arg, struct err *err)
{
    int fd = *(int *)arg;

    (void)err;
    free(arg);
    watch_hold_end(fd);
    return 0;
}

/* The whole disk is what devices of the device mapper lie on, and its start may be that of a volume
 * group or an array of the guest's. */
static int map(struct session *session, struct disk *disk, uint64_t offset, uint64_t len,
               char **ret_node, struct err *err)
{
    int r = disk_map_loop(session, disk, offset, len, ret_node, err);
    int guard;

    if (r < 0 || len > 0)
        return r;
    r = watch_hold(session, disk->map_fds[disk->n_map_fds - 1], strrchr(*ret_node, '/') + 1, &guard,
                   err);
    if (r == 0)
        undo_push(session_undo(session), "guard of a loop device", unguard,
                  mem_dup(&guard, sizeof(guard)));
    return r;
}

const struct attach_backend attach_loop = {
    .name = "loop",
    .summary = "loop devices on a raw image, for reading only",
    .probe = loop_probe,
    .attach = loop_attach_image,
    .can = loop_can,
    .map = map,
};
