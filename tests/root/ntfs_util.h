/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NTFS of mkntfs; for the tests that need root. */
#ifndef H2K_TESTS_ROOT_NTFS_UTIL_H
#define H2K_TESTS_ROOT_NTFS_UTIL_H

#include "tests/root/mount_util.h"

/* By ntfs-3g, or by the kernel's driver where there is no ntfs-3g. */
static inline bool can_test(void)
{
    return exec_have("mkntfs") && exec_have("ntfscat") && exec_have("ntfscp") &&
           mount_support("ntfs", false) != MOUNT_NONE;
}

static inline char *new_ntfs(const char *file)
{
    char *path = new_image(file, 64 * MIB);

    RUN("mkntfs", "-FQq", path);
    return path;
}

#endif
