/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fixers in the order they run. */
#include "fixers/fixer.h"

#include <string.h>

#include "engine/base/cleanup.h"

/* A fixer reads through the plan, so it sees what those before it will have written. */
const struct fixer *const fixers[] = {
    NULL, /* a placeholder until the first fixer lands: the array must not be empty */
};
const size_t n_fixers = 0;

const struct fixer *fixer_find(const char *name)
{
    for (size_t i = 0; i < n_fixers; i++)
        if (strcmp(fixers[i]->name, name) == 0)
            return fixers[i];
    return NULL;
}
