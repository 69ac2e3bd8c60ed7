/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scripts for the first start that every Windows of their kind needs. */
#ifndef H2K_FIXERS_WINDOWS_FIRSTBOOT_SYSTEM_H
#define H2K_FIXERS_WINDOWS_FIRSTBOOT_SYSTEM_H

#include "fixers/fixer.h"

/* Install the drivers that other fixers lay down below Drivers/VirtIO. */
int firstboot_drivers(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* No questions about new hardware: XP and 2003 wait for an answer to them. */
int firstboot_quiet(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* Disks that the system's policy keeps offline. */
int firstboot_disks(const struct fix_context *ctx, struct plan *plan, struct err *err);

#endif
