/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of shell assignments: /etc/default/grub, os-release (os-release(5)), sysconfig files. Only
 * NAME=value words at the start of a line count (after blanks and "export"); what is around them is
 * passed over and kept.
 */
#ifndef H2K_INSPECT_SHELLVARS_H
#define H2K_INSPECT_SHELLVARS_H

#include "inspect/fields.h"

struct shellvar {
    char *name;
    /* Without quotes and escapes when @literal. Else (it holds $, ` or mixed quoting): the text
     * between the outer quotes as it is written, or the raw word. */
    char *value;
    bool literal;
    bool appends;    /* NAME+=value */
    char quote;      /* '"', '\'' when one pair encloses the whole value; 0 otherwise */
    struct span at;  /* the value as it is written, quotes included */
    struct span raw; /* the same without the outer quotes: for edits_add() of a part of it */
};

struct shellvars {
    struct shellvar *vars; /* in the file's order */
    size_t n;
};

void shellvars_parse(const char *text, size_t len, struct shellvars *ret);
void shellvars_done(struct shellvars *vars);
#define CLEANUP_SHELLVARS __attribute__((cleanup(shellvars_done)))

/* The last assignment of @name that appends nothing; NULL when there is none. */
const struct shellvar *shellvars_find(const struct shellvars *vars, const char *name);
/* Its value; NULL when there is none. */
const char *shellvars_get(const struct shellvars *vars, const char *name);

/*
 * The text with the last assignment of @name changed to @value (a line is added at the end when
 * there is none); everything else, the quoting style included, stays. The value of an assignment
 * that is not literal is written as it is, so that $NAME in it keeps its meaning.
 * Free the result; *ret_len may be NULL.
 */
char *shellvars_set(const char *text, size_t len, const char *name, const char *value,
                    size_t *ret_len);

#endif
