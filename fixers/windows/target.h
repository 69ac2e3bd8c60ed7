/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fixers of Windows guests ask of the facts. */
#ifndef H2K_FIXERS_WINDOWS_TARGET_H
#define H2K_FIXERS_WINDOWS_TARGET_H

#include "fixers/fixer.h"
#include "fixers/windows/virtio_win.h"
#include "inspect/windows/facts.h"

/* The Windows that drivers are looked for; false: its processor is none that virtio-win has. */
bool windows_target(struct plan *plan, const struct facts *facts, struct win_target *ret);

/* Is it NT @major.@minor or later? */
bool windows_is_at_least(const struct fact_windows *windows, uint32_t major, uint32_t minor);

/* The key of a service in a control set. Free it. */
char *windows_service_key(const char *control_set, const char *service);

/* A path below the folder of Windows: "System32/drivers" gives "/Windows/System32/drivers". Free
 * it. */
char *windows_path(const struct fact_windows *windows, const char *below);

#endif
