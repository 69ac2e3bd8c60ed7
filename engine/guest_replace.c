/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Putting a whole new content in the place of a guest's file. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/guest_attr.h"
#include "engine/guest_ntfs.h"
#include "engine/guest_path.h"
#include "engine/guest_place.h"

#define COPY_BYTES (256U << 10)

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
    char folder[NAME_MAX + 1]; /* that the temporary is made in; "": beside the old one */
    int fd;                    /* the temporary */
    int old;                   /* the file that is replaced; -1: none */
    struct stat st;            /* of @old */
    unsigned flags;            /* inode flags of @old */
};

static void replacement_done(const struct replacement *file)
{
    if (file->folder[0])
        (void)unlinkat(file->place.dir, file->folder, AT_REMOVEDIR);
    place_done(&file->place);
    cleanup_fd(&file->fd);
    cleanup_fd(&file->old);
}

/* Attributes come after the content: writing and chown would clear capabilities. */
/* A new file, not under its name yet. */
static int open_new(struct replacement *file, struct err *err)
{
    int dir = file->place.dir, r = 0;

    place_temp_name(file->temp);
    if (guest_ntfs_compresses(dir)) {
        memcpy(file->folder, file->temp, sizeof(file->folder));
        r = guest_ntfs_plain_folder(dir, file->folder);
        (void)snprintf(file->temp, sizeof(file->temp), "%.*s/new", (int)sizeof(file->temp) - 5,
                       file->folder);
    }
    if (r == 0)
        file->fd = openat(dir, file->temp,
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
    if (r < 0 || file->fd < 0)
        return guest_write_error(err, r < 0 ? -r : errno, "make a new file beside", file->path);
    return 0;
}

static int set_attributes(const struct guest_root *root, const struct replacement *file,
                          const struct guest_attr *attr, struct err *err)
{
    struct guest_attr kept = { .mode = file->st.st_mode,
                               .uid = file->st.st_uid,
                               .gid = file->st.st_gid };
    int r = attr_set_owner(file->fd, file->old >= 0 ? &kept : attr);

    if (r < 0)
        return guest_write_error(err, -r, "set owner and mode of", file->path);
    if (file->old < 0) {
        r = guest_ntfs_secure(file->place.dir, file->fd, attr, false);
        return r < 0 ? guest_write_error(err, -r, "set the security descriptor of", file->path)
                     : place_label(root, &file->place, file->temp, file->path, err);
    }
    r = attr_copy_xattrs(file->old, file->fd);
    if (r < 0)
        return guest_write_error(err, -r, "keep the extended attributes of", file->path);
    return 0;
}

static int fill(const struct guest_root *root, const struct replacement *file,
                const struct guest_piece *pieces, size_t n_pieces, const struct guest_attr *attr,
                struct err *err)
{
    int r;

    if (!guest_ntfs_is(file->fd)) /* to be compressed is one of them */
        attr_set_storage_flags(file->fd, file->flags);
    r = guest_ntfs_store_plainly(file->fd);
    if (r < 0)
        return guest_write_error(err, -r, "make an uncompressed file for", file->path);
    r = write_pieces(file->fd, pieces, n_pieces);
    if (r < 0)
        return guest_write_error(err, -r, "write", file->path);
    r = set_attributes(root, file, attr, err);
    if (r < 0)
        return r;
    if (fsync(file->fd) < 0)
        return guest_write_error(err, errno, "sync", file->path);
    return 0;
}

/* The old file may be immutable: that is lifted for the rename only and set on the new one. */
static int put_in_place(const struct replacement *file, struct err *err)
{
    const struct place *place = &file->place;
    int r = file->old >= 0 ? attr_unlock(file->old, file->flags) : 0;

    if (r < 0)
        return guest_write_error(err, -r, "clear the immutable flag of", file->path);
    if (renameat(place->dir, file->temp, place->dir, place->name) < 0) {
        r = guest_write_error(err, errno, "replace", file->path);
        if (file->old >= 0)
            (void)attr_lock(file->old, file->flags); /* the rename's failure is what counts */
        return r;
    }
    return 0;
}

/* Is what is to be written read from the file itself? */
static bool is_own_source(const struct replacement *file, const struct guest_piece *pieces,
                          size_t n_pieces)
{
    struct stat st;

    for (size_t i = 0; i < n_pieces; i++)
        if (!pieces[i].data && pieces[i].fd > 0 && fstat(pieces[i].fd, &st) == 0 &&
            st.st_dev == file->st.st_dev && st.st_ino == file->st.st_ino)
            return true;
    return false;
}

/* Attributes, short name and time of creation of a file can be set there by ioctls at best. */
static bool is_fat(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type == MSDOS_SUPER_MAGIC;
}

/* Where it is: all that is not its bytes stays. */
static int write_over(const struct replacement *file, const struct guest_piece *pieces,
                      size_t n_pieces, struct err *err)
{
    char name[GUEST_FD_PATH_MAX];
    CLEANUP_FD int fd = open(guest_fd_path(file->old, name), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    off_t end;
    int r;

    if (fd < 0)
        return err_set(err, errno, "open %s for writing", file->path);
    r = write_pieces(fd, pieces, n_pieces);
    if (r < 0)
        return guest_write_error(err, -r, "write", file->path);
    end = lseek(fd, 0, SEEK_CUR);
    if (end < 0 || ftruncate(fd, end) < 0 || fsync(fd) < 0)
        return guest_write_error(err, errno, "write", file->path);
    return 0;
}

int guest_replace(const struct guest_root *root, const char *path, const struct guest_piece *pieces,
                  size_t n_pieces, const struct guest_attr *attr, struct err *err)
{
    CLEANUP(replacement_done)
    struct replacement file = { .place = PLACE_NONE, .path = path, .fd = -1, .old = -1 };
    int r = place_find_file(root, path, &file.place, err);

    if (r == 0)
        r = place_open_old(&file.place, path, &file.old, &file.st, err);
    if (r < 0)
        return r;
    if (file.old >= 0 && (guest_ntfs_is_plain(file.old) || is_fat(file.old)) &&
        !is_own_source(&file, pieces, n_pieces))
        return write_over(&file, pieces, n_pieces, err);
    if (file.old >= 0)
        file.flags = attr_get_flags(file.old);
    r = open_new(&file, err);
    if (r < 0)
        return r;
    r = fill(root, &file, pieces, n_pieces, attr, err);
    if (r == 0)
        r = put_in_place(&file, err);
    if (r < 0) {
        (void)unlinkat(file.place.dir, file.temp, 0); /* the first failure is what counts */
        return r;
    }
    r = attr_lock(file.fd, file.flags);
    if (r < 0)
        return guest_write_error(err, -r, "set the immutable flag of", path);
    return place_sync(&file.place, path, err);
}
