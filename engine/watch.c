/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/watch.h"

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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/nbdnl.h"

#define LOOK_MS 2000  /* how often it looks whether we hang */
#define LOOKS_HUNG 2U /* so often in a row, and we do */

/* In the watcher nothing else is open: the pipe is descriptor 0, the servers follow. */
#define PIPE 0
#define FDS (1U + WATCH_SERVERS)

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

static __attribute__((noreturn)) void watch(const char *status_path, size_t n_servers,
                                            int nbd_index)
{
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
            if (!served && nbd_index >= 0)
                (void)nbdnl_disconnect((unsigned)nbd_index, &ignored);
            _exit(0);
        }
        held = is_held(status_path) ? held + 1 : 0;
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

int watch_start(struct session *session, const struct watch_opts *opts, int *ret_fd,
                struct err *err)
{
    CLEANUP_FREE char *status_path = mem_printf("/proc/%d/status", (int)getpid());
    int fds[FDS], ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set(err, errno, "make a pipe");
    fds[PIPE] = ends[0];
    memcpy(fds + 1, opts->pidfds, opts->n_pidfds * sizeof(fds[0]));
    /* by way of a child that ends at once: it is nobody's to reap, and whoever kills our children
     * because a server hangs does not kill this one with it */
    child = fork();
    if (child == 0) {
        pid_t watcher = fork();

        if (watcher == 0 && detach(session_outer_ns(session), fds, 1 + opts->n_pidfds) == 0)
            watch(status_path, opts->n_pidfds, opts->nbd_index);
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
