/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unified diffs, as `diff -u` writes them (POSIX: diff, "Diff -u Output Format"). */
#ifndef H2K_FIXERS_DIFF_H
#define H2K_FIXERS_DIFF_H

#include <stddef.h>

#define DIFF_CONTEXT 3U
#define DIFF_MAX_EDITS 1000      /* beyond it the differing part is shown as a whole */
#define DIFF_MAX_TEXT (1U << 20) /* bytes of output; a line then says that it was cut */

struct diff_side {
    const char *label; /* "a/etc/fstab", "/dev/null" */
    const char *text;  /* NULL: no such file */
    size_t len;
};

/* The diff from @before to @after, "" when they are equal; smallest number of changed lines within
 * the bounds above. Free it. */
char *diff_unified(const struct diff_side *before, const struct diff_side *after);

/* How many lines were taken away and added. */
void diff_count(const struct diff_side *before, const struct diff_side *after, size_t *ret_removed,
                size_t *ret_added);

#endif
