/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/guest_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/guest_attr.h"
#include "engine/guest_labels.h"
#include "engine/guest_path.h"

#define LINKS_MAX 40 /* as the kernel has it */

void place_done(const struct place *place)
{
    cleanup_fd(&place->dir);
    free(place->folder);
}

int guest_write_error(struct err *err, int code, const char *what, const char *path)
{
    int r = err_set(err, code, "%s %s", what, path);

    if (code == ENOSPC || code == EDQUOT)
        err->status = STATUS_FAILED;
    return r;
}

int place_find(const struct guest_root *root, const char *path, struct place *ret, struct err *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *below = path;
    const struct guest_root *in = guest_path_volume(root, &below, NULL);
    CLEANUP_FREE char *dir = NULL;
    int fd, r;

    if (!slash)
        return err_set(err, EINVAL, "%s is not an absolute path", path);
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return err_set(err, EISDIR, "write %s", path);
    if (strlen(name) > NAME_MAX || strlen(path) >= PATH_MAX)
        return err_set(err, ENAMETOOLONG, "write %.80s...", path);
    dir = slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
    fd = guest_path_open(root, dir, O_PATH | O_DIRECTORY);
    if (fd < 0)
        return err_set(err, -fd, "open %s", dir);
    place_done(ret);
    ret->dir = fd;
    ret->folder = dir;
    dir = NULL;
    memcpy(ret->name, name, strlen(name) + 1);
    r = in->ignore_case ? guest_case_name(in, fd, name, ret->name) : 0;
    return r < 0 && r != -ENOENT ? err_set(err, -r, "look at the folder of %s", path) : 0;
}

int place_find_file(const struct guest_root *root, const char *path, struct place *ret,
                    struct err *err)
{
    CLEANUP_FREE char *at = mem_strdup(path);
    const char *volume;
    const struct guest_root *in = guest_path_volume(root, &path, &volume);

    for (int links = 0; links < LINKS_MAX; links++) {
        char target[PATH_MAX];
        char *next;
        int r = place_find(root, at, ret, err);

        if (r < 0)
            return r;
        r = guest_path_readlink(in, ret->dir, ret->name, target);
        if (r == -EINVAL || r == -ENOENT)
            return 0;
        if (r < 0)
            return err_set(err, -r, "look at %s", at);
        if (target[0] == '/')
            next = mem_printf("%s%s", volume, target);
        else /* ".." in it is the kernel's business: the folder's links are resolved before */
            next = mem_printf("%.*s/%s", (int)(strrchr(at, '/') - at), at, target);
        free(at);
        at = next;
    }
    return err_set(err, ELOOP, "open %s", path);
}

void place_temp_name(char name[NAME_MAX + 1])
{
    uint64_t bits = 0;

    if (getrandom(&bits, sizeof(bits), 0) != sizeof(bits))
        bits = io_now_ms();
    (void)snprintf(name, NAME_MAX + 1, ".h2k-%016llx", (unsigned long long)bits);
}

int place_sync(const struct place *place, const char *path, struct err *err)
{
    CLEANUP_FD int fd = openat(place->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return guest_write_error(err, errno, "sync the folder of", path);
    return 0;
}

/* "/proc/self/fd/N/NAME" for calls that take no folder descriptor. */
static char *place_path(const struct place *place, const char *name)
{
    char dir[GUEST_FD_PATH_MAX];

    return mem_printf("%s/%s", guest_fd_path(place->dir, dir), name);
}

int place_label(const struct guest_root *root, const struct place *place, const char *name,
                const char *path, struct err *err)
{
    CLEANUP_FREE char *full = place_path(place, name);
    CLEANUP_FREE char *label = NULL;
    CLEANUP_FD int dir = openat(place->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st = { 0 };
    int r = dir < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;

    if (r == 0)
        label = guest_labels_find(root, place->folder, place->name, st.st_mode);
    if (r == 0)
        r = label ? attr_label(full, label) : attr_label_like(dir, full);
    return r < 0 ? err_set(err, -r, "label %s", path) : 0;
}

int place_open_old(const struct place *place, const char *path, int *ret_fd, struct stat *ret_st,
                   struct err *err)
{
    char name[GUEST_FD_PATH_MAX];
    CLEANUP_FD int where = openat(place->dir, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (where < 0 && errno == ENOENT)
        return 0;
    if (where < 0 || fstat(where, ret_st) < 0)
        return err_set(err, errno, "open %s", path);
    if (!S_ISREG(ret_st->st_mode))
        return err_set(err, EINVAL, "%s is not a regular file", path);
    *ret_fd = open(guest_fd_path(where, name), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*ret_fd < 0)
        return err_set(err, errno, "open %s", path);
    return 0;
}
