/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the layers below cli tell how far long work has come. */
#ifndef H2K_ENGINE_BASE_PROGRESS_H
#define H2K_ENGINE_BASE_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

struct progress {
    /* @stage is a literal ("attach", "inspect", "copy"); @done of @total in bytes, both 0 when
     * only the start of the stage is told. */
    void (*update)(void *arg, const char *stage, uint64_t done, uint64_t total);
    void *arg;
};

/* NULL and a NULL callback are fine. */
static inline void progress_update(const struct progress *progress, const char *stage,
                                   uint64_t done, uint64_t total)
{
    if (progress && progress->update)
        progress->update(progress->arg, stage, done, total);
}

#endif
