/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/guest_path.h"

#define LIST_MAX 65536U /* names in one directory */

/* Looks at the type before the real open: opening a FIFO or a device already does something. */
static int open_regular(const struct guest_root *root, const char *path, struct stat *ret_st,
                        struct err *err)
{
    char name[GUEST_FD_PATH_MAX];
    CLEANUP_FD int where = guest_path_open(root, path, O_PATH);
    int fd;

    if (where < 0)
        return err_set(err, -where, "open %s", path);
    if (fstat(where, ret_st) < 0)
        return err_set(err, errno, "stat %s", path);
    if (!S_ISREG(ret_st->st_mode))
        return err_set(err, EINVAL, "%s is not a regular file", path);
    fd = open(guest_fd_path(where, name), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return err_set(err, errno, "open %s", path);
    return fd;
}

int guest_open(const struct guest_root *root, const char *path, struct err *err)
{
    struct stat st;

    return open_regular(root, path, &st, err);
}

int guest_read(const struct guest_root *root, const char *path, size_t max_bytes, char **ret_text,
               size_t *ret_len, struct err *err)
{
    struct stat st = { 0 };
    CLEANUP_FD int fd = open_regular(root, path, &st, err);
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;

    if (fd < 0)
        return fd;
    if ((uint64_t)st.st_size > max_bytes)
        return err_set(err, EFBIG, "%s is larger than %zu bytes", path, max_bytes);
    text = malloc((size_t)st.st_size + 1);
    if (!text)
        return err_set(err, ENOMEM, "read %s", path);
    while (len < (size_t)st.st_size) {
        ssize_t n = read(fd, text + len, (size_t)st.st_size - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, errno, "read %s", path);
        if (n == 0)
            break;
        len += (size_t)n;
    }
    text[len] = '\0';
    *ret_text = TAKE(text);
    if (ret_len)
        *ret_len = len;
    return 0;
}

ssize_t guest_pread(const struct guest_root *root, const char *path, void *buf, size_t len,
                    uint64_t offset, struct err *err)
{
    struct stat st = { 0 };
    CLEANUP_FD int fd = open_regular(root, path, &st, err);
    size_t done = 0;

    if (fd < 0)
        return fd;
    if (offset > INT64_MAX - len)
        return err_set(err, EINVAL, "read %s", path);
    while (done < len) {
        ssize_t n = pread(fd, (char *)buf + done, len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, errno, "read %s", path);
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static int stat_flags(const struct guest_root *root, const char *path, int flags, struct stat *ret)
{
    CLEANUP_FD int fd = guest_path_open(root, path, O_PATH | flags);

    if (fd < 0)
        return fd;
    return fstat(fd, ret) < 0 ? -errno : 0;
}

int guest_stat(const struct guest_root *root, const char *path, struct stat *ret)
{
    return stat_flags(root, path, 0, ret);
}

int guest_lstat(const struct guest_root *root, const char *path, struct stat *ret)
{
    return stat_flags(root, path, O_NOFOLLOW, ret);
}

bool guest_exists(const struct guest_root *root, const char *path)
{
    struct stat st;

    return guest_stat(root, path, &st) == 0;
}

bool guest_is_file(const struct guest_root *root, const char *path)
{
    struct stat st;

    return guest_stat(root, path, &st) == 0 && S_ISREG(st.st_mode);
}

bool guest_is_dir(const struct guest_root *root, const char *path)
{
    struct stat st;

    return guest_stat(root, path, &st) == 0 && S_ISDIR(st.st_mode);
}

int guest_readlink(const struct guest_root *root, const char *path, char **ret, struct err *err)
{
    CLEANUP_FD int fd = guest_path_open(root, path, O_PATH | O_NOFOLLOW);
    char target[PATH_MAX];
    int r;

    if (fd < 0)
        return err_set(err, -fd, "open %s", path);
    r = guest_path_readlink(root, fd, "", target);
    if (r < 0) /* the kernel says ENOENT for what is not a link when the name is empty */
        return err_set(err, r == -ENOENT ? EINVAL : -r, "read the link %s", path);
    *ret = mem_strdup(target);
    return 0;
}

/* Where the kernel says that @fd is, as this process sees it. */
static int where_is(int fd, char buf[PATH_MAX])
{
    char name[GUEST_FD_PATH_MAX];
    ssize_t n = readlink(guest_fd_path(fd, name), buf, PATH_MAX);

    if (n < 0)
        return -errno;
    if (n == PATH_MAX || buf[0] != '/') /* "(unreachable)/..." */
        return -ENAMETOOLONG;
    buf[n] = '\0';
    return 0;
}

static int real_path(const struct guest_root *root, const char *path, char **ret, struct err *err)
{
    CLEANUP_FD int fd = guest_path_open_exact(root, path, O_PATH);
    char top[PATH_MAX] = "", full[PATH_MAX] = "";
    size_t len;
    int r;

    if (fd < 0)
        return err_set(err, -fd, "open %s", path);
    r = where_is(root->fd, top);
    if (r == 0)
        r = where_is(fd, full);
    if (r < 0)
        return err_set(err, -r, "resolve %s", path);
    len = strcmp(top, "/") == 0 ? 0 : strlen(top);
    if (strncmp(full, top, len) != 0 || (full[len] != '/' && full[len] != '\0'))
        return err_set(err, EXDEV, "resolve %s", path);
    *ret = mem_strdup(full[len] ? full + len : "/");
    return 0;
}

int guest_real_path(const struct guest_root *root, const char *path, char **ret, struct err *err)
{
    return root->ignore_case || root->n_volumes > 0 ? guest_case_real_path(root, path, ret, err)
                                                    : real_path(root, path, ret, err);
}

int guest_list(const struct guest_root *root, const char *path, struct strlist *ret,
               struct err *err)
{
    CLEANUP_DIR DIR *dir = NULL;
    CLEANUP_STRLIST struct strlist list = { 0 };
    int fd = guest_path_open(root, path, O_RDONLY | O_DIRECTORY);

    if (fd < 0)
        return err_set(err, -fd, "open %s", path);
    dir = fdopendir(fd);
    if (!dir) {
        (void)close(fd);
        return err_set(err, ENOMEM, "open %s", path);
    }
    for (;;) {
        const struct dirent *entry;

        errno = 0;
        entry = readdir(dir);
        if (!entry && errno)
            return err_set(err, errno, "list %s", path);
        if (!entry)
            break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (list.n == LIST_MAX)
            return err_set(err, E2BIG, "%s has more than %u entries", path, LIST_MAX);
        strlist_add(&list, entry->d_name);
    }
    strlist_sort(&list);
    for (size_t i = 0; i < list.n; i++)
        strlist_take(ret, TAKE(list.items[i]));
    return 0;
}

int guest_files(const struct guest_root *root, const char *folder, const char *pattern, int flags,
                struct strlist *ret, struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = guest_is_dir(root, folder) ? guest_list(root, folder, &names, err) : 0;

    if (root->ignore_case)
        flags |= FNM_CASEFOLD;
    for (size_t i = 0; r == 0 && i < names.n; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", folder, names.items[i]);

        if (fnmatch(pattern, names.items[i], flags) == 0 && guest_is_file(root, path))
            strlist_take(ret, TAKE(path));
    }
    return r;
}

int guest_free_space(const struct guest_root *root, const char *path, uint64_t *ret_free,
                     struct err *err)
{
    CLEANUP_FD int fd = guest_path_open(root, path, O_PATH);
    struct statfs fs;

    if (fd < 0)
        return err_set(err, -fd, "open %s", path);
    if (fstatfs(fd, &fs) < 0)
        return err_set(err, errno, "ask for the free space at %s", path);
    if (__builtin_mul_overflow((uint64_t)fs.f_bavail, (uint64_t)fs.f_bsize, ret_free))
        *ret_free = UINT64_MAX;
    return 0;
}
