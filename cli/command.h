/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sub-commands: one row, one file each. */
#ifndef H2K_CLI_COMMAND_H
#define H2K_CLI_COMMAND_H

#include "cli/options.h"

struct command {
    const char *name;
    const char *args;            /* "GUEST..." for the usage line */
    const char *summary;         /* one line for --help */
    const char *schema;          /* of its JSON: "h2k.inspect/1"; NULL: it has none */
    const char *help;            /* a paragraph for `h2k COMMAND --help`; may be NULL */
    unsigned min_args, max_args; /* positional arguments; -a counts as one */
    unsigned options;            /* OR of enum option_group, besides OPT_COMMON */
    bool needs_root;

    /* Returns the exit status. Failures end with `return cli_fail(...)` (cli/print.h). */
    int (*run)(const struct options *options);
};

extern const struct command *const commands[]; /* in the order of --help */
extern const size_t n_commands;

const struct command *command_find(const char *name); /* NULL: no such command */

#endif
