/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts made of lines and of fields separated by blanks, and edits of them that leave every other
 * byte as it is. Texts are bytes with a length: they may hold NUL and need no terminator.
 */
#ifndef H2K_INSPECT_FIELDS_H
#define H2K_INSPECT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

/* No file of lines that means something has more; what follows is not looked at. */
#define FIELDS_MAX_LINES 65536U

/* Some bytes of a text. */
struct span {
    size_t start, len;
};

/* The line that begins at *@pos, without its "\n" or "\r\n"; moves *@pos behind it.
 * false at the end of the text. */
bool line_next(const char *text, size_t len, size_t *pos, struct span *ret);

/* The next field (separated by spaces and tabs) of @line from *@pos on, which starts as
 * line->start; moves *@pos behind it. false when there is none. */
bool field_next(const char *text, const struct span *line, size_t *pos, struct span *ret);

/* All fields of @line, at most @max; further ones are not looked at. A field that begins with '#'
 * ends the line. Returns how many. */
size_t fields_split(const char *text, const struct span *line, struct span *ret, size_t max);

/* The bytes as a string (up to a NUL in them). Free it. */
char *span_dup(const char *text, struct span span);

/* Is it exactly @word? */
bool span_is(const char *text, struct span span, const char *word);

/* The bytes with octal escapes ("\040") decoded and, when @unquote, the quotes of a value taken
 * away: `UUID="x"`, `"x"` -> UUID=x, x. Free it. */
char *span_unescape(const char *text, struct span span, bool unquote);

/* @value with blanks, '\' and '#' at its start as octal escapes. Free it. */
char *field_escape(const char *value);

/* Is @name one of the elements of a comma list ("rw,nofail")? "name" also finds "name=value". */
bool list_has(const char *list, const char *name);

/* The value of "name=value" in a comma list, NULL when it is not there. Free it. */
char *list_value(const char *list, const char *name);

/* Replacements in one text. Zero-initialise; add in any order, without overlap; edits_done(). */
struct edit {
    struct span at; /* len 0 inserts */
    char *with;
};
struct edits {
    struct edit *items;
    size_t n;
};

void edits_add(struct edits *edits, struct span at, const char *with);

/* The text with all replacements made; terminated, to free. An edit outside the text or one that
 * overlaps an earlier one is left out. *ret_len may be NULL. */
char *edits_apply(const struct edits *edits, const char *text, size_t len, size_t *ret_len);
void edits_done(struct edits *edits);
#define CLEANUP_EDITS __attribute__((cleanup(edits_done)))

#endif
