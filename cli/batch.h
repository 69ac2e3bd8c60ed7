/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several guests at once: a worker process each, so that a broken image costs only itself. */
#ifndef H2K_CLI_BATCH_H
#define H2K_CLI_BATCH_H

#include "cli/options.h"

/*
 * Run @one for each of options->args in a process of its own, options->jobs at a time. With several
 * args @one gets options whose job has that guest as its only source, else the options as they are
 * (the job's sources are the disks of the one guest). It writes its result to stdout and returns
 * its exit status. Results are printed whole, in order of completion; a worker that dies or takes
 * longer than the time limit gets a failure document instead.
 * Returns STATUS_OK, STATUS_SOME (a single guest: its own status), or 128 + N after an ending
 * signal.
 */
int batch_run(const struct options *options, int (*one)(const struct options *options));

#endif
