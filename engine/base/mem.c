/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void *must(void *ptr)
{
    if (!ptr) {
        (void)fputs("h2k: out of memory\n", stderr);
        abort();
    }
    return ptr;
}

void *mem_alloc(size_t size)
{
    return must(calloc(1, size ? size : 1));
}

void *mem_realloc(void *old, size_t size)
{
    return must(realloc(old, size ? size : 1));
}

void *mem_dup(const void *data, size_t size)
{
    void *copy = mem_alloc(size);

    if (size)
        memcpy(copy, data, size);
    return copy;
}

char *mem_strdup(const char *text)
{
    return text ? must(strdup(text)) : NULL;
}

char *mem_strndup(const char *text, size_t max)
{
    return must(strndup(text, max));
}

char *mem_vprintf(const char *fmt, va_list args)
{
    char *text = NULL;

    if (vasprintf(&text, fmt, args) < 0)
        text = NULL;
    return must(text);
}

char *mem_printf(const char *fmt, ...)
{
    va_list args;
    char *text;

    va_start(args, fmt);
    text = mem_vprintf(fmt, args);
    va_end(args);
    return text;
}

void *mem_add(void *items, size_t *n, size_t size)
{
    void *array;
    char *added;

    /* @items points to a pointer of the caller's own type; memcpy keeps the aliasing rules */
    memcpy(&array, items, sizeof(array));
    if ((*n & (*n - 1)) == 0) {
        size_t room = *n ? *n * 2 : 1;

        if (room > SIZE_MAX / size)
            must(NULL);
        array = mem_realloc(array, room * size);
        memcpy(items, &array, sizeof(array));
    }
    added = (char *)array + *n * size;
    memset(added, 0, size);
    (*n)++;
    return added;
}

void strlist_add(struct strlist *list, const char *text)
{
    strlist_take(list, mem_strdup(text));
}

void strlist_take(struct strlist *list, char *text)
{
    char **slot = mem_add(&list->items, &list->n, sizeof(*slot));

    *slot = text;
}

int strlist_has(const struct strlist *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i], text) == 0)
            return 1;
    return 0;
}

int strlist_has_nocase(const struct strlist *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcasecmp(list->items[i], text) == 0)
            return 1;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

void strlist_sort(struct strlist *list)
{
    if (list->n > 1)
        qsort(list->items, list->n, sizeof(*list->items), compare);
}

void strlist_done(struct strlist *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i]);
    free(list->items);
    list->items = NULL;
    list->n = 0;
}
