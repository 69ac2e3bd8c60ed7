/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of options: name, value, who takes it, what it does. */
#ifndef H2K_CLI_OPTION_ROWS_H
#define H2K_CLI_OPTION_ROWS_H

#include "cli/options.h"

/* A command line while it is read. */
struct parser {
    struct options *options;
    const struct option_row *row;  /* of the option whose value is taken */
    const char *format;            /* --format in force */
    bool has_secret;               /* the value of the last option is one */
    unsigned used;                 /* groups of the options that were given */
    const char *last_of_group[18]; /* an option of each group that was given, for messages */
    struct job_source *added;      /* -a */
    size_t n_added;
};

/* One option. */
struct option_row {
    const char *name;
    char letter;     /* 0: none */
    const char *arg; /* NULL: a switch */
    unsigned group;  /* one of enum option_group */
    const char *help;
    /* Take @value (NULL for a switch). 0, or negative errno and *err with STATUS_USAGE. */
    int (*set)(struct parser *parser, const char *value, struct err *err);
};

extern const struct option_row option_rows[]; /* in the order of --help */
extern const size_t n_option_rows;

#endif
