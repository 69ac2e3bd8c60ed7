/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The undo stack: how to release each kernel object (mount, loop, nbd, process) that outlives the
 * function that acquired it. Push right after acquiring; everything is released in reverse order
 * on every way out.
 */
#ifndef H2K_ENGINE_BASE_UNDO_H
#define H2K_ENGINE_BASE_UNDO_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/err.h"

struct undo;

/* Releases one object. @arg is owned by the step: the function frees it.
 * 0, or negative errno and *err; the object counts as released either way. */
typedef int (*undo_fn)(void *arg, struct err *err);

struct undo *undo_new(void);

/* @what names the object in logs and errors ("loop /dev/loop3"); copied. */
void undo_push(struct undo *undo, const char *what, undo_fn fn, void *arg);

/* Height of the stack now; pass it to undo_run_to() to release only what came later. */
size_t undo_mark(const struct undo *undo);

/* Release down to @mark, newest first, going on after a failure.
 * 0, or negative errno and *err of the first failure. */
int undo_run_to(struct undo *undo, size_t mark, struct err *err);

/* Release everything. */
int undo_run(struct undo *undo, struct err *err);

/* Has a step failed, ever? Then what it was to release may still be there. */
bool undo_has_failed(const struct undo *undo);

/* Forget all steps without running them (in a forked child: the parent owns the objects). The
 * arguments of the steps are leaked to the end of the process on purpose. */
void undo_forget(struct undo *undo);

/* Frees the stack, which must be empty (run) or forgotten. NULL is fine. */
void undo_free(struct undo *undo);

#endif
