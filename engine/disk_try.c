/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"

#define TRY_BYTES 65536

static void fill(unsigned char *bytes)
{
    for (size_t i = 0; i < TRY_BYTES; i++)
        bytes[i] = (unsigned char)(i * 31 + i / 512);
}

static int make_image(const char *path, struct err *err)
{
    unsigned char bytes[TRY_BYTES];

    fill(bytes);
    return io_write_file(path, bytes, sizeof(bytes), 0600, err);
}

/* The device has the bytes of the file. */
static int compare(const char *node, struct err *err)
{
    unsigned char want[TRY_BYTES], got[TRY_BYTES];
    CLEANUP_FD int fd = open(node, O_RDONLY | O_CLOEXEC);
    int r;

    if (fd < 0)
        return err_set(err, errno, "open %s", node);
    r = io_read_full(fd, got, sizeof(got));
    if (r < 0)
        return err_set(err, -r, "read %s", node);
    fill(want);
    if (memcmp(want, got, sizeof(got)) != 0)
        return err_set(err, EPROTO, "%s has other bytes than its image", node);
    return 0;
}

static int try_in(struct session *session, const char *backend, struct image **ret_image,
                  struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("%s/try.raw", session_work_dir(session));
    CLEANUP_FREE char *node = NULL;
    struct image_opts image_opts = { .format = "raw" };
    struct disk_opts disk_opts = { .backend = backend, .mode = DISK_READ_ONLY };
    struct disk *disk = NULL;
    int r = make_image(path, err);

    if (r == 0)
        r = image_open(path, &image_opts, ret_image, err);
    if (r == 0)
        r = disk_attach(session, *ret_image, &disk_opts, &disk, err);
    if (r == 0)
        r = disk_map(session, disk, 0, 0, &node, err);
    return r < 0 || !node ? r : compare(node, err);
}

int disk_try_backend(const struct attach_backend *backend, struct err *err)
{
    struct session *session = NULL;
    struct image *image = NULL;
    struct err ignored = ERR_NONE;
    int r = backend->probe(err);
    int closed;

    if (r < 0)
        return r;
    r = session_open(NULL, &session, err);
    if (r < 0)
        return r;
    r = try_in(session, backend->name, &image, err);
    closed = session_close(session, r < 0 ? &ignored : err);
    image_free(image);
    return r < 0 ? r : closed;
}
