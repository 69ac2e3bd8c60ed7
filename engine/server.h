/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Block servers: qemu programs that serve an image while the session lasts. They live in the outer
 * mount namespace, die with us, and are recorded for cleanup. */
#ifndef H2K_ENGINE_SERVER_H
#define H2K_ENGINE_SERVER_H

#include "engine/base/err.h"
#include "engine/base/exec.h"
#include "engine/disk.h"
#include "engine/session.h"

#define SERVER_START_MS 30000 /* a slow host under load; the usual time is 10 ms */
#define SERVER_STOP_MS 10000

struct server {
    struct process process; /* pid 0: none */
    const char *name;       /* a literal: argv[0] */
    char *record;           /* value of its line in the state file */
};

/* Start argv in the outer namespace; argv[0] must be a literal. */
int server_start(struct session *session, const char *const *argv, const char *package,
                 struct server *ret, struct err *err);

/* Is it ready? 1 yes, 0 not yet, negative errno and *err. */
typedef int (*server_ready_fn)(void *arg, struct err *err);

/*
 * Wait until @ready says so: it is asked again whenever @watch_fd has an event of @watch_events.
 * Ends early when the server ends (*err has its stderr), an ending signal comes, or after
 * SERVER_START_MS.
 */
int server_wait(struct server *server, int watch_fd, short watch_events, server_ready_fn ready,
                void *arg, struct err *err);

/* Wait until the server wrote @pid_file (qemu-nbd does when its socket listens), a path in the
 * session's run directory, and remove it. */
int server_wait_pid_file(struct session *session, struct server *server, char *pid_file,
                         struct err *err);

/* 0 while it runs; -EIO and *err, with what it said, when it has ended. */
int server_check(struct server *server, struct err *err);

/* Wait for one that ends by itself, and for its last words: 0, or negative errno and *err when it
 * does not end within SERVER_STOP_MS, failed, or said @bad. Then server_stop() still has to be
 * called. */
int server_wait_end(struct server *server, const char *bad, struct err *err);

/* SIGTERM, SIGKILL after @grace_ms, reap. Fine when it was never started. */
void server_stop(struct session *session, struct server *server, unsigned grace_ms);

/* "{...}": the disk's block graph for qemu, overlay included; the top node is called "disk". */
char *server_graph(const struct disk *disk);

#endif
