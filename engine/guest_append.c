/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/guest_path.h"

int guest_append(const struct guest_root *root, const char *path, const void *data, size_t len,
                 struct err *err)
{
    /* of the content as it was */
    static const char *const hashes[] = { "security.ima", "security.evm" };
    CLEANUP_FD int fd = guest_path_open(root, path, O_WRONLY | O_APPEND | O_NOCTTY);
    struct stat st;
    int r;

    if (fd < 0)
        return err_set(err, -fd, "open %s", path);
    if (fstat(fd, &st) < 0)
        return err_set(err, errno, "stat %s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, EINVAL, "%s is no regular file", path);
    if (st.st_nlink > 1)
        return err_set(err, EMLINK, "%s has more than one name", path);
    r = io_write_full(fd, data, len);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    if (r < 0) {
        (void)ftruncate(fd, st.st_size); /* the first failure is what counts */
        r = err_set(err, -r, "write %s", path);
        if (err->code == ENOSPC || err->code == EDQUOT)
            err->status = STATUS_FAILED; /* the guest's, not the host's: as in guest_write.c */
        return r;
    }
    for (size_t i = 0; i < ARRAY_SIZE(hashes); i++)
        (void)fremovexattr(fd, hashes[i]); /* most files have none */
    return 0;
}
