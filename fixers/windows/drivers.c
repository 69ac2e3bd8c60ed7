/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/drivers.h"

#include <errno.h>

#include "engine/base/cleanup.h"

struct drivers {
    char *path; /* NULL: none was named */
    struct virtio_win *files;
    struct win_drivers drivers;
    bool is_open, has_drivers;
    char why[2 * ERR_TEXT]; /* why there are none */
};

struct drivers *drivers_new(const char *path)
{
    struct drivers *source = mem_alloc(sizeof(*source));

    source->path = path ? mem_strdup(path) : NULL;
    return source;
}

void drivers_free(struct drivers *source)
{
    if (!source)
        return;
    win_drivers_done(&source->drivers);
    virtio_win_free(source->files);
    free(source->path);
    free(source);
}

static int open_files(struct drivers *source, struct err *err)
{
    int r;

    if (source->is_open)
        return 0;
    r = virtio_win_open(source->path, &source->files, err);
    if (r == -ENOENT && !source->path) {
        (void)err_text(err, source->why, sizeof(source->why));
        err_clear(err);
        r = 0;
    }
    source->is_open = r >= 0;
    return r;
}

int drivers_get(struct drivers *source, const struct win_target *target,
                const struct win_drivers **ret, const char **ret_why, struct err *err)
{
    int r;

    *ret_why = source ? source->why : "";
    if (!source)
        return 0;
    r = open_files(source, err);
    if (r < 0 || !source->files)
        return r;
    if (!source->has_drivers) {
        virtio_win_choose(source->files, target, true, &source->drivers);
        r = virtio_win_load(source->files, &source->drivers, err);
        if (r < 0) {
            win_drivers_done(&source->drivers);
            return r;
        }
        source->has_drivers = true;
    }
    *ret = &source->drivers;
    return 1;
}

int drivers_agent(struct drivers *source, enum win_arch arch, const void **ret, size_t *ret_len,
                  const char **ret_why, struct err *err)
{
    const char *path;
    int r;

    *ret_why = source ? source->why : "";
    if (!source)
        return 0;
    r = open_files(source, err);
    if (r < 0 || !source->files)
        return r;
    path = virtio_win_agent(source->files, arch);
    if (!path) {
        *ret_why = "there is none in what --virtio-win names";
        return 0;
    }
    r = virtio_win_read(source->files, path, ret, ret_len, err);
    return r < 0 ? r : 1;
}
