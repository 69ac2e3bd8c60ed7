/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Progress for people (a bar on a terminal) or for programs (JSON lines), on stderr. */
#ifndef H2K_CLI_PROGRESS_H
#define H2K_CLI_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

#include "cli/options.h"
#include "engine/base/progress.h"

struct cli_progress {
    struct progress hook; /* for struct job_opts.progress */
    enum progress_mode mode;
    int fd;
    const char *stage;
    uint64_t stage_start_ms, shown_ms;
    bool drawn; /* the bar is on the screen */
};

/* @progress must stay where it is until cli_progress_end(). */
void cli_progress_begin(struct cli_progress *progress, const struct options *options);

/* Take the bar off the screen. */
void cli_progress_end(struct cli_progress *progress);

/* "copy [#####     ]  50%  512.0 MiB/s  0:03 left": at most @width columns. Pure. */
void cli_progress_bar(char *buf, size_t size, unsigned width, const char *stage, uint64_t done,
                      uint64_t total, uint64_t elapsed_ms);

#endif
