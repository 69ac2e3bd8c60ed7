/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program of the guest, run in a jail: it sees the guest's files as they are mounted here, and
 * nothing else of the host. Process, mount, network, IPC, host name and cgroup namespaces are its
 * own; there is no network; /dev holds null, zero, full, the random ones and terminals, no disk;
 * /sys is empty; /proc shows its own processes and hides what the kernel says of this host. It is
 * root without the capabilities that reach beyond its files, and without the system calls that do.
 * Everything it has started is gone when jail_run() returns, or when h2k dies.
 *
 * What is written to the guest's files stays; /tmp, /var/tmp and /run are empty at the start and
 * gone at the end. Needs Linux 5.12 (mount_setattr).
 */
#ifndef H2K_ENGINE_JAIL_H
#define H2K_ENGINE_JAIL_H

#include <stdint.h>

#include "engine/base/err.h"
#include "engine/guest.h"

#define JAIL_OUT "/tmp/h2k" /* where out_fd is seen */

/* Seen inside in the place of a file of the guest, which must exist. */
struct jail_file {
    const char *path;
    const char *text;
};

struct jail_opts {
    const struct guest_root *root; /* with all its file systems mounted, for writing */
    const char *const *argv;       /* argv[0] is a path of the guest */
    const char *const *env;        /* "NAME=value" ..., NULL-terminated, besides the usual ones */
    const struct jail_file *files;
    size_t n_files;
    int out_fd;          /* > 0: a folder of the host, for what the program makes */
    unsigned timeout_ms; /* 0: none */
    uint64_t limit_as;   /* RLIMIT_AS of each process in bytes; 0: none */
};

struct jail_result {
    int exit_status; /* as a shell has it: 128 + N when it died by signal N */
    char *tail;      /* the end of its output, printable ASCII and newlines; free it */
};

/*
 * Run to the end. 0 when the program ran, whatever its exit status; else negative errno and *err:
 * -ETIMEDOUT, -EINTR (an ending signal came), STATUS_HOST when this host cannot run programs for
 * the guest's processor, or make the jail.
 */
int jail_run(const struct jail_opts *opts, struct jail_result *ret, struct err *err);

/* As jail_run(), and an exit status other than 0 is an error with the end of the output. */
int jail_check(const struct jail_opts *opts, struct err *err);

#endif
