/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/linux.h"
#include "inspect/fields.h"

int comment_lines(struct plan *plan, const char *path,
                  bool (*is_meant)(const char *text, const struct span *line), const char *reason,
                  struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    CLEANUP_EDITS struct edits edits = { 0 };
    struct span line;
    size_t pos = 0;
    int r = plan_read_text(plan, path, &text, err);

    if (r <= 0)
        return r;
    while (line_next(text, strlen(text), &pos, &line))
        if (is_meant(text, &line))
            edits_add(&edits, (struct span){ line.start, 0 }, "# ");
    fixed = edits_apply(&edits, text, strlen(text), NULL);
    plan_write(plan, path, fixed, reason);
    return 0;
}
