/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest mounts, or starts from, without a line in any file. */
#ifndef H2K_INSPECT_UNLISTED_H
#define H2K_INSPECT_UNLISTED_H

#include "inspect/inspect.h"

/*
 * Mount boot partitions and a /usr partition that no mount of system->facts is about, by their type
 * in the partition table, and add them to the mounts. /usr is mounted read-only. 0, or negative
 * errno and *err.
 */
int mount_unlisted(struct stack *stack, struct system *system, const struct inspect_opts *opts,
                   struct err *err);

#endif
