/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements of facts: where their strings are, so that making and freeing need no list each. */
#ifndef H2K_INSPECT_FACT_STRINGS_H
#define H2K_INSPECT_FACT_STRINGS_H

#include <stddef.h>
#include <stdlib.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"

#define FACT_STRING(type, field) offsetof(struct type, field)

/* Give the @n strings at @offsets of @element the value "". */
void fact_strings_init(void *element, const size_t *offsets, size_t n);

/* Free those of @n_elements elements of @size bytes. */
void fact_strings_done(void *elements, size_t n_elements, size_t size, const size_t *offsets,
                       size_t n);

/* A new last element with the strings that @strings, an array of offsets, names. */
#define FACT_ADD(array, count, strings)                                                            \
    __extension__({                                                                                \
        void *added_ = mem_add(&(array), &(count), sizeof(*(array)));                              \
        fact_strings_init(added_, strings, ARRAY_SIZE(strings));                                   \
        added_;                                                                                    \
    })

#define FACT_FREE(array, count, strings)                                                           \
    do {                                                                                           \
        fact_strings_done(array, count, sizeof(*(array)), strings, ARRAY_SIZE(strings));           \
        free(array);                                                                               \
    } while (0)

#endif
