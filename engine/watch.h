/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A process beside us that helps where we cannot: while we wait in the kernel for a block server,
 * no signal reaches us.
 *
 * - When a server dies, the nbd driver keeps the requests that were in flight until they time out:
 *   the watcher disconnects the device, and they fail at once.
 * - When we are to end (SIGINT, SIGTERM, SIGKILL ...) but wait for a server that does not answer
 *   (stopped, or its storage hangs), the watcher kills the servers.
 * - When we are killed, a device stays as long as devices of the device mapper lie on it: the
 *   watcher keeps its lock, so that udev does not hand what it holds to the host's tools.
 */
#ifndef H2K_ENGINE_WATCH_H
#define H2K_ENGINE_WATCH_H

#include <stddef.h>

#include "engine/base/err.h"
#include "engine/session.h"

#define WATCH_SERVERS 2U /* most that serve one image */

struct watch_opts {
    int pidfds[WATCH_SERVERS];
    size_t n_pidfds;
    int nbd_index; /* -1: none */
};

/* The watcher belongs to the outer mount namespace and ends when *ret_fd is closed, also by our
 * death. 0, or negative errno and *err. */
int watch_start(struct session *session, const struct watch_opts *opts, int *ret_fd,
                struct err *err);

/*
 * Keep the lock on the block device that is open and locked (flock) as @device_fd; @name is its
 * name in /sys/block. The lock is given up once *ret_fd is closed, also by our death, and nothing
 * lies on the device. watch_hold_end() closes it and waits for that. 0, or negative errno and *err.
 */
int watch_hold(struct session *session, int device_fd, const char *name, int *ret_fd,
               struct err *err);
void watch_hold_end(int fd);

#endif
