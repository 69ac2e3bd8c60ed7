/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files guest*.c share: opening below the guest's root. */
#ifndef H2K_ENGINE_GUEST_PATH_H
#define H2K_ENGINE_GUEST_PATH_H

#include "engine/guest.h"

struct guest_root {
    int fd;
    struct guest_labels *labels; /* NULL: new files have the labels of their folders */
};

/* Room for "/proc/self/fd/2147483647". */
#define GUEST_FD_PATH_MAX 32

/* openat2() confined to @root, close-on-exec, never a controlling terminal, never blocking.
 * A descriptor, or negative errno. */
int guest_path_open(const struct guest_root *root, const char *path, int flags);

/* "/proc/self/fd/N": the only way to act on what an O_PATH descriptor names. Returns @buf. */
const char *guest_fd_path(int fd, char buf[GUEST_FD_PATH_MAX]);

#endif
