/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configuration that was copied into an initramfs when it was made and names disks: initramfs-tools
 * waits half a minute for a RESUME= that does not come, and a crypttab's volume is not opened.
 */
#ifndef H2K_FIXERS_LINUX_ARCHIVED_CONF_H
#define H2K_FIXERS_LINUX_ARCHIVED_CONF_H

#include "fixers/linux/segment.h"
#include "fixers/plan.h"

struct fix_context;

/* Add to @segment each file of the archive that names disks, by UUID; their names go to @ret.
 * A name without a UUID stays: the fixers of the guest's own files say so. */
void archived_conf_add_fixed(const struct fix_context *ctx, const struct initramfs *found,
                             struct segment *segment, struct strlist *ret);

#endif
