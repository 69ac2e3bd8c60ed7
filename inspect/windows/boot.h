/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What starts a Windows: boot configuration data, or boot.ini. */
#ifndef H2K_INSPECT_WINDOWS_BOOT_H
#define H2K_INSPECT_WINDOWS_BOOT_H

#include "engine/guest.h"
#include "inspect/facts.h"

/*
 * Read what is below @base of @root ("" or WINDOWS_SYSTEM_VOLUME), which is on @device (NULL: not
 * known), and note in facts->windows what of it starts this system: bcd or boot_ini, boot_entry,
 * is_default. false: there is no such configuration, or it cannot be read.
 */
bool boot_read(const struct guest_root *root, const char *base, const struct fact_device *device,
               struct facts *facts);

#endif
