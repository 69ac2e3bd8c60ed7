/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"

enum direction { FD_READ, FD_PREAD, FD_WRITE, FD_PWRITE };

static ssize_t transfer(enum direction how, int fd, char *buf, size_t len, uint64_t offset)
{
    switch (how) {
    case FD_READ:
        return read(fd, buf, len);
    case FD_PREAD:
        return pread(fd, buf, len, (off_t)offset);
    case FD_WRITE:
        return write(fd, buf, len);
    case FD_PWRITE:
        return pwrite(fd, buf, len, (off_t)offset);
    }
    return 0;
}

static int transfer_full(enum direction how, int fd, char *buf, size_t len, uint64_t offset)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = transfer(how, fd, buf + done, len - done, offset + done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -ENODATA;
        done += (size_t)n;
    }
    return 0;
}

int io_read_full(int fd, void *buf, size_t len)
{
    return transfer_full(FD_READ, fd, buf, len, 0);
}

int io_pread_full(int fd, void *buf, size_t len, uint64_t offset)
{
    return transfer_full(FD_PREAD, fd, buf, len, offset);
}

/* the buffer is only read from when writing */
static char *unconst(const void *data)
{
    union {
        const void *in;
        char *out;
    } cast = { .in = data };

    return cast.out;
}

int io_write_full(int fd, const void *buf, size_t len)
{
    return transfer_full(FD_WRITE, fd, unconst(buf), len, 0);
}

int io_pwrite_full(int fd, const void *buf, size_t len, uint64_t offset)
{
    return transfer_full(FD_PWRITE, fd, unconst(buf), len, offset);
}

int io_read_all(int fd, struct strbuf *buf, size_t max)
{
    size_t start = buf->len;

    for (;;) {
        ssize_t n;

        strbuf_reserve(buf, 65536);
        n = read(fd, buf->data + buf->len, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        buf->len += (size_t)n;
        buf->data[buf->len] = '\0';
        if (buf->len - start > max)
            return -EFBIG;
    }
}

int io_read_file(const char *path, size_t max, char **ret_text, size_t *ret_len, struct err *err)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    CLEANUP_STRBUF struct strbuf buf = { 0 };
    int r;

    if (fd < 0)
        return err_set(err, errno, "open %s", path);
    r = io_read_all(fd, &buf, max);
    if (r < 0)
        return err_set(err, -r, "read %s", path);
    if (ret_len)
        *ret_len = buf.len;
    *ret_text = strbuf_take(&buf);
    return 0;
}

int io_write_file(const char *path, const void *data, size_t len, mode_t mode, struct err *err)
{
    CLEANUP_FREE char *temp = mem_printf("%s.part", path);
    CLEANUP_FD int fd = -1;
    int r;

    (void)unlink(temp);
    fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return err_set(err, errno, "create %s", temp);
    r = io_write_full(fd, data, len);
    if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
        r = -errno;
    if (r == 0 && rename(temp, path) < 0)
        r = -errno;
    if (r < 0) {
        (void)unlink(temp);
        return err_set(err, -r, "write %s", path);
    }
    return 0;
}

int io_sync_folder(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    CLEANUP_FREE char *dir =
        slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
    CLEANUP_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    /* file systems that cannot sync a folder say EINVAL */
    if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
        return err_set(err, errno, "sync the folder of %s", path);
    return 0;
}

int io_parse_u64(const char *text, uint64_t max, uint64_t *ret)
{
    unsigned long long value;
    char *end = NULL;

    if (text[0] < '0' || text[0] > '9')
        return -EINVAL;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (*end != '\0')
        return -EINVAL;
    if (errno || value > max)
        return -ERANGE;
    *ret = value;
    return 0;
}

uint64_t io_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool io_name_is_utf8(const char *name)
{
    json_t *string = json_string(name);
    bool valid = string != NULL;

    json_decref(string);
    return valid;
}
