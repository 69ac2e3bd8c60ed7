/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Removing and making what is no regular file. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/guest_attr.h"
#include "engine/guest_ntfs.h"
#include "engine/guest_path.h"
#include "engine/guest_place.h"

int guest_remove(const struct guest_root *root, const char *path, struct err *err)
{
    CLEANUP_PLACE struct place place = PLACE_NONE;
    struct stat st;
    int r = place_find(root, path, &place, err);

    if (r < 0)
        return r;
    if (fstatat(place.dir, place.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_set(err, errno, "remove %s", path);
    if (S_ISREG(st.st_mode)) {
        CLEANUP_FD int old = -1;

        r = place_open_old(&place, path, &old, &st, err);
        if (r < 0)
            return r;
        if (old >= 0)
            (void)attr_unlock(old, attr_get_flags(old)); /* unlinkat() says when it mattered */
    }
    if (unlinkat(place.dir, place.name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0)
        return err_set(err, errno, "remove %s", path);
    return place_sync(&place, path, err);
}

int guest_symlink(const struct guest_root *root, const char *target, const char *path,
                  struct err *err)
{
    CLEANUP_PLACE struct place place = PLACE_NONE;
    char temp[NAME_MAX + 1];
    int r = place_find(root, path, &place, err);

    if (r < 0)
        return r;
    place_temp_name(temp);
    if (symlinkat(target, place.dir, temp) < 0)
        return guest_write_error(err, errno, "make the link", path);
    r = place_label(root, &place, temp, path, err);
    if (r == 0 && renameat(place.dir, temp, place.dir, place.name) < 0)
        r = guest_write_error(err, errno, "make the link", path);
    if (r < 0) {
        (void)unlinkat(place.dir, temp, 0); /* the first failure is what counts */
        return r;
    }
    return place_sync(&place, path, err);
}

/* One folder; its parent is there. */
static int make_dir(const struct guest_root *root, const char *path, const struct guest_attr *attr,
                    struct err *err)
{
    CLEANUP_PLACE struct place place = PLACE_NONE;
    CLEANUP_FD int fd = -1;
    int r = place_find(root, path, &place, err);

    if (r < 0)
        return r;
    if (mkdirat(place.dir, place.name, 0700) < 0)
        return guest_write_error(err, errno, "make the folder", path);
    fd = openat(place.dir, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno, "open %s", path);
    r = attr_set_owner(fd, attr);
    if (r < 0)
        return guest_write_error(err, -r, "set owner and mode of", path);
    r = guest_ntfs_store_plainly(fd);
    if (r == 0)
        r = guest_ntfs_secure(place.dir, fd, attr, true);
    if (r < 0)
        return guest_write_error(err, -r, "set the security descriptor of", path);
    r = place_label(root, &place, place.name, path, err);
    return r < 0 ? r : place_sync(&place, path, err);
}

int guest_mkdir(const struct guest_root *root, const char *path, const struct guest_attr *attr,
                struct err *err)
{
    size_t len = strlen(path);

    if (path[0] != '/')
        return err_set(err, EINVAL, "%s is not an absolute path", path);
    for (size_t end = 1; end <= len; end++) {
        CLEANUP_FREE char *part = NULL;
        CLEANUP_FD int fd = -1;
        int r;

        if ((path[end] != '/' && path[end] != '\0') || path[end - 1] == '/')
            continue;
        part = mem_strndup(path, end);
        fd = guest_path_open(root, part, O_PATH | O_DIRECTORY);
        if (fd >= 0)
            continue;
        if (fd != -ENOENT)
            return err_set(err, -fd, "open %s", part);
        r = make_dir(root, part, attr, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int guest_chmod(const struct guest_root *root, const char *path, mode_t mode, struct err *err)
{
    char name[GUEST_FD_PATH_MAX];
    CLEANUP_FD int fd = guest_path_open(root, path, O_PATH);

    if (fd < 0)
        return err_set(err, -fd, "open %s", path);
    /* fchmod(2) refuses O_PATH descriptors */
    if (chmod(guest_fd_path(fd, name), mode & 07777) < 0)
        return guest_write_error(err, errno, "change the mode of", path);
    return 0;
}
