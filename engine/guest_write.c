/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing below a guest's root. The folder is opened first, confined; from there on only names
 * without a slash are used, never followed, so that nothing renamed meanwhile leads elsewhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/guest.h"
#include "engine/guest_attr.h"
#include "engine/guest_labels.h"
#include "engine/guest_path.h"

#define LINKS_MAX 40 /* as the kernel has it */
#define COPY_BYTES (256U << 10)

/* A folder and a name in it. */
struct place {
    int dir;      /* O_PATH */
    char *folder; /* its path in the guest */
    char name[NAME_MAX + 1];
};

#define PLACE_NONE                                                                                 \
    {                                                                                              \
        .dir = -1                                                                                  \
    }
#define CLEANUP_PLACE __attribute__((cleanup(place_done)))

static void place_done(const struct place *place)
{
    cleanup_fd(&place->dir);
    free(place->folder);
}

/* A full file system of the guest is not the host's lack of space: trying again will not help. */
static int write_error(struct err *err, int code, const char *what, const char *path)
{
    int r = err_set(err, code, "%s %s", what, path);

    if (code == ENOSPC || code == EDQUOT)
        err->status = STATUS_FAILED;
    return r;
}

static int find_place(const struct guest_root *root, const char *path, struct place *ret,
                      struct err *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    CLEANUP_FREE char *dir = NULL;
    int fd;

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
    return 0;
}

/* As find_place(), and a link found there is followed, inside the guest. */
static int find_file_place(const struct guest_root *root, const char *path, struct place *ret,
                           struct err *err)
{
    CLEANUP_FREE char *at = mem_strdup(path);

    for (int links = 0; links < LINKS_MAX; links++) {
        char target[PATH_MAX];
        ssize_t n;
        char *next;
        int r = find_place(root, at, ret, err);

        if (r < 0)
            return r;
        n = readlinkat(ret->dir, ret->name, target, sizeof(target) - 1);
        if (n < 0 && (errno == EINVAL || errno == ENOENT))
            return 0;
        if (n < 0)
            return err_set(err, errno, "look at %s", at);
        target[n] = '\0';
        if (target[0] == '/')
            next = mem_strdup(target);
        else /* ".." in it is the kernel's business: the folder's links are resolved before */
            next = mem_printf("%.*s/%s", (int)(strrchr(at, '/') - at), at, target);
        free(at);
        at = next;
    }
    return err_set(err, ELOOP, "open %s", path);
}

/* A name nobody uses: the kernel's O_EXCL and our 64 random bits see to it. */
static void temp_name(char name[NAME_MAX + 1])
{
    uint64_t bits = 0;

    if (getrandom(&bits, sizeof(bits), 0) != sizeof(bits))
        bits = io_now_ms();
    (void)snprintf(name, NAME_MAX + 1, ".h2k-%016llx", (unsigned long long)bits);
}

static int sync_dir(const struct place *place, const char *path, struct err *err)
{
    CLEANUP_FD int fd = openat(place->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return write_error(err, errno, "sync the folder of", path);
    return 0;
}

/* "/proc/self/fd/N/NAME" for calls that take no folder descriptor. */
static char *place_path(const struct place *place, const char *name)
{
    char dir[GUEST_FD_PATH_MAX];

    return mem_printf("%s/%s", guest_fd_path(place->dir, dir), name);
}

/* @name is what it is called for now. */
static int label_new(const struct guest_root *root, const struct place *place, const char *name,
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

/* The regular file at @place, open for reading; -1 in *ret_fd when there is none. */
static int open_old(const struct place *place, const char *path, int *ret_fd, struct stat *ret_st,
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

static int copy_all(int from, int to)
{
    CLEANUP_FREE char *buf = malloc(COPY_BYTES);
    off_t offset = 0;

    if (!buf)
        return -ENOMEM;
    for (;;) {
        ssize_t n = pread(from, buf, COPY_BYTES, offset);
        int r;

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        r = io_write_full(to, buf, (size_t)n);
        if (r < 0)
            return r;
        offset += n;
    }
}

/* A piece without data and without a descriptor is empty. */
static int write_pieces(int fd, const struct guest_piece *pieces, size_t n_pieces)
{
    for (size_t i = 0; i < n_pieces; i++) {
        int r = 0;

        if (pieces[i].data)
            r = io_write_full(fd, pieces[i].data, pieces[i].len);
        else if (pieces[i].fd > 0)
            r = copy_all(pieces[i].fd, fd);
        if (r < 0)
            return r;
    }
    return 0;
}

/* A file on its way to its name. */
struct replacement {
    struct place place;
    const char *path; /* for messages */
    char temp[NAME_MAX + 1];
    int fd;         /* the temporary */
    int old;        /* the file that is replaced; -1: none */
    struct stat st; /* of @old */
    unsigned flags; /* inode flags of @old */
};

static void replacement_done(const struct replacement *file)
{
    place_done(&file->place);
    cleanup_fd(&file->fd);
    cleanup_fd(&file->old);
}

/* Attributes come after the content: writing and chown would clear capabilities. */
static int set_attributes(const struct guest_root *root, const struct replacement *file,
                          const struct guest_attr *attr, struct err *err)
{
    struct guest_attr kept = { .mode = file->st.st_mode,
                               .uid = file->st.st_uid,
                               .gid = file->st.st_gid };
    int r = attr_set_owner(file->fd, file->old >= 0 ? &kept : attr);

    if (r < 0)
        return write_error(err, -r, "set owner and mode of", file->path);
    if (file->old < 0)
        return label_new(root, &file->place, file->temp, file->path, err);
    r = attr_copy_xattrs(file->old, file->fd);
    if (r < 0)
        return write_error(err, -r, "keep the extended attributes of", file->path);
    return 0;
}

static int fill(const struct guest_root *root, const struct replacement *file,
                const struct guest_piece *pieces, size_t n_pieces, const struct guest_attr *attr,
                struct err *err)
{
    int r;

    attr_set_storage_flags(file->fd, file->flags);
    r = write_pieces(file->fd, pieces, n_pieces);
    if (r < 0)
        return write_error(err, -r, "write", file->path);
    r = set_attributes(root, file, attr, err);
    if (r < 0)
        return r;
    if (fsync(file->fd) < 0)
        return write_error(err, errno, "sync", file->path);
    return 0;
}

/* The old file may be immutable: that is lifted for the rename only and set on the new one. */
static int put_in_place(const struct replacement *file, struct err *err)
{
    const struct place *place = &file->place;
    int r = file->old >= 0 ? attr_unlock(file->old, file->flags) : 0;

    if (r < 0)
        return write_error(err, -r, "clear the immutable flag of", file->path);
    if (renameat(place->dir, file->temp, place->dir, place->name) < 0) {
        r = write_error(err, errno, "replace", file->path);
        if (file->old >= 0)
            (void)attr_lock(file->old, file->flags); /* the rename's failure is what counts */
        return r;
    }
    return 0;
}

int guest_replace(const struct guest_root *root, const char *path, const struct guest_piece *pieces,
                  size_t n_pieces, const struct guest_attr *attr, struct err *err)
{
    CLEANUP(replacement_done)
    struct replacement file = { .place = PLACE_NONE, .path = path, .fd = -1, .old = -1 };
    int r = find_file_place(root, path, &file.place, err);

    if (r == 0)
        r = open_old(&file.place, path, &file.old, &file.st, err);
    if (r < 0)
        return r;
    if (file.old >= 0)
        file.flags = attr_get_flags(file.old);
    temp_name(file.temp);
    file.fd = openat(file.place.dir, file.temp,
                     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
    if (file.fd < 0)
        return write_error(err, errno, "make a new file beside", path);
    r = fill(root, &file, pieces, n_pieces, attr, err);
    if (r == 0)
        r = put_in_place(&file, err);
    if (r < 0) {
        (void)unlinkat(file.place.dir, file.temp, 0); /* the first failure is what counts */
        return r;
    }
    r = attr_lock(file.fd, file.flags);
    if (r < 0)
        return write_error(err, -r, "set the immutable flag of", path);
    return sync_dir(&file.place, path, err);
}

int guest_remove(const struct guest_root *root, const char *path, struct err *err)
{
    CLEANUP_PLACE struct place place = PLACE_NONE;
    struct stat st;
    int r = find_place(root, path, &place, err);

    if (r < 0)
        return r;
    if (fstatat(place.dir, place.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_set(err, errno, "remove %s", path);
    if (S_ISREG(st.st_mode)) {
        CLEANUP_FD int old = -1;

        r = open_old(&place, path, &old, &st, err);
        if (r < 0)
            return r;
        if (old >= 0)
            (void)attr_unlock(old, attr_get_flags(old)); /* unlinkat() says when it mattered */
    }
    if (unlinkat(place.dir, place.name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0)
        return err_set(err, errno, "remove %s", path);
    return sync_dir(&place, path, err);
}

int guest_symlink(const struct guest_root *root, const char *target, const char *path,
                  struct err *err)
{
    CLEANUP_PLACE struct place place = PLACE_NONE;
    char temp[NAME_MAX + 1];
    int r = find_place(root, path, &place, err);

    if (r < 0)
        return r;
    temp_name(temp);
    if (symlinkat(target, place.dir, temp) < 0)
        return write_error(err, errno, "make the link", path);
    r = label_new(root, &place, temp, path, err);
    if (r == 0 && renameat(place.dir, temp, place.dir, place.name) < 0)
        r = write_error(err, errno, "make the link", path);
    if (r < 0) {
        (void)unlinkat(place.dir, temp, 0); /* the first failure is what counts */
        return r;
    }
    return sync_dir(&place, path, err);
}

/* One folder; its parent is there. */
static int make_dir(const struct guest_root *root, const char *path, const struct guest_attr *attr,
                    struct err *err)
{
    CLEANUP_PLACE struct place place = PLACE_NONE;
    CLEANUP_FD int fd = -1;
    int r = find_place(root, path, &place, err);

    if (r < 0)
        return r;
    if (mkdirat(place.dir, place.name, 0700) < 0)
        return write_error(err, errno, "make the folder", path);
    fd = openat(place.dir, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno, "open %s", path);
    r = attr_set_owner(fd, attr);
    if (r < 0)
        return write_error(err, -r, "set owner and mode of", path);
    r = label_new(root, &place, place.name, path, err);
    return r < 0 ? r : sync_dir(&place, path, err);
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
        return write_error(err, errno, "change the mode of", path);
    return 0;
}
