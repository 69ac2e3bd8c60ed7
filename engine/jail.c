/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/jail.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/exec.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/jail_parts.h"

#define TAIL_BYTES 8192U
#define TASKS_MAX 1000U /* a compression by all processors has a thread for each */
#define LOOK_MS 20
#define LINE_MAX_IN_ERROR 300U

/* ---- the first process in the jail ---- */

/* Processes and threads in the jail. A fork bomb is not held up by RLIMIT_NPROC, which does not
 * count for root, and where cgroups are writable is different on every host. */
static unsigned count_tasks(void)
{
    CLEANUP_DIR DIR *dir = opendir("/proc");
    const struct dirent *entry;
    unsigned n = 0;

    while (dir && (entry = readdir(dir)) != NULL) {
        char path[sizeof("/proc//task") + sizeof(entry->d_name)];
        struct stat st;

        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        (void)snprintf(path, sizeof(path), "/proc/%s/task", entry->d_name);
        if (stat(path, &st) == 0 && st.st_nlink > 2)
            n += (unsigned)st.st_nlink - 2;
    }
    return n;
}

/* Its end is the end of all that runs in the jail. */
static __attribute__((noreturn)) void watch_program(pid_t program)
{
    static const char too_many[] = "\nh2k: it started too many processes and was stopped\n";
    struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, program, 0), .events = POLLIN };

    for (;;) {
        int status = 0;
        pid_t pid;

        (void)poll(&end, 1, LOOK_MS);
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            if (pid == program)
                _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
        if (count_tasks() > TASKS_MAX) {
            (void)kill(-1, SIGKILL);
            (void)!write(STDERR_FILENO, too_many, strlen(too_many));
            _exit(128);
        }
    }
}

static void close_all_but(int fd)
{
    (void)syscall(SYS_close_range, 3, (unsigned)fd - 1, 0);
    (void)syscall(SYS_close_range, (unsigned)fd + 1, ~0U, 0);
}

/* When memory is short it is the jail that goes; and a fork bomb must not keep its watcher from
 * running. */
static void set_priorities(void)
{
    CLEANUP_FD int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    const struct sched_param param = { .sched_priority = 1 };

    if (fd >= 0)
        (void)!write(fd, "1000", 4);
    /* some control groups grant no real time */
    if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) < 0)
        (void)setpriority(PRIO_PROCESS, 0, -20);
}

static int make_namespaces(const char **ret_step)
{
    const int flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    static const char name[] = "localhost";

    *ret_step = "make namespaces";
    /* a session of its own has no terminal */
    if (setsid() < 0 || unshare(flags) < 0 || sethostname(name, strlen(name)) < 0)
        return -errno;
    return 0;
}

/* In the child that exec_run() has made: the first process of its namespace. The program is
 * started by a child of that. */
static int enter_jail(void *arg, int report_fd, const char **ret_step)
{
    const struct jail_opts *opts = arg;
    struct jail_tree tree = { -1, -1 };
    pid_t program;
    int r = jail_tree_pick(opts, &tree, ret_step);

    if (r == 0)
        r = make_namespaces(ret_step);
    if (r == 0)
        r = jail_tree_enter(opts, &tree, ret_step);
    if (r < 0)
        return r;
    set_priorities();
    close_all_but(report_fd);
    (void)umask(022);
    r = jail_lock(ret_step);
    if (r < 0)
        return r;
    *ret_step = "";
    program = fork();
    if (program < 0)
        return -errno;
    if (program > 0) {
        (void)close(report_fd);
        watch_program(program);
    }
    (void)setpriority(PRIO_PROCESS, 0, 0);
    jail_limit(opts);
    return 0;
}

/* ---- outside ---- */

static void keep_tail(void *arg, const char *data, size_t len)
{
    struct strbuf *tail = arg;

    if (len > TAIL_BYTES) {
        data += len - TAIL_BYTES;
        len = TAIL_BYTES;
    }
    strbuf_add(tail, data, len);
    if (tail->len > TAIL_BYTES) {
        memmove(tail->data, tail->data + (tail->len - TAIL_BYTES), TAIL_BYTES + 1);
        tail->len = TAIL_BYTES;
    }
}

/* It will be shown on somebody's terminal. */
static void make_printable(char *text)
{
    for (char *c = text; *c; c++)
        if (*c != '\n' && (*c < ' ' || *c > '~'))
            *c = *c == '\t' || *c == '\r' ? ' ' : '?';
}

static const char *const usual_env[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LC_ALL=C",
    "TERM=dumb",
    "TMPDIR=/tmp",
};

/* NULL-terminated; the strings are the caller's. */
static const char **make_env(const char *const *more)
{
    size_t n = 0;
    const char **env;

    while (more && more[n])
        n++;
    env = mem_alloc((ARRAY_SIZE(usual_env) + n + 1) * sizeof(*env));
    memcpy(env, usual_env, sizeof(usual_env));
    for (size_t i = 0; i < n; i++)
        env[ARRAY_SIZE(usual_env) + i] = more[i];
    return env;
}

/* What it means that the program was not started. */
static int explain(int r, const struct jail_opts *opts, struct err *err)
{
    bool is_missing = err->status == STATUS_HOST; /* that, or what is to run it */

    if (r != -ENOEXEC && !is_missing)
        return err_wrap(err, "make a jail");
    err_clear(err);
    if (is_missing && !guest_exists(opts->root, opts->argv[0]))
        return err_status(err, STATUS_FAILED, "the guest has no %s", opts->argv[0]);
    return err_status(err, STATUS_HOST,
                      "this host cannot run the guest's %s, which is for another processor%s: "
                      "install the packages qemu-user-static and binfmt-support (or "
                      "qemu-user-binfmt)",
                      opts->argv[0], is_missing ? ", or has no interpreter in the guest" : "");
}

int jail_run(const struct jail_opts *opts, struct jail_result *ret, struct err *err)
{
    CLEANUP_STRBUF struct strbuf tail = { 0 };
    CLEANUP_EXEC struct exec_result result = { 0 };
    CLEANUP_FREE const char **env = make_env(opts->env);
    union {
        const struct jail_opts *in;
        void *arg;
    } jail = { .in = opts };
    struct exec_opts exec = {
        .argv = opts->argv,
        .env = env,
        .timeout_ms = opts->timeout_ms,
        .one_output = 1,
        .on_output = keep_tail,
        .on_output_arg = &tail,
        .own_pids = 1,
        .prepare = enter_jail,
        .prepare_arg = jail.arg,
    };
    int r = exec_run(&exec, &result, err);

    if (tail.len > 0) {
        for (size_t i = 0; i < tail.len; i++)
            if (tail.data[i] == '\0')
                tail.data[i] = '?';
        make_printable(tail.data);
        log_debug("%s: %s", opts->argv[0], tail.data);
    }
    if (r < 0)
        return explain(r, opts, err);
    ret->exit_status = result.exit_status;
    ret->tail = strbuf_take(&tail);
    return 0;
}

/* Its last lines, as far as they fit into an error. */
static const char *last_lines(char *tail)
{
    size_t len = strlen(tail);

    while (len > 0 && (tail[len - 1] == '\n' || tail[len - 1] == ' '))
        tail[--len] = '\0';
    if (len > LINE_MAX_IN_ERROR) {
        const char *nl = strchr(tail + len - LINE_MAX_IN_ERROR, '\n');

        tail = nl ? tail + (nl + 1 - tail) : tail + len - LINE_MAX_IN_ERROR;
    }
    for (char *c = tail; *c; c++)
        if (*c == '\n')
            *c = ';';
    return *tail ? tail : "it said nothing";
}

int jail_check(const struct jail_opts *opts, struct err *err)
{
    struct jail_result result = { 0 };
    int r = jail_run(opts, &result, err);

    if (r == 0 && result.exit_status != 0)
        r = err_set(err, EPROTO, "%s of the guest failed with status %d: %s", opts->argv[0],
                    result.exit_status, last_lines(result.tail));
    free(result.tail);
    return r;
}
