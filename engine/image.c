/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/image_format.h"
#include "engine/image_guard.h"

#define CHAIN_MAX 16U /* images in a backing chain */

struct fd_source {
    int fd;
};

static int read_fd(void *ctx, uint64_t offset, void *buf, size_t len)
{
    const struct fd_source *source = ctx;

    return io_pread_full(source->fd, buf, len, offset);
}

static uint64_t next_data(void *ctx, uint64_t offset)
{
    const struct fd_source *source = ctx;
    off_t at = lseek(source->fd, (off_t)offset, SEEK_DATA);

    if (at >= 0)
        return (uint64_t)at;
    /* ENXIO: nothing but a hole up to the end; anything else: this file system cannot tell */
    return errno == ENXIO ? UINT64_MAX : offset;
}

/* ---- files ---- */

static void add_file(struct image *image, const char *path, const struct stat *st)
{
    struct image_file *file = mem_add(&image->files, &image->n_files, sizeof(*file));

    file->path = mem_strdup(path);
    file->st = *st;
}

static const char *kind_of(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a folder";
    if (S_ISCHR(mode))
        return "a character device";
    if (S_ISFIFO(mode))
        return "a pipe";
    return S_ISSOCK(mode) ? "a socket" : "not a regular file";
}

/* Open what was found at @path; it must still be of that kind. O_NONBLOCK: a FIFO put there in
 * between must not hold us. */
static int open_file(const char *path, bool device_allowed, struct stat *ret_st, struct err *err)
{
    CLEANUP_FD int fd = -1;

    if (lstat(path, ret_st) < 0)
        return err_set(err, errno, "open %s", path);
    if (!S_ISREG(ret_st->st_mode) && !(device_allowed && S_ISBLK(ret_st->st_mode)))
        return err_status(err, STATUS_FAILED, "%s is %s, not a disk image", path,
                          S_ISLNK(ret_st->st_mode) ? "a symbolic link" : kind_of(ret_st->st_mode));
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, ret_st) < 0)
        return err_set(err, errno, "open %s", path);
    if (!S_ISREG(ret_st->st_mode) && !(device_allowed && S_ISBLK(ret_st->st_mode)))
        return err_status(err, STATUS_FAILED, "%s is %s, not a disk image", path,
                          kind_of(ret_st->st_mode));
    if (image_guard_locks(fd, path, err) < 0)
        return -err->code;
    return TAKE_FD(fd);
}

/* Does @path, which is resolved, lie below one of the allowed folders? */
static bool is_allowed(const char *path, const struct image_opts *opts)
{
    for (size_t i = 0; i < opts->allow_dirs.n; i++) {
        char folder[PATH_MAX];
        size_t len;

        if (!realpath(opts->allow_dirs.items[i], folder))
            continue;
        len = strlen(folder);
        if (strcmp(folder, "/") == 0 || (strncmp(path, folder, len) == 0 && path[len] == '/'))
            return true;
    }
    return false;
}

/* Does @path, which is resolved, lie directly in the folder of @image? */
static bool is_beside(const char *path, const char *image)
{
    size_t folder = (size_t)(strrchr(image, '/') - image) + 1;

    return strncmp(path, image, folder) == 0 && !strchr(path + folder, '/');
}

/* An extent's or backing file's @name, for messages, as a path below @from's folder. */
static char *join(const char *from, const char *name, char *shown, size_t room)
{
    int folder = (int)(strrchr(from, '/') - from) + 1;

    image_printable(shown, room, name, strlen(name));
    if (name[0] == '/')
        return mem_strdup(name);
    return mem_printf("%.*s%s", folder, from, name);
}

/*
 * Path of a file that an image at @from refers to as @name. A plain name in the image's own folder
 * is fine, and so is a backing file that lies, every link followed, in the folder of @top (NULL: an
 * extent). *ret_path has no symbolic link.
 */
static int resolve(const char *from, const char *name, const char *top,
                   const struct image_opts *opts, char **ret_path, struct err *err)
{
    char real[PATH_MAX], shown[256];
    CLEANUP_FREE char *joined = join(from, name, shown, sizeof(shown));
    bool plain = !strchr(name, '/') && !strchr(name, ':') && !strchr(name, '\\');

    if (plain && !top && strcmp(name, "..") != 0 && strcmp(name, ".") != 0) {
        *ret_path = TAKE(joined);
        return 0;
    }
    /* qemu takes "nbd:..." and "json:..." for other things than files */
    if (name[strcspn(name, "/:")] == ':')
        return err_status(err, STATUS_REFUSED, "refers to %s, which is not a file name", shown);
    /* where a stranger's name leads to is not told apart from what is not there */
    if (!realpath(joined, real)) {
        if (opts->allow_dirs.n > 0 || plain)
            return err_set(err, errno, "find %s, to which it refers", shown);
        real[0] = '\0';
    }
    if (!(top && is_beside(real, top)) && !is_allowed(real, opts))
        return err_status(err, STATUS_REFUSED,
                          opts->allow_dirs.n > 0
                              ? "refers to %s, which is in none of the folders of --allow-backing"
                              : "refers to a file outside its folder, %s: if it may be read, name "
                                "its folder with --allow-backing",
                          shown);
    *ret_path = mem_strdup(real);
    return 0;
}

static int check_extent(struct image *image, const struct image_format *format,
                        const struct image_extent *extent, const struct image_opts *opts,
                        struct err *err)
{
    CLEANUP_FREE char *path = NULL;
    CLEANUP_FD int fd = -1;
    struct fd_source source;
    struct image_io io;
    struct stat st;

    if (resolve(image->path, extent->name, NULL, opts, &path, err) < 0 || !path)
        return -err->code;
    fd = open_file(path, false, &st, err);
    if (fd < 0)
        return -err->code;
    source.fd = fd;
    io = (struct image_io){
        .read = read_fd, .next_data = next_data, .ctx = &source, .size = (uint64_t)st.st_size
    };
    add_file(image, path, &st);
    if (format->walk_extent(&io, extent, err) < 0)
        return err_wrap(err, "%s", path);
    return 0;
}

/* ---- one image ---- */

static int choose_format(const struct image_io *io, const char *wanted, bool is_device,
                         const struct image_format **ret, struct err *err)
{
    const struct image_format *format = NULL;

    /* what a guest wrote to its disk does not decide how a device is read */
    if (is_device || (wanted && strcmp(wanted, "raw") == 0)) {
        if (wanted && strcmp(wanted, "raw") != 0)
            return err_status(err, STATUS_USAGE, "a block device is read as raw, not as %s",
                              wanted);
        *ret = NULL;
        return 0;
    }
    if (!wanted)
        return image_detect(io, ret, err);
    format = image_format_find(wanted);
    if (!format)
        return err_status(err, STATUS_USAGE,
                          "unknown format %s: raw, qcow2, vmdk, vhdx, vpc (vhd) and vdi are known",
                          wanted);
    if (!format->detect(io)) {
        const struct image_format *found = NULL;
        struct err ignored = ERR_NONE;

        (void)image_detect(io, &found, &ignored);
        return err_status(err, STATUS_FAILED, "not a %s image%s%s", format->name,
                          found ? ", it looks like " : "", found ? found->name : "");
    }
    *ret = format;
    return 0;
}

static int raw_size(struct image *image, int fd, uint64_t size, struct err *err)
{
    int sector = 512;

    if (image->is_device && ioctl(fd, BLKSSZGET, &sector) < 0)
        return err_set(err, errno, "sector size of %s", image->path);
    if (size == 0)
        return err_status(err, STATUS_FAILED, "%s is empty", image->path);
    if (size % 512)
        return err_status(err, STATUS_FAILED,
                          "not a disk image: no known format, and its size (%" PRIu64
                          " bytes) is not a multiple of 512",
                          size);
    image->format = "raw";
    image->subformat = "";
    image->size_bytes = size;
    image->sector_size = sector == 4096 ? 4096 : 512;
    image->can_rewrite = true;
    return 0;
}

static int scan_image(struct image *image, int fd, uint64_t size, const struct image_opts *opts,
                      struct image_scan *scan, struct err *err)
{
    struct fd_source source = { .fd = fd };
    struct image_io io = { .read = read_fd, .next_data = next_data, .ctx = &source, .size = size };
    const struct image_format *format = NULL;

    if (choose_format(&io, opts->format, image->is_device, &format, err) < 0)
        return -err->code;
    if (!format)
        return raw_size(image, fd, size, err);
    if (format->walk(&io, scan, err) < 0)
        return -err->code;
    image->format = format->name;
    image->subformat = scan->subformat;
    image->size_bytes = scan->size_bytes;
    image->sector_size = scan->sector_size;
    image->unpacked_bytes = scan->unpacked_bytes;
    image->can_rewrite = scan->can_rewrite;
    if (scan->has_log && !opts->allow_log && !opts->allow_commit_pending)
        return err_status(err, STATUS_REFUSED,
                          "has a pending log, it was not closed cleanly: open it once on its host, "
                          "or run qemu-img check -r all on a copy of it");
    image->has_log = scan->has_log;
    for (size_t i = 0; i < scan->notes.n; i++)
        strlist_add(&image->notes, scan->notes.items[i]);
    for (size_t i = 0; i < scan->n_extents; i++)
        if (check_extent(image, format, &scan->extents[i], opts, err) < 0)
            return -err->code;
    if (image->size_bytes == 0)
        return err_status(err, STATUS_FAILED, "holds a disk of no size");
    return 0;
}

int image_check_overlay(const char *path, uint64_t size_bytes, struct err *err)
{
    CLEANUP_SCAN struct image_scan scan = { .in_commit = true };
    CLEANUP_FD int fd = -1;
    struct fd_source source;
    struct image_io io;
    struct stat st;

    fd = open_file(path, false, &st, err);
    if (fd < 0)
        return -err->code;
    source.fd = fd;
    io = (struct image_io){
        .read = read_fd, .next_data = next_data, .ctx = &source, .size = (uint64_t)st.st_size
    };
    if (image_format_qcow2.walk(&io, &scan, err) < 0)
        return err_wrap(err, "%s", path);
    if (size_bytes && scan.size_bytes != size_bytes)
        return err_status(err, STATUS_FAILED, "%s is no overlay of this disk: its size is another",
                          path);
    return 0;
}

/* One image of a chain; @scan tells what the next one is. */
static int open_one(const char *path, const struct image_opts *opts, struct image **ret,
                    struct image_scan *scan, struct err *err)
{
    CLEANUP_IMAGE struct image *image = mem_alloc(sizeof(*image));
    CLEANUP_FD int fd = -1;
    struct stat st;
    uint64_t size;

    image->path = mem_strdup(path);
    if (!io_name_is_utf8(path))
        return err_status(err, STATUS_USAGE,
                          "its name is not UTF-8, and qemu cannot be told such names: rename it");
    /* before its locks: what the killed run left may still hold them, but trying again is no use */
    if (image_guard_commit(path, opts, err) < 0)
        return -err->code;
    fd = open_file(path, true, &st, err);
    if (fd < 0)
        return fd;
    image->is_device = S_ISBLK(st.st_mode);
    size = (uint64_t)st.st_size;
    if (image->is_device && ioctl(fd, BLKGETSIZE64, &size) < 0)
        return err_set(err, errno, "size of %s", path);
    add_file(image, path, &st);
    if (image_guard_folder(path, opts, err) < 0 || scan_image(image, fd, size, opts, scan, err) < 0)
        return -err->code;
    *ret = TAKE(image);
    return 0;
}

/* ---- the chain ---- */

/* The images of a chain are all files of the first one. */
static void take_files(struct image *image, const struct image *backing)
{
    for (size_t i = 0; i < backing->n_files; i++)
        add_file(image, backing->files[i].path, &backing->files[i].st);
}

static int open_chain(const char *path, const struct image_opts *opts, struct image **ret,
                      struct err *err)
{
    CLEANUP_IMAGE struct image *first = NULL;
    CLEANUP_SCAN struct image_scan scan = { .in_commit = opts->allow_commit_pending };
    struct image_opts next_opts = *opts;
    struct image *last;

    if (open_one(path, opts, &first, &scan, err) < 0 || !first)
        return -err->code;
    last = first;
    /* being a parent is what a backing file is for */
    next_opts.allow_stale = true;
    /* what the qcow2 above says of its backing file would win over a graph with a second file */
    next_opts.allow_log = false;
    for (unsigned depth = 1; scan.backing; depth++) {
        CLEANUP_SCAN struct image_scan above = scan;
        CLEANUP_FREE char *next = NULL;

        scan = (struct image_scan){ 0 };
        if (depth >= CHAIN_MAX)
            return err_status(err, STATUS_REFUSED, "has more than %u backing files", CHAIN_MAX - 1);
        if (resolve(last->path, above.backing, first->path, opts, &next, err) < 0 || !next)
            return -err->code;
        next_opts.format = above.backing_format;
        if (open_one(next, &next_opts, &last->backing, &scan, err) < 0 || !last->backing)
            return err_wrap(err, "backing file %s", next);
        last = last->backing;
        if (last->is_device && !is_allowed(last->path, opts))
            return err_status(err, STATUS_REFUSED,
                              "refers to the device %s: if it may be read, name its folder with "
                              "--allow-backing",
                              last->path);
        take_files(first, last);
    }
    *ret = TAKE(first);
    return 0;
}

int image_open(const char *path, const struct image_opts *opts, struct image **ret, struct err *err)
{
    static const struct image_opts no_opts;
    char real[PATH_MAX];

    if (!realpath(path, real))
        return err_set(err, errno, "open %s", path);
    if (open_chain(real, opts ? opts : &no_opts, ret, err) < 0)
        return err_wrap(err, "%s", path);
    return 0;
}

void image_free(struct image *image)
{
    while (image) {
        struct image *backing = image->backing;

        for (size_t i = 0; i < image->n_files; i++)
            free(image->files[i].path);
        free(image->files);
        free(image->path);
        free(image->replayed);
        strlist_done(&image->notes);
        free(image);
        image = backing;
    }
}

/* ---- what it occupies ---- */

int image_check_unchanged(const struct image *image, struct err *err)
{
    for (size_t i = 0; i < image->n_files; i++) {
        const struct image_file *file = &image->files[i];
        struct stat now;

        if (lstat(file->path, &now) < 0)
            return err_set(err, errno, "look at %s again", file->path);
        if (S_ISBLK(file->st.st_mode) && S_ISBLK(now.st_mode) && now.st_rdev == file->st.st_rdev)
            continue; /* its node says nothing about what it holds */
        if (now.st_dev != file->st.st_dev || now.st_ino != file->st.st_ino ||
            now.st_size != file->st.st_size || now.st_mtim.tv_sec != file->st.st_mtim.tv_sec ||
            now.st_mtim.tv_nsec != file->st.st_mtim.tv_nsec)
            return err_set(err, ESTALE, "%s was changed by another program meanwhile", file->path);
    }
    return 0;
}

bool image_owns(const struct image *image, const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return false;
    for (size_t i = 0; i < image->n_files; i++) {
        const struct stat *own = &image->files[i].st;

        if (st.st_dev == own->st_dev && st.st_ino == own->st_ino)
            return true;
        if (S_ISBLK(st.st_mode) && S_ISBLK(own->st_mode) && st.st_rdev == own->st_rdev)
            return true;
    }
    return false;
}

uint64_t image_allocated_bytes(const struct image *image)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < image->n_files; i++) {
        const struct stat *st = &image->files[i].st;

        bytes += S_ISBLK(st->st_mode) ? image->size_bytes : (uint64_t)st->st_blocks * 512;
    }
    return bytes;
}

uint64_t image_data_bytes(const struct image *image)
{
    uint64_t bytes = image_allocated_bytes(image), limit = image->size_bytes;

    for (const struct image *i = image; i; i = i->backing) {
        uint64_t packed = i->n_files > 0 ? (uint64_t)i->files[0].st.st_blocks * 512 : 0;

        if (i->unpacked_bytes > packed)
            bytes += i->unpacked_bytes - packed;
    }
    return bytes < limit ? bytes : limit;
}
