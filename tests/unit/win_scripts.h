/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in a script that is planned for the first start of Windows. */
#ifndef H2K_TESTS_UNIT_WIN_SCRIPTS_H
#define H2K_TESTS_UNIT_WIN_SCRIPTS_H

#include <string.h>

#include "fixers/plan.h"
#include "tests/unit/tree.h"

#define WIN_SCRIPTS "/Windows/h2k/firstboot/scripts/"

static inline char *win_script(struct plan *plan, const char *name, size_t *ret_len)
{
    struct err err = ERR_NONE;
    char *path = mem_printf(WIN_SCRIPTS "%s", name);
    char *text = NULL;

    assert_int_equal(plan_read(plan, path, &text, ret_len, &err), 0);
    free(path);
    return text;
}

/* Besides, it is plain ASCII in lines as Windows has them. */
static inline void win_script_has(struct plan *plan, const char *name, const char *part)
{
    size_t len = 0;
    char *text = win_script(plan, name, &len);

    if (!strstr(text, part))
        fail_msg("%s has no %s: %s", name, part, text);
    for (size_t i = 0; i < len; i++) {
        assert_true((unsigned char)text[i] < 0x80);
        assert_true(text[i] != '\n' || (i > 0 && text[i - 1] == '\r'));
    }
    free(text);
}

static inline void win_script_has_no(struct plan *plan, const char *name, const char *part)
{
    size_t len = 0;
    char *text = win_script(plan, name, &len);

    assert_null(strstr(text, part));
    free(text);
}

#endif
