/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file system served by a program through FUSE (ntfs-3g). The program lives in the session's
 * outer namespace like a block server, and mounts there; the mount is then taken over into ours.
 * Were it a member of the namespace that holds its mount, it would unmount itself when it is killed
 * together with us, and wait for its own answer for ever.
 */
#ifndef H2K_STORAGE_FSSERVER_H
#define H2K_STORAGE_FSSERVER_H

#include <stdbool.h>

#include "engine/server.h"

struct fsserver {
    struct session *session; /* NULL: there is none */
    struct server server;
    char *dir;        /* where it believes that it is mounted; NULL: there is none */
    char *connection; /* value of its "fuse" line in the state file */
    int device_fd;    /* the block device, to learn of writes that failed; -1: none */
};

#define FSSERVER_NONE                                                                              \
    {                                                                                              \
        .device_fd = -1                                                                            \
    }

struct fsserver_opts {
    const char *program, *options; /* literals: PROGRAM -o OPTIONS NODE DIR */
    const char *node;              /* block device */
};

/* Start it. *ret_fd is the mount, detached (see fsmount_attach()), and the caller's. After a
 * failure, too, fsserver_end() has to be called. */
int fsserver_start(struct session *session, const struct fsserver_opts *opts, struct fsserver *ret,
                   int *ret_fd, struct err *err);

/* What it has said so far; free it. */
char *fsserver_words(struct fsserver *server);

/* What it has written is on the block device; fine when there is no server. */
int fsserver_sync(const struct fsserver *server, struct err *err);

/*
 * End it. @wrote: its file system was written to and has just been unmounted, by which it writes
 * what it still holds, and ends: whether that worked is found out. Fine when there is no server.
 */
int fsserver_end(struct fsserver *server, bool wrote, struct err *err);

#endif
