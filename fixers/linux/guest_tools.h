/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest-tools fixer's two halves: what is started, and what configuration asks for. */
#ifndef H2K_FIXERS_LINUX_GUEST_TOOLS_H
#define H2K_FIXERS_LINUX_GUEST_TOOLS_H

#include "fixers/fixer.h"

/* Mounts and modules that can only fail, package sources of the old hypervisor's vendor; notes on
 * what stays. */
int guest_tools_conf(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* The command that removes those of their packages that are installed; no words: there are none.
 * STATUS_REFUSED: no known package manager (tools_removal.c). */
int guest_tools_removal(const struct fix_context *ctx, const struct plan *plan, struct strlist *ret,
                        struct err *err);

/* Remove them, by a run of the guest's package manager. */
int guest_tools_remove(const struct fix_context *ctx, struct plan *plan, struct err *err);

#endif
