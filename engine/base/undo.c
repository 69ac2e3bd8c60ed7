/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/base/undo.h"

#include <stdlib.h>

#include "engine/base/log.h"
#include "engine/base/mem.h"

struct step {
    char *what;
    undo_fn fn;
    void *arg;
};

struct undo {
    struct step *steps;
    size_t n;
    bool failed;
};

struct undo *undo_new(void)
{
    return mem_alloc(sizeof(struct undo));
}

void undo_push(struct undo *undo, const char *what, undo_fn fn, void *arg)
{
    struct step *step = mem_add(&undo->steps, &undo->n, sizeof(*step));

    step->what = mem_strdup(what);
    step->fn = fn;
    step->arg = arg;
}

size_t undo_mark(const struct undo *undo)
{
    return undo->n;
}

int undo_run_to(struct undo *undo, size_t mark, struct err *err)
{
    int first = 0;

    while (undo->n > mark) {
        struct step step = undo->steps[--undo->n];
        struct err local = ERR_NONE;
        int r;

        log_debug("release %s", step.what);
        r = step.fn(step.arg, &local);
        if (r < 0) {
            char text[ERR_TEXT];

            undo->failed = true;
            (void)err_wrap(&local, "release %s", step.what);
            log_debug("%s", err_text(&local, text, sizeof(text)));
            if (first == 0) {
                first = r;
                *err = local;
            }
        }
        free(step.what);
    }
    return first;
}

bool undo_has_failed(const struct undo *undo)
{
    return undo->failed;
}

int undo_run(struct undo *undo, struct err *err)
{
    return undo_run_to(undo, 0, err);
}

void undo_forget(struct undo *undo)
{
    undo->n = 0;
    undo->steps = NULL;
}

void undo_free(struct undo *undo)
{
    if (!undo)
        return;
    free(undo->steps);
    free(undo);
}
