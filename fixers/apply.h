/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only writer: makes a plan's changes in the guest. */
#ifndef H2K_FIXERS_APPLY_H
#define H2K_FIXERS_APPLY_H

#include "fixers/plan.h"

/*
 * Is there room for everything on each file system? Call it before plan_apply(): a full /boot must
 * be seen before anything is written. STATUS_REFUSED with the file system
 * and the number of bytes that are missing.
 */
int plan_check_space(const struct plan *plan, struct err *err);

/* Make all changes in order; stops at the first that fails and says which. */
int plan_apply(const struct plan *plan, struct err *err);

#endif
