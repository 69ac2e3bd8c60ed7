/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line, parsed: one table of options for all commands (options.c). */
#ifndef H2K_CLI_OPTIONS_H
#define H2K_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/err.h"
#include "fixers/job.h"

/* Which commands take an option: struct command.options holds the groups of a command. */
enum option_group {
    OPT_COMMON = 1 << 0, /* -q -v --log-file --help --version --json: every command */
    OPT_SOURCE = 1 << 1, /* -a --format --backend --allow-backing --allow-stale --work-dir --root */
    OPT_FIX = 1 << 2,    /* --only --skip --initramfs --nic --show-secrets */
    OPT_TARGET = 1 << 3, /* -o --output-dir -O --compress --force --progress */
    OPT_IN_PLACE = 1 << 4, /* --in-place --report */
    OPT_BATCH = 1 << 5,    /* -j --timeout */
    OPT_BOOT = 1 << 6,     /* --bus --uefi ... of boot-test */
    OPT_PLAN = 1 << 7,     /* --exit-code */
    OPT_CLEANUP = 1 << 8,  /* --orphans */
};

enum progress_mode { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_JSON, PROGRESS_NONE };

struct options {
    const char *command; /* name of the sub-command */
    bool json, quiet, help;
    int verbose;
    const char *log_file;
    enum progress_mode progress;
    int progress_fd;     /* --progress=json:fd=N; -1: stderr */
    struct job_opts job; /* sources, formats, fixers, targets */
    char **args;         /* positional arguments (guests) */
    size_t n_args;
    unsigned jobs;      /* -j; 0: number of processors */
    unsigned timeout_s; /* --timeout per guest; 0: none */
    bool exit_code;     /* plan --exit-code */
    bool orphans;       /* cleanup --orphans */
    const char *bus;    /* boot-test */
    bool uefi;
    const char *screenshot, *console; /* boot-test: files to write */
    const char *login;                /* boot-test --login USER:PASSWORD */
    const char *guest_command;        /* boot-test --command */
};

/*
 * Parse @argv. Options may stand before or after the sub-command; --format applies to the images
 * after it. 0, or negative errno and *err with STATUS_USAGE.
 */
int options_parse(int argc, char **argv, struct options *ret, struct err *err);
void options_done(struct options *options);

#endif
