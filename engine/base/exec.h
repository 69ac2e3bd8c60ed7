/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Running programs of the host. Never through a shell; children die with h2k, get no descriptor
 * that was not named, and have limits on time, memory and output.
 */
#ifndef H2K_ENGINE_BASE_EXEC_H
#define H2K_ENGINE_BASE_EXEC_H

#include <stdint.h>
#include <sys/types.h>

#include "engine/base/err.h"
#include "engine/base/strbuf.h"

struct exec_opts {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
    const char *package;     /* who brings argv[0], for the error text; may be NULL */
    const void *input;       /* for its stdin; NULL: /dev/null */
    size_t input_len;
    int mount_ns_fd;      /* > 0: join this mount namespace first */
    int own_group;        /* a signal from the terminal's keyboard does not reach it */
    int stdout_fd;        /* > 0: goes there instead of being captured */
    unsigned timeout_ms;  /* 0: none */
    uint64_t limit_as;    /* RLIMIT_AS in bytes; 0: none */
    unsigned limit_cpu_s; /* RLIMIT_CPU in seconds; 0: none */
    const int *keep_fds;  /* descriptors that stay open (same numbers) */
    size_t n_keep_fds;
    /* called with each piece of stdout as it arrives, instead of capturing; may be NULL */
    void (*on_output)(void *arg, const char *data, size_t len);
    void *on_output_arg;
    int one_output;         /* stderr goes where stdout goes */
    const char *const *env; /* all of its environment, and argv[0] is a path then; NULL: ours */
    int own_pids; /* the child is the first of a process namespace: nothing it starts outlives it */
    /* Called in the child, which is still h2k, before the program is started; it may go on as a
     * child of that. All descriptors but 0, 1, 2 and @report_fd are its own to close. < 0: the
     * program is not started, *ret_step says what failed. */
    int (*prepare)(void *arg, int report_fd, const char **ret_step);
    void *prepare_arg;
};

struct exec_result {
    int exit_status; /* as a shell has it: 128 + N when it died by signal N */
    struct strbuf out, err;
};

/*
 * Run to the end and capture both outputs (at most 64 MiB of stdout, 64 KiB of stderr).
 * 0 when the program ran, whatever its exit status; else negative errno and *err:
 * -ENOENT not installed (STATUS_HOST), -ETIMEDOUT, -EINTR an ending signal came (the child is
 * killed and reaped). @result may be NULL and need not be released after a failure.
 */
int exec_run(const struct exec_opts *opts, struct exec_result *result, struct err *err);

/* As exec_run(), and an exit status other than 0 is an error with the last lines of stderr. */
int exec_check(const struct exec_opts *opts, struct exec_result *result, struct err *err);

void exec_result_done(struct exec_result *result);
#define CLEANUP_EXEC __attribute__((cleanup(exec_result_done)))

/* A program that runs beside us until process_stop(). */
struct process {
    pid_t pid;  /* 0: none */
    int pidfd;  /* becomes readable when it ends */
    int err_fd; /* read end of its stderr */
};

/* Start @opts in the background; stdout goes to opts->stdout_fd or /dev/null. */
int process_start(const struct exec_opts *opts, struct process *ret, struct err *err);

/* Has it ended? Sets *ret_status (shell style) when it has. */
int process_ended(struct process *process, int *ret_status);

/* SIGTERM, SIGKILL after @grace_ms, reap, close. Returns the exit status, shell style. */
int process_stop(struct process *process, unsigned grace_ms);

/* SIGKILL the direct children of @pid, stopped ones too: what waits for their answers goes on. */
void process_kill_children(pid_t pid);

/* What it has said on stderr so far, for error texts. */
void process_stderr(struct process *process, struct strbuf *buf);

/* Is the program in PATH? */
int exec_have(const char *program);

#endif
