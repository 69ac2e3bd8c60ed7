/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A VHDX that names a log without entries. On-disk facts: [MS-VHDX] 2.2.2 (headers). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/le.h"
#include "engine/image_format.h"
#include "engine/image_vhdx.h"

static int read_fd(void *ctx, uint64_t offset, void *buf, size_t len)
{
    return io_pread_full(*(const int *)ctx, buf, len, offset);
}

int vhdx_drop_log(const char *path, struct err *err)
{
    CLEANUP_FD int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct image_io io = { .read = read_fd, .ctx = &fd };
    uint8_t header[VHDX_HEADER_SIZE];
    struct stat st;
    int current;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(err, errno, "open %s", path);
    io.size = (uint64_t)st.st_size;
    current = vhdx_read_header(&io, header, err);
    if (current < 0)
        return current;
    if (!vhdx_header_has_log(header))
        return 0;
    memset(header + VHDX_HEADER_LOG_GUID, 0, 16);
    /* first the one that is not current, then the other: at any moment one of them is whole */
    for (int i = 0; i < 2; i++) {
        int r;

        current = 1 - current;
        put_le64(header + VHDX_HEADER_SEQUENCE, get_le64(header + VHDX_HEADER_SEQUENCE) + 1);
        put_le32(header + VHDX_HEADER_CRC, vhdx_crc32c(header, sizeof(header)));
        r = io_pwrite_full(fd, header, sizeof(header), vhdx_header_offsets[current]);
        if (r == 0 && fdatasync(fd) < 0)
            r = -errno;
        if (r < 0)
            return err_set(err, -r, "write a header of %s", path);
    }
    return 0;
}
