/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/base/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/base/signals.h"

#define MAX_STDOUT (64U << 20)
#define MAX_STDERR (64U << 10)

int exec_have(const char *program)
{
    const char *path = getenv("PATH");
    CLEANUP_FREE char *copy = mem_strdup(path ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
    char *save = NULL;

    if (strchr(program, '/'))
        return access(program, X_OK) == 0;
    for (char *dir = strtok_r(copy, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
        CLEANUP_FREE char *full = mem_printf("%s/%s", dir, program);

        if (access(full, X_OK) == 0)
            return 1;
    }
    return 0;
}

static int shell_status(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- the child, between fork and exec ---- */

static void set_limit(__rlimit_resource_t which, uint64_t value)
{
    struct rlimit limit = { .rlim_cur = value, .rlim_max = value };

    if (value)
        (void)setrlimit(which, &limit);
}

static int is_kept(const struct exec_opts *opts, int fd)
{
    for (size_t i = 0; i < opts->n_keep_fds; i++)
        if (opts->keep_fds[i] == fd)
            return 1;
    return 0;
}

/* Why a child could not start its program. */
struct report {
    int code;
    char step[60];
};

static __attribute__((noreturn)) void child_fail(int report_fd, int code, const char *step)
{
    struct report report = { .code = code };

    (void)snprintf(report.step, sizeof(report.step), "%s", step);
    (void)io_write_full(report_fd, &report, sizeof(report));
    _exit(127);
}

/* The parent may have died before prctl took effect: nobody else reads what we report. */
static void die_with_parent(int report_fd)
{
    struct pollfd end = { .fd = report_fd };

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || poll(&end, 1, 0) > 0)
        _exit(127);
}

static __attribute__((noreturn)) void child_run(const struct exec_opts *opts, const int fds[3],
                                                const int report_fds[2])
{
    union {
        const char *const *in;
        char *const *out;
    } argv = { .in = opts->argv }, env = { .in = opts->env };
    const char *step = "";
    int report_fd = report_fds[1];
    int r = 0;

    (void)close(report_fds[0]);
    die_with_parent(report_fd);
    for (int i = 0; i < 3; i++)
        if (dup2(fds[i], i) < 0)
            child_fail(report_fd, errno, "");
    if (opts->own_group && setpgid(0, 0) < 0)
        child_fail(report_fd, errno, "");
    if (opts->mount_ns_fd > 0 && setns(opts->mount_ns_fd, CLONE_NEWNS) < 0)
        child_fail(report_fd, errno, "");
    for (size_t i = 0; i < opts->n_keep_fds; i++)
        (void)fcntl(opts->keep_fds[i], F_SETFD, 0);
    /* everything else is O_CLOEXEC by our own rule; a descriptor inherited by h2k itself is not */
    for (int fd = 3; fd < 64; fd++)
        if (fd != report_fd && !is_kept(opts, fd))
            (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    set_limit(RLIMIT_AS, opts->limit_as);
    set_limit(RLIMIT_CPU, opts->limit_cpu_s);
    signals_reset_in_child();
    if (opts->prepare)
        r = opts->prepare(opts->prepare_arg, report_fd, &step);
    if (r < 0)
        child_fail(report_fd, -r, step);
    if (opts->env)
        (void)execve(opts->argv[0], argv.out, env.out);
    else
        (void)execvp(opts->argv[0], argv.out);
    child_fail(report_fd, errno, "");
}

/* fork(2), in a process namespace of its own if so wanted. */
static pid_t fork_child(const struct exec_opts *opts)
{
    return opts->own_pids ? (pid_t)syscall(SYS_clone, (long)(CLONE_NEWPID | SIGCHLD), 0, 0, 0, 0)
                          : fork();
}

struct spawned {
    pid_t pid;
    int pidfd, in_fd, out_fd, err_fd;
};

static void spawned_close(struct spawned *child)
{
    int *const all[] = { &child->pidfd, &child->in_fd, &child->out_fd, &child->err_fd };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        if (*all[i] >= 0)
            (void)close(*all[i]);
        *all[i] = -1;
    }
}

static int not_started(const struct exec_opts *opts, const struct report *report, struct err *err)
{
    int code = report->code;

    if (code == ENOENT && !*report->step && opts->package)
        return err_status(err, STATUS_HOST, "%s is not installed: install the package %s",
                          opts->argv[0], opts->package);
    if (code == ENOENT && !*report->step)
        return err_status(err, STATUS_HOST, "%s is not installed", opts->argv[0]);
    return err_set(err, code, "start %s%s%.60s", opts->argv[0], *report->step ? ": " : "",
                   report->step);
}

/* Fork and exec; all descriptors of @ret are set on success. @capture: stdout becomes a pipe;
 * @err_flags: of stderr's pipe. */
static int spawn(const struct exec_opts *opts, int capture, int err_flags, struct spawned *ret,
                 struct err *err)
{
    int in[2] = { -1, -1 }, out[2] = { -1, -1 }, errs[2] = { -1, -1 }, report[2] = { -1, -1 };
    CLEANUP_FD int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct spawned child = { .pid = -1, .pidfd = -1, .in_fd = -1, .out_fd = -1, .err_fd = -1 };
    struct report why = { 0 };
    int fds[3];

    if (null_fd < 0 || pipe2(report, O_CLOEXEC) < 0 || pipe2(errs, O_CLOEXEC | err_flags) < 0 ||
        (opts->input && pipe2(in, O_CLOEXEC) < 0) || (capture && pipe2(out, O_CLOEXEC) < 0))
        return err_set(err, errno, "start %s", opts->argv[0]);

    fds[0] = opts->input ? in[0] : null_fd;
    fds[1] = capture ? out[1] : opts->stdout_fd > 0 ? opts->stdout_fd : null_fd;
    fds[2] = opts->one_output ? fds[1] : errs[1];
    child.pid = fork_child(opts);
    if (child.pid == 0)
        child_run(opts, fds, report);
    why.code = child.pid < 0 ? errno : 0;

    (void)close(report[1]);
    (void)close(errs[1]);
    if (in[0] >= 0)
        (void)close(in[0]);
    if (out[1] >= 0)
        (void)close(out[1]);
    child.in_fd = in[1];
    child.out_fd = out[0];
    child.err_fd = errs[0];
    if (child.pid > 0 && io_read_full(report[0], &why, sizeof(why)) == 0)
        (void)waitpid(child.pid, NULL, 0);
    (void)close(report[0]);
    if (why.code) {
        spawned_close(&child);
        return not_started(opts, &why, err);
    }
    child.pidfd = (int)syscall(SYS_pidfd_open, child.pid, 0);
    *ret = child;
    return 0;
}

/* ---- waiting ---- */

/* Take what is there from @fd; closes it at its end. */
static void drain(int *fd, struct strbuf *buf, size_t max, const struct exec_opts *opts)
{
    char piece[65536];
    ssize_t n = read(*fd, piece, sizeof(piece));

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        (void)close(*fd);
        *fd = -1;
        return;
    }
    if (opts && opts->on_output)
        opts->on_output(opts->on_output_arg, piece, (size_t)n);
    else if (buf->len + (size_t)n <= max)
        strbuf_add(buf, piece, (size_t)n);
    else if (buf->len < max)
        strbuf_add(buf, piece, max - buf->len);
}

static void feed(int *fd, const struct exec_opts *opts, size_t *done)
{
    ssize_t n = write(*fd, (const char *)opts->input + *done, opts->input_len - *done);

    if (n > 0)
        *done += (size_t)n;
    if ((n < 0 && errno != EINTR && errno != EAGAIN) || *done == opts->input_len) {
        (void)close(*fd);
        *fd = -1;
    }
}

/* 0 when both outputs are at their end, -ETIMEDOUT, -EINTR. */
static int pump(const struct exec_opts *opts, struct spawned *child, struct exec_result *result)
{
    uint64_t deadline = opts->timeout_ms ? io_now_ms() + opts->timeout_ms : 0;
    size_t fed = 0;

    if (child->in_fd >= 0)
        (void)fcntl(child->in_fd, F_SETFL, O_NONBLOCK);
    while (child->out_fd >= 0 || child->err_fd >= 0) {
        struct pollfd polls[4] = {
            { .fd = child->out_fd, .events = POLLIN },
            { .fd = child->err_fd, .events = POLLIN },
            { .fd = child->in_fd, .events = POLLOUT },
            { .fd = signals_fd(), .events = POLLIN },
        };
        uint64_t now = io_now_ms();
        int wait_ms = -1;

        if (deadline && now >= deadline)
            return -ETIMEDOUT;
        if (deadline)
            wait_ms = (int)(deadline - now);
        if (poll(polls, 4, wait_ms) < 0 && errno != EINTR)
            return -errno;
        if (signals_pending())
            return -EINTR;
        if (polls[0].revents)
            drain(&child->out_fd, &result->out, MAX_STDOUT, opts);
        if (polls[1].revents)
            drain(&child->err_fd, &result->err, MAX_STDERR, NULL);
        if (polls[2].revents)
            feed(&child->in_fd, opts, &fed);
    }
    return 0;
}

int exec_run(const struct exec_opts *opts, struct exec_result *result, struct err *err)
{
    CLEANUP_EXEC struct exec_result own = { 0 };
    struct spawned child = { .pid = -1, .pidfd = -1, .in_fd = -1, .out_fd = -1, .err_fd = -1 };
    int status = 0;
    int r;

    log_debug("run %s", opts->argv[0]);
    r = spawn(opts, opts->stdout_fd <= 0, 0, &child, err);
    if (r < 0)
        return r;
    r = pump(opts, &child, &own);
    if (r < 0)
        (void)kill(child.pid, SIGKILL);
    while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
        continue;
    spawned_close(&child);
    if (r == -ETIMEDOUT)
        return err_set(err, ETIMEDOUT, "%s did not end within %u ms", opts->argv[0],
                       opts->timeout_ms);
    if (r < 0)
        return err_set(err, -r, "run %s", opts->argv[0]);
    own.exit_status = shell_status(status);
    if (own.err.len)
        log_debug("%s: %s", opts->argv[0], own.err.data);
    if (result) {
        *result = own;
        own = (struct exec_result){ 0 };
    }
    return 0;
}

/* The last line of a program's stderr that says something. */
static const char *last_line(struct strbuf *buf)
{
    char *nl;

    while (buf->len > 0 && (buf->data[buf->len - 1] == '\n' || buf->data[buf->len - 1] == '\r'))
        buf->data[--buf->len] = '\0';
    if (buf->len == 0)
        return "no message";
    nl = strrchr(buf->data, '\n');
    return nl ? nl + 1 : buf->data;
}

int exec_check(const struct exec_opts *opts, struct exec_result *result, struct err *err)
{
    CLEANUP_EXEC struct exec_result own = { 0 };
    int r = exec_run(opts, &own, err);

    if (r < 0)
        return r;
    if (own.exit_status != 0)
        return err_set(err, EPROTO, "%s failed with status %d: %s", opts->argv[0], own.exit_status,
                       last_line(&own.err));
    if (result) {
        *result = own;
        own = (struct exec_result){ 0 };
    }
    return 0;
}

void exec_result_done(struct exec_result *result)
{
    strbuf_done(&result->out);
    strbuf_done(&result->err);
}

/* ---- background programs ---- */

int process_start(const struct exec_opts *opts, struct process *ret, struct err *err)
{
    struct spawned child = { .pid = -1, .pidfd = -1, .in_fd = -1, .out_fd = -1, .err_fd = -1 };
    int r;

    log_debug("start %s", opts->argv[0]);
    /* nobody reads while it runs: what it says too much is lost and does not hold it up */
    r = spawn(opts, 0, O_NONBLOCK, &child, err);
    if (r < 0)
        return r;
    if (child.in_fd >= 0)
        (void)close(child.in_fd);
    *ret = (struct process){ .pid = child.pid, .pidfd = child.pidfd, .err_fd = child.err_fd };
    return 0;
}

int process_ended(struct process *process, int *ret_status)
{
    int status = 0;

    if (process->pid <= 0)
        return 1;
    if (waitpid(process->pid, &status, WNOHANG) != process->pid)
        return 0;
    process->pid = 0;
    *ret_status = shell_status(status);
    return 1;
}

int process_stop(struct process *process, unsigned grace_ms)
{
    struct pollfd end = { .fd = process->pidfd, .events = POLLIN };
    int status = 0;

    if (process->pid > 0) {
        (void)kill(process->pid, SIGTERM);
        if (poll(&end, 1, (int)grace_ms) <= 0)
            (void)kill(process->pid, SIGKILL);
        while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
            continue;
    }
    if (process->pidfd >= 0)
        (void)close(process->pidfd);
    if (process->err_fd >= 0)
        (void)close(process->err_fd);
    *process = (struct process){ .pid = 0, .pidfd = -1, .err_fd = -1 };
    return shell_status(status);
}

void process_kill_children(pid_t pid)
{
    CLEANUP_FREE char *path = mem_printf("/proc/%d/task/%d/children", (int)pid, (int)pid);
    CLEANUP_FREE char *text = NULL;
    struct err ignored = ERR_NONE;
    char *save = NULL;

    if (io_read_file(path, 1U << 20, &text, NULL, &ignored) < 0)
        return;
    for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        uint64_t child = 0;

        if (io_parse_u64(word, INT32_MAX, &child) == 0 && child > 1)
            (void)kill((pid_t)child, SIGKILL);
    }
}

void process_stderr(struct process *process, struct strbuf *buf)
{
    char piece[4096];
    ssize_t n;

    while (process->err_fd >= 0 && (n = read(process->err_fd, piece, sizeof(piece))) > 0)
        if (buf->len < MAX_STDERR)
            strbuf_add(buf, piece, (size_t)n);
}
