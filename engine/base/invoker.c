/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/base/invoker.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/io.h"

bool invoker_ids(uid_t *ret_uid, gid_t *ret_gid)
{
    const char *uid_text = getenv("SUDO_UID");
    const char *gid_text = getenv("SUDO_GID");
    uint64_t uid, gid;

    /* the largest number means "leave it" to chown(2) */
    if (geteuid() != 0 || !uid_text || !gid_text ||
        io_parse_u64(uid_text, UINT32_MAX - 1, &uid) < 0 ||
        io_parse_u64(gid_text, UINT32_MAX - 1, &gid) < 0)
        return false;
    *ret_uid = (uid_t)uid;
    *ret_gid = (gid_t)gid;
    return true;
}

int invoker_own(int fd, const char *path, struct err *err)
{
    uid_t uid;
    gid_t gid;

    if (!invoker_ids(&uid, &gid))
        return 0;
    /* file systems without owners (vfat, some network ones) say EPERM */
    if (fchown(fd, uid, gid) < 0 && errno != EPERM && errno != ENOTSUP)
        return err_set(err, errno, "give %s to user %u", path, uid);
    return 0;
}
