/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sub-commands: one row, one file each. */
#ifndef H2K_CLI_COMMAND_H
#define H2K_CLI_COMMAND_H

#include "cli/options.h"

struct command {
    const char *name;
    const char *args;            /* "GUEST..." for the usage line */
    const char *summary;         /* one line for --help */
    const char *help;            /* the rest of `h2k COMMAND --help`: options that matter here */
    unsigned min_args, max_args; /* positional arguments */
    unsigned options;            /* OR of enum option_group: options that it takes */
    int needs_root;
    /* Returns the exit status. Errors are printed with cli_fail(). */
    int (*run)(const struct options *options);
};

extern const struct command *const commands[];
extern const size_t n_commands;

#endif
