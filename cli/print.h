/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all commands print alike: results on stdout, everything else on stderr. */
#ifndef H2K_CLI_PRINT_H
#define H2K_CLI_PRINT_H

#include <jansson.h>

#include "cli/options.h"
#include "engine/base/err.h"

/* Log level, log file and the form of stderr lines, as the options say. 0 or negative errno. */
int cli_setup(const struct options *options, struct err *err);

/* After a line that could not be parsed: the forms it asks for anywhere hold for the error too. */
void cli_setup_usage(struct options *options, int argc, char **argv);

/* One JSON document on one line of stdout (several lines on a terminal); takes the reference. */
void cli_print_json(json_t *document);

/* {"schema":...,"guest":...,"error":{"status","stage","message","frames":[]}}. New reference.
 * @guest and @stage may be NULL. */
json_t *cli_error_json(const char *schema, const char *guest, const char *stage,
                       const struct err *err);

/*
 * Tell a failure once: on stderr, and with --json as a document on stdout too.
 * Returns the exit status, for `return cli_fail(...)`.
 */
int cli_fail(const struct options *options, const char *schema, const char *guest,
             const char *stage, const struct err *err);

/* "1.5 GiB" for people, into @buf. Returns @buf. */
const char *cli_size(uint64_t bytes, char *buf, size_t size);

#endif
