/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of driver packages in the guest. */
#ifndef H2K_FIXERS_WINDOWS_STAGE_H
#define H2K_FIXERS_WINDOWS_STAGE_H

#include "fixers/windows/target.h"

/* Below the folder of Windows: where all packages lie for Plug and Play and for the first start. */
#define STAGE_FOLDER "Drivers/VirtIO"

/* All files of the package. */
void stage_package(struct plan *plan, const struct fact_windows *windows,
                   const struct win_driver *driver, const char *reason);

/* What starts with Windows, to where it is started from. A newer one that is there already, and
 * that Windows starts, stays, with a note. @version: of the new one; zeros when it has none. */
void stage_boot_driver(const struct fix_context *ctx, struct plan *plan,
                       const struct win_target *target, const struct win_file *file,
                       const uint16_t version[4], const char *reason);

/* The folder above is one that Windows looks for drivers in. */
void stage_device_path(struct plan *plan, const struct fact_windows *windows);

#endif
