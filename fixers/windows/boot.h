/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of the fixer win-boot. All: 0, or negative errno and *err. */
#ifndef H2K_FIXERS_WINDOWS_BOOT_H
#define H2K_FIXERS_WINDOWS_BOOT_H

#include "fixers/fixer.h"

/* Where the files are that the firmware starts: WINDOWS_SYSTEM_VOLUME, or "" when that is the
 * volume of Windows. */
const char *boot_volume(const struct plan *plan);

/* The loader at the removable path of the EFI system partition. */
int boot_esp_plan(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* Boot configuration data. */
int boot_bcd_plan(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* The loader's list of systems, before Windows Vista. */
int boot_ini_plan(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* The first sector of the volume that the firmware starts, and of Windows' own. */
int boot_sector_plan(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* Which partition has the letter of Windows' own volume. */
int boot_letter_plan(const struct fix_context *ctx, struct plan *plan, struct err *err);

#endif
