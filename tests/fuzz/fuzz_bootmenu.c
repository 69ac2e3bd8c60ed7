/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the text is (the first byte says which format): all that is found lies in it, in order
 * and without overlap. */
#include <stdint.h>
#include <stdlib.h>

#include "inspect/bootmenu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_args(const char *text, const struct span *line)
{
    size_t pos = line->start, done = line->start;
    struct kernel_arg arg;

    while (kernel_arg_next(text, line, &pos, &arg)) {
        if (arg.name.len == 0 || arg.name.start < done ||
            arg.value.start <= arg.name.start + arg.name.len - 1)
            abort();
        done = arg.value.start + arg.value.len;
        if (done > pos || pos > line->start + line->len)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data + 1;
    struct bootmenu menu;
    size_t done = 0;

    if (size == 0)
        return 0;
    bootmenu_parse(data[0] % (BOOTMENU_ZIPL + 1), text, size - 1, &menu);
    for (size_t i = 0; i < menu.n; i++) {
        const struct span *at = &menu.lines[i].at;

        if (at->start < done || at->len > size - 1 || at->start > size - 1 - at->len)
            abort();
        done = at->start + at->len;
        check_args(text, at);
    }
    bootmenu_done(&menu);
    return 0;
}
