/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/virtio_win.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "fixers/windows/win_source.h"

#define ISO_NAME "virtio-win.iso"

static const char *const host_places[] = {
    "/usr/share/virtio-win/" ISO_NAME,
    "/usr/share/virtio-win",
};

/* ---- opening ---- */

static bool has_drivers(const struct win_source *source)
{
    for (size_t i = 0; i < source->n_entries; i++)
        if (win_source_is_inf(source->entries[i].path))
            return true;
    return false;
}

/* A folder may hold nothing but the image. */
static int open_inner(struct win_source *source, struct err *err)
{
    const struct win_entry *iso = win_source_find(source, ISO_NAME);
    CLEANUP_FREE char *path = NULL;

    if (has_drivers(source))
        return 0;
    if (!iso || !source->root)
        return err_set(err, EINVAL, "%s holds no drivers in folders like viostor/w10/amd64",
                       source->path);
    path = mem_printf("%s/%s", source->path, iso->path);
    win_source_done(source);
    return win_source_open(path, source, err);
}

static const char *choose_path(const char *path)
{
    const char *env = getenv(VIRTIO_WIN_ENV);

    if (path)
        return path;
    if (env && *env)
        return env;
    for (size_t i = 0; i < ARRAY_SIZE(host_places); i++)
        if (access(host_places[i], R_OK) == 0)
            return host_places[i];
    return NULL;
}

int virtio_win_open(const char *path, struct virtio_win **ret, struct err *err)
{
    const char *chosen = choose_path(path);
    struct virtio_win *source;
    int n;

    if (!chosen)
        return err_set(err, ENOENT,
                       "no drivers for Windows: name them with --virtio-win, or install the "
                       "package virtio-win");
    source = mem_alloc(sizeof(*source));
    n = win_source_open(chosen, &source->source, err);
    if (n == 0)
        n = open_inner(&source->source, err);
    if (n < 0) {
        virtio_win_free(source);
        return n;
    }
    *ret = source;
    return 0;
}

void virtio_win_free(struct virtio_win *source)
{
    if (source)
        win_source_done(&source->source);
    free(source);
}

const char *virtio_win_path(const struct virtio_win *source)
{
    return source->source.path;
}

/* ---- reading ---- */

int virtio_win_load(struct virtio_win *source, struct win_drivers *drivers, struct err *err)
{
    struct win_entry *entries = source->source.entries;
    int n;

    for (size_t i = 0; i < drivers->n; i++)
        for (size_t k = 0; k < drivers->items[i].n_files; k++)
            entries[drivers->items[i].files[k].entry].wanted = true;
    n = win_source_load(&source->source, err);
    for (size_t i = 0; n == 0 && i < drivers->n; i++)
        for (size_t k = 0; k < drivers->items[i].n_files; k++) {
            struct win_file *file = &drivers->items[i].files[k];

            file->data = entries[file->entry].data;
            file->len = entries[file->entry].len;
        }
    return n;
}

const char *virtio_win_agent(const struct virtio_win *source, enum win_arch arch)
{
    static const char *const names[] = {
        [WIN_X86] = "qemu-ga-i386.msi",
        [WIN_AMD64] = "qemu-ga-x86_64.msi",
        [WIN_ARM64] = "qemu-ga-aarch64.msi",
    };

    for (size_t i = 0; i < source->source.n_entries; i++)
        if (strcasecmp(win_source_base(source->source.entries[i].path), names[arch]) == 0)
            return source->source.entries[i].path;
    return NULL;
}

int virtio_win_read(struct virtio_win *source, const char *path, const void **ret_data,
                    size_t *ret_len, struct err *err)
{
    struct win_entry *entry = win_source_find(&source->source, path);
    int n;

    if (!entry)
        return err_set(err, ENOENT, "%s of %s", path, source->source.path);
    entry->wanted = true;
    n = win_source_load(&source->source, err);
    if (n < 0)
        return n;
    *ret_data = entry->data;
    *ret_len = entry->len;
    return 0;
}
