/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/fact_strings.h"

#include <string.h>

void fact_strings_init(void *element, const size_t *offsets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *empty = mem_strdup("");

        memcpy((char *)element + offsets[i], &empty, sizeof(empty));
    }
}

void fact_strings_done(void *elements, size_t n_elements, size_t size, const size_t *offsets,
                       size_t n)
{
    for (size_t e = 0; e < n_elements; e++) {
        for (size_t i = 0; i < n; i++) {
            char *text;

            memcpy(&text, (char *)elements + e * size + offsets[i], sizeof(text));
            free(text);
        }
    }
}
