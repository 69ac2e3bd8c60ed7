/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/print.h"
#include "engine/base/cleanup.h"
#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/base/signals.h"
#include "engine/base/strbuf.h"

#define DEFAULT_TIMEOUT_S 300
#define GRACE_MS 10000 /* from SIGTERM to SIGKILL */
#define OUTPUT_MAX (256U << 20)

struct worker {
    pid_t pid; /* 0: free */
    int out_fd;
    size_t guest;         /* its number */
    uint64_t deadline_ms; /* next step: SIGTERM, then SIGKILL */
    int signals;          /* how many of those were sent */
    bool too_much;        /* more than OUTPUT_MAX: not a result */
    struct strbuf out;
};

struct batch {
    const struct options *options;
    int (*one)(const struct options *options);
    struct worker *workers;
    size_t n_guests, n_workers, next, n_failed;
    int last_status; /* of the guest that failed last */
    uint64_t timeout_ms;
};

static __attribute__((noreturn)) void work(const struct batch *batch, size_t guest, int out_fd,
                                           pid_t parent)
{
    struct options options = *batch->options;
    int status;

    /* SIGTERM, so that what is attached is released; the parent may be gone already */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
        _exit(STATUS_FAILED);
    signals_after_fork();
    for (size_t i = 0; i < batch->n_workers; i++)
        if (batch->workers[i].pid)
            (void)close(batch->workers[i].out_fd);
    if (dup2(out_fd, STDOUT_FILENO) < 0)
        _exit(STATUS_FAILED);
    /* the disks of a single guest may be several, or all named with -a */
    if (batch->n_guests > 1) {
        options.job.sources = &batch->options->args[guest];
        options.job.n_sources = 1;
    }
    status = batch->one(&options);
    if (fflush(stdout) != 0)
        status = STATUS_FAILED;
    _exit(status);
}

static int start(struct batch *batch, struct worker *worker)
{
    pid_t parent = getpid();
    int fds[2];
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    (void)fflush(stdout);
    pid = fork();
    if (pid == 0)
        work(batch, batch->next, fds[1], parent);
    (void)close(fds[1]);
    if (pid < 0) {
        (void)close(fds[0]);
        return -EAGAIN;
    }
    *worker = (struct worker){
        .pid = pid,
        .out_fd = fds[0],
        .guest = batch->next++,
        .deadline_ms = io_now_ms() + batch->timeout_ms,
    };
    return 0;
}

static void print_failure(struct batch *batch, const struct worker *worker, int status)
{
    const struct options *options = batch->options;
    const char *guest =
        batch->n_guests > 1 ? options->args[worker->guest].path : options->job.sources[0].path;
    struct err err = ERR_NONE;

    if (worker->signals)
        (void)err_status(&err, STATUS_FAILED, "not done within %llu s; --timeout sets the limit",
                         (unsigned long long)batch->timeout_ms / 1000);
    else if (WIFSIGNALED(status))
        (void)err_status(&err, STATUS_FAILED, "the worker was ended by signal %d",
                         WTERMSIG(status));
    else
        (void)err_status(&err, STATUS_FAILED, "the worker ended without a result");
    batch->last_status = cli_fail(options, options->command->schema, guest, NULL, &err);
}

static void finish(struct batch *batch, struct worker *worker)
{
    int status = 0;
    bool whole;

    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    (void)close(worker->out_fd);
    /* a failure without --json is told on stderr only: no output is fine then */
    whole = WIFEXITED(status) && !worker->signals && !worker->too_much &&
            (worker->out.len > 0 ? worker->out.data[worker->out.len - 1] == '\n'
                                 : WEXITSTATUS(status) != 0 && !batch->options->json);
    if (whole)
        batch->last_status = WEXITSTATUS(status);
    if (whole)
        (void)fwrite(strbuf_text(&worker->out), 1, worker->out.len, stdout);
    else if (!signals_pending())
        print_failure(batch, worker, status);
    if (!whole || WEXITSTATUS(status) != STATUS_OK)
        batch->n_failed++;
    (void)fflush(stdout);
    strbuf_done(&worker->out);
    *worker = (struct worker){ .pid = 0 };
}

/* Take what a worker has said. */
static void drain(struct batch *batch, struct worker *worker)
{
    char piece[65536];
    ssize_t n = read(worker->out_fd, piece, sizeof(piece));

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        finish(batch, worker);
        return;
    }
    if (worker->out.len + (size_t)n <= OUTPUT_MAX)
        strbuf_add(&worker->out, piece, (size_t)n);
    else
        worker->too_much = true;
}

static void end_late_ones(struct batch *batch, bool all)
{
    uint64_t now = io_now_ms();

    for (size_t i = 0; i < batch->n_workers; i++) {
        struct worker *worker = &batch->workers[i];

        if (!worker->pid || (now < worker->deadline_ms && !(all && worker->signals == 0)))
            continue;
        if (worker->signals++ == 0) {
            (void)kill(worker->pid, SIGTERM);
        } else {
            /* it may wait in the kernel for a block server that does not answer: not even SIGKILL
             * ends that while the server lives */
            process_kill_children(worker->pid);
            (void)kill(worker->pid, SIGKILL);
        }
        worker->deadline_ms = now + GRACE_MS;
    }
}

static size_t n_running(const struct batch *batch)
{
    size_t n = 0;

    for (size_t i = 0; i < batch->n_workers; i++)
        n += batch->workers[i].pid != 0;
    return n;
}

static void wait_for_some(struct batch *batch, struct pollfd *polls)
{
    size_t n = 0;

    for (size_t i = 0; i < batch->n_workers; i++) {
        polls[n].fd = batch->workers[i].pid ? batch->workers[i].out_fd : -1;
        polls[n].events = POLLIN;
        polls[n++].revents = 0;
    }
    /* after the signal its descriptor stays readable: look at the workers only */
    polls[n].fd = signals_pending() ? -1 : signals_fd();
    polls[n].events = POLLIN;
    (void)poll(polls, n + 1, 500);
    for (size_t i = 0; i < batch->n_workers; i++)
        if (polls[i].fd >= 0 && polls[i].revents)
            drain(batch, &batch->workers[i]);
}

static void start_more(struct batch *batch)
{
    for (size_t i = 0; i < batch->n_workers; i++)
        if (!batch->workers[i].pid && batch->next < batch->n_guests &&
            start(batch, &batch->workers[i]) < 0 && n_running(batch) == 0) {
            /* no process can be made and none will end: give this guest up */
            struct worker lost = { .guest = batch->next++ };

            print_failure(batch, &lost, 0);
            batch->n_failed++;
        }
}

int batch_run(const struct options *options, int (*one)(const struct options *options))
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct batch batch = {
        .options = options,
        .one = one,
        .n_guests = options->n_args > 1 ? options->n_args : 1,
        .n_workers = options->jobs    ? options->jobs
                     : processors > 0 ? (size_t)processors
                                      : 1,
        .timeout_ms = (options->timeout_s ? options->timeout_s : DEFAULT_TIMEOUT_S) * 1000ULL,
    };
    CLEANUP_FREE struct pollfd *polls = NULL;

    if (batch.n_workers > batch.n_guests)
        batch.n_workers = batch.n_guests;
    batch.workers = mem_alloc(batch.n_workers * sizeof(*batch.workers));
    polls = mem_alloc((batch.n_workers + 1) * sizeof(*polls));
    for (;;) {
        if (!signals_pending())
            start_more(&batch);
        if (n_running(&batch) == 0 && (signals_pending() || batch.next >= batch.n_guests))
            break;
        wait_for_some(&batch, polls);
        end_late_ones(&batch, signals_pending() != 0);
    }
    free(batch.workers);
    if (signals_pending())
        return STATUS_SIGNAL + signals_pending();
    if (batch.n_guests == 1)
        return batch.n_failed ? batch.last_status : STATUS_OK;
    return batch.n_failed ? STATUS_SOME : STATUS_OK;
}
