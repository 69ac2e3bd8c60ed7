/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of disks below /dev/mapper that multipath-tools make (multipath.conf(5)). */
#ifndef H2K_INSPECT_MULTIPATH_H
#define H2K_INSPECT_MULTIPATH_H

#include <stdbool.h>

/* Is @name ("mpatha", "mpatha1", "mpathbp2", "36000c29...-part1") of that kind? They name hardware:
 * a disk of another machine has another one or none. *ret_part: the partition's number, or "". */
bool multipath_name(const char *name, const char **ret_part);

#endif
