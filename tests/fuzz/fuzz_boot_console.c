/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever a guest prints: cut in pieces or not, it gives the same text, and the
 * text holds no control characters. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fixers/boot_console.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct boot_console pieces, whole;

    boot_console_init(&pieces);
    boot_console_init(&whole);
    boot_console_feed(&whole, (const char *)data, size);
    for (size_t i = 0; i < size; i++)
        boot_console_feed(&pieces, (const char *)data + i, 1);
    if (strcmp(strbuf_text(&whole.text), strbuf_text(&pieces.text)) != 0)
        abort();
    for (const char *c = strbuf_text(&whole.text); *c; c++)
        if ((unsigned char)*c < ' ' && *c != '\n' && *c != '\t')
            abort();
    boot_console_done(&pieces);
    boot_console_done(&whole);
    return 0;
}
