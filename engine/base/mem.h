/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bookkeeping memory. These end the process when memory is short: the session's state file makes
 * that safe. Sizes that come from a guest are capped and checked by the caller, which uses
 * malloc(3) and reports the failure.
 */
#ifndef H2K_ENGINE_BASE_MEM_H
#define H2K_ENGINE_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

void *mem_alloc(size_t size); /* zeroed */
void *mem_realloc(void *old, size_t size);
void *mem_dup(const void *data, size_t size);
char *mem_strdup(const char *text); /* NULL gives NULL */
char *mem_strndup(const char *text, size_t max);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *mem_vprintf(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));

/*
 * Append one zeroed element of @size bytes to the array *@items that holds *@n elements.
 * @items is the address of the array pointer; the array grows in powers of two.
 * Returns the new element: `struct part *part = mem_add(&table->parts, &table->n_parts,
 * sizeof(*part));`
 */
void *mem_add(void *items, size_t *n, size_t size);

/* A list of owned strings. Zero-initialise; release with strlist_done(). */
struct strlist {
    char **items;
    size_t n;
};

void strlist_add(struct strlist *list, const char *text);
void strlist_take(struct strlist *list, char *text); /* takes ownership of @text */
int strlist_has(const struct strlist *list, const char *text);
int strlist_has_nocase(const struct strlist *list, const char *text); /* of ASCII letters */
void strlist_sort(struct strlist *list);
void strlist_done(struct strlist *list);
#define CLEANUP_STRLIST __attribute__((cleanup(strlist_done)))

#endif
