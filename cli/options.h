/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line, parsed: one table of options for all commands (options.c). */
#ifndef H2K_CLI_OPTIONS_H
#define H2K_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "engine/base/err.h"
#include "fixers/job.h"

/* Which commands take an option: struct command.options holds the groups of a command. */
enum option_group {
    OPT_COMMON = 1 << 0,   /* --json -q -v --log-file --help --version: every command */
    OPT_IMAGE = 1 << 1,    /* --format --backend --allow-backing --allow-stale */
    OPT_GUEST = 1 << 2,    /* -a */
    OPT_FIX = 1 << 3,      /* --only --skip --initramfs --disable-cloud-agents --remove-tools-now
                            --secure-boot --serial-console --virtio-win --discard-hibernation
                            --show-secrets */
    OPT_TARGET = 1 << 4,   /* -O --compress --force --progress */
    OPT_OUTPUT = 1 << 5,   /* --output-dir --report --in-place */
    OPT_BATCH = 1 << 6,    /* -j */
    OPT_TIMEOUT = 1 << 7,  /* --timeout */
    OPT_BOOT = 1 << 8,     /* --bus --uefi --accel --console --screenshot --login --command */
    OPT_PLAN = 1 << 9,     /* --exit-code */
    OPT_CLEANUP = 1 << 10, /* --orphans */
    OPT_WORK = 1 << 11,    /* --work-dir */
    OPT_NIC = 1 << 12,     /* --nic */
    OPT_ROOT = 1 << 13,    /* --root */
    OPT_KEY = 1 << 14,     /* --key --keys-from-stdin --header */
    OPT_INJECT = 1 << 15,  /* --config, and all that injections_option() knows */
    OPT_NAME = 1 << 16,    /* -o */
    OPT_EXPORT = 1 << 17,  /* --export */
};

enum progress_mode { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_JSON, PROGRESS_NONE };

struct command;

struct options {
    const struct command *command;
    bool json, quiet, help, version;
    int verbose; /* number of -v */
    const char *log_file;
    enum progress_mode progress;
    int progress_fd; /* --progress=json:fd=N; -1: stderr */

    /* Sources are GUEST (when there is one) and what -a adds; formats, fixers and targets. */
    struct job_opts job;

    /* Positional arguments with the --format in force for each. */
    struct job_source *args;
    size_t n_args;

    unsigned jobs;      /* -j; 0: number of processors */
    unsigned timeout_s; /* --timeout; 0: the command's default */
    bool exit_code, orphans, keys_from_stdin;

    const char *export_key; /* --export */

    const char *config;           /* --config */
    struct strlist inject_names;  /* options of injections, in order, */
    struct strlist inject_values; /* and their values, one for each */

    const char *bus, *accel; /* boot-test; NULL: from the XML, or the default */
    bool uefi;
    const char *screenshot, *console, *login, *guest_command;
};

/*
 * Parse @argv. Options may stand before or after the sub-command; --format applies to the images
 * after it. Strings point into @argv; secrets in it are overwritten, whatever comes of it, and key
 * files are not read yet (options_read_keys()). 0, or negative errno and *err with STATUS_USAGE.
 */
int options_parse(int argc, char **argv, struct options *ret, struct err *err);
void options_done(struct options *options);

/* Read key files and, when --keys-from-stdin is there, standard input. */
int options_read_keys(struct options *options, struct err *err);

/* Read --config and what the options of injections name, into job.fix.inject. */
int options_read_injections(struct options *options, struct err *err);

/* Usage of the program (@command NULL) or of one command, made from the tables. */
void options_print_help(FILE *out, const struct command *command);

#endif
