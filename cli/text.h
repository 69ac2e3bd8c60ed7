/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was found, for people. Control characters of a guest never reach the terminal. */
#ifndef H2K_CLI_TEXT_H
#define H2K_CLI_TEXT_H

#include <stdio.h>

#include "fixers/job.h"

void text_disks(FILE *out, const struct job *job); /* disks and volumes, as far as they are known */
void text_images(FILE *out, const struct job *job); /* the images alone */
void text_guest(FILE *out, const struct job *job);  /* those, and the systems */

/* The volumes as a tree. */
void text_tree(FILE *out, const struct stack *stack);

/* "Debian GNU/Linux 12 (bookworm), x86_64, bios" */
void text_system_line(FILE *out, const struct facts *facts);

/* The changes of a plan: reason and diff; @diffs false: a line each. */
void text_changes(FILE *out, const json_t *changes, bool diffs);

/* @text with everything that is not printable replaced, newlines and tabs kept when @lines. */
void text_safe(FILE *out, const char *text, bool lines);

/* As an argument that a shell takes as it is. */
void text_quoted(FILE *out, const char *arg);

#endif
