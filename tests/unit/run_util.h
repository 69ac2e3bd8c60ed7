/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tools that tests make things with: one that fails, fails the test. */
#ifndef H2K_TESTS_RUN_UTIL_H
#define H2K_TESTS_RUN_UTIL_H

#include <string.h>

#include "engine/base/exec.h"
#include "tests/unit/unit.h"

/* @input on its standard input; NULL: nothing. */
static inline void run(const char *const *argv, const char *input)
{
    struct exec_opts opts = { .argv = argv,
                              .input = input,
                              .input_len = input ? strlen(input) : 0 };
    struct err err = ERR_NONE;
    char text[4096];

    if (exec_check(&opts, NULL, &err) < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
}

#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL }, NULL)

#endif
