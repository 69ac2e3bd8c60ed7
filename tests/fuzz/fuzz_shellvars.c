/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the text is: a value that was set is read back, and setting it again changes nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/shellvars.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_set(const char *text, size_t size, const char *name)
{
    static const char value[] = "root=UUID=1 \"quiet\" $x `y` \\";
    size_t once_len, twice_len;
    char *once = shellvars_set(text, size, name, value, &once_len);
    char *twice = shellvars_set(once, once_len, name, value, &twice_len);
    struct shellvars vars;
    const char *got;

    shellvars_parse(once, once_len, &vars);
    got = shellvars_get(&vars, name);
    if (!got || strcmp(got, value) != 0 || once_len != twice_len ||
        memcmp(once, twice, once_len) != 0)
        abort();
    shellvars_done(&vars);
    free(once);
    free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct shellvars vars;

    shellvars_parse(text, size, &vars);
    for (size_t i = 0; i < vars.n; i++) {
        const struct shellvar *last = shellvars_find(&vars, vars.vars[i].name);

        if (vars.vars[i].raw.start + vars.vars[i].raw.len > size)
            abort();
        if (vars.vars[i].literal && last && last->literal && i < 8)
            check_set(text, size, vars.vars[i].name);
    }
    shellvars_done(&vars);
    return 0;
}
