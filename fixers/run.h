/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs of the guest among a plan's changes: only registry.c and apply.c need these. */
#ifndef H2K_FIXERS_RUN_H
#define H2K_FIXERS_RUN_H

#include "fixers/plan.h"

/* They see what all other changes have made: put them at the end, in their order. */
void runs_last(struct plan *plan);

/* Run what @change says. What it makes is looked at and then replaces the file at the change's
 * path; when it fails, that is as it was. */
int run_program(const struct plan *plan, const struct change *change, struct err *err);

#endif
