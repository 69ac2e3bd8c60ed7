/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loop devices. AUTOCLEAR and a descriptor that we hold: when that is closed, by us or by the
 * death of the process, the device goes away with its last user. */
#ifndef H2K_ENGINE_LOOPDEV_H
#define H2K_ENGINE_LOOPDEV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/err.h"
#include "engine/session.h"

struct loop_opts {
    int backing_fd;       /* file or block device; open for writing unless @read_only */
    uint64_t offset, len; /* bytes; len 0: to the end */
    uint32_t sector_size; /* 512 or 4096 */
    bool read_only;
    bool direct_io; /* the kernel falls back to the page cache where the file cannot */
};

/*
 * Put a loop device over a file. The release is pushed on the session's undo stack and the device
 * is recorded. *ret_node: its path, owned by the caller. *ret_fd (may be NULL): the descriptor that
 * keeps it, owned by the undo stack.
 * 0, or negative errno and *err; STATUS_HOST when the kernel has no loop driver.
 */
int loop_attach(struct session *session, const struct loop_opts *opts, char **ret_node, int *ret_fd,
                struct err *err);

/* Can loop devices be made here? 0, or -ENOTSUP and *err. */
int loop_probe(struct err *err);

/* Which loop devices: by the name they were given and the file they lie over. */
struct loop_match {
    const char *name; /* NULL: all that start with "h2k-" */
    dev_t dev;
    ino_t ino; /* 0: any file */
    void (*found)(void *arg, const char *node, const char *name);
    void *arg;
};

/* Call @found for each such device, after its release when @release_them. */
int loop_find(const struct loop_match *match, bool release_them, struct err *err);

#endif
