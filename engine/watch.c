/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/nbdnl.h"

#define LOOK_MS 2000  /* how often it looks whether we hang */
#define LOOKS_HUNG 2U /* so often in a row, and we do */

/* In the watcher nothing else is open: the pipe is descriptor 0, the servers or the device follow.
 */
#define PIPE 0
#define FDS (1U + WATCH_SERVERS)

#define HOLD_LOOK_MS 50 /* how often it looks whether the device is free */
#define HOLD_END_MS 5000

/* A number in hexadecimal after @field in the text of /proc/PID/status. */
static unsigned long long status_mask(const char *text, const char *field)
{
    const char *at = strstr(text, field);

    return at ? strtoull(at + strlen(field), NULL, 16) : 0;
}

/* Does the process wait in the kernel although it was told to end? */
static bool is_held(const char *status_path)
{
    static const int ending[] = { SIGHUP, SIGINT, SIGTERM, SIGKILL };
    char text[4096];
    unsigned long long pending;
    CLEANUP_FD int fd = open(status_path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (n <= 0)
        return false;
    text[n] = '\0';
    if (!strstr(text, "\nState:\tD"))
        return false;
    pending = status_mask(text, "\nSigPnd:\t") | status_mask(text, "\nShdPnd:\t");
    for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
        if (pending & (1ULL << (ending[i] - 1)))
            return true;
    return false;
}

static void kill_servers(size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)syscall(SYS_pidfd_send_signal, PIPE + 1 + i, SIGKILL, NULL, 0);
}

struct watch {
    void (*run)(const struct watch *watch); /* in the watcher; does not return */
    const char *path; /* /proc/PID/status of ours; the folder of what lies on the device */
    const int *fds;   /* what the watcher has: the servers or the device */
    size_t n_fds;
    int nbd_index;
};

static __attribute__((noreturn)) void watch_servers(const struct watch *watch)
{
    size_t n_servers = watch->n_fds;
    unsigned held = 0;

    for (;;) {
        struct pollfd polls[FDS];
        struct err ignored = ERR_NONE;
        int n;

        for (size_t i = 0; i < 1 + n_servers; i++)
            polls[i] = (struct pollfd){ .fd = (int)i, .events = i == PIPE ? 0 : POLLIN };
        n = poll(polls, 1 + n_servers, LOOK_MS);
        if (n < 0 && errno == EINTR)
            continue;
        if (n != 0) {
            bool served = true;

            for (size_t i = 0; i < n_servers; i++)
                served &= !polls[1 + i].revents;
            if (!served && watch->nbd_index >= 0)
                (void)nbdnl_disconnect((unsigned)watch->nbd_index, &ignored);
            _exit(0);
        }
        held = is_held(watch->path) ? held + 1 : 0;
        if (held >= LOOKS_HUNG)
            kill_servers(n_servers);
    }
}

/* In the child: leave everything of ours behind. */
static int detach(int ns_fd, const int *fds, size_t n)
{
    int high[FDS];

    /* a member of the inner namespace would keep the guest's file systems mounted after our death
     */
    if (setsid() < 0 || setns(ns_fd, CLONE_NEWNS) < 0)
        return -1;
    (void)prctl(PR_SET_NAME, "h2k-watch");
    for (size_t i = 0; i < n; i++)
        high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FDS);
    for (size_t i = 0; i < n; i++)
        if (high[i] < 0 || dup2(high[i], (int)i) < 0)
            return -1;
    return (int)syscall(SYS_close_range, (unsigned)n, ~0U, 0);
}

/* By way of a child that ends at once: the watcher is nobody's to reap, and whoever kills our
 * children because a server hangs does not kill this one with it. */
static int start(struct session *session, const struct watch *watch, int *ret_fd, struct err *err)
{
    int all[FDS], ends[2];
    pid_t child;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return err_set(err, errno, "make a pair of sockets");
    all[PIPE] = ends[0];
    memcpy(all + 1, watch->fds, watch->n_fds * sizeof(watch->fds[0]));
    child = fork();
    if (child == 0) {
        pid_t watcher = fork();

        if (watcher == 0 && detach(session_outer_ns(session), all, 1 + watch->n_fds) == 0)
            watch->run(watch);
        _exit(watcher < 0);
    }
    (void)close(ends[0]);
    if (child < 0 || waitpid(child, NULL, 0) < 0) {
        (void)close(ends[1]);
        return err_set(err, errno, "start a process");
    }
    *ret_fd = ends[1];
    return 0;
}

int watch_start(struct session *session, const struct watch_opts *opts, int *ret_fd,
                struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("/proc/%d/status", (int)getpid());
    const struct watch watch = {
        .run = watch_servers,
        .path = path,
        .fds = opts->pidfds,
        .n_fds = opts->n_pidfds,
        .nbd_index = opts->nbd_index,
    };

    return start(session, &watch, ret_fd, err);
}

/* ---- a device ---- */

static bool is_empty(const char *path)
{
    CLEANUP_DIR DIR *dir = opendir(path);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            return false;
    return true;
}

static __attribute__((noreturn)) void hold_device(const struct watch *watch)
{
    struct pollfd closed = { .fd = PIPE, .events = POLLIN };

    while (poll(&closed, 1, -1) < 0)
        ;
    while (!is_empty(watch->path))
        (void)poll(NULL, 0, HOLD_LOOK_MS);
    _exit(0);
}

int watch_hold(struct session *session, int device_fd, const char *name, int *ret_fd,
               struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("/sys/block/%s/holders", name);
    const struct watch watch = {
        .run = hold_device,
        .path = path,
        .fds = &device_fd,
        .n_fds = 1,
    };

    return start(session, &watch, ret_fd, err);
}

void watch_hold_end(int fd)
{
    struct pollfd ended = { .fd = fd, .events = POLLIN };

    (void)shutdown(fd, SHUT_WR);
    (void)poll(&ended, 1, HOLD_END_MS);
    (void)close(fd);
}
