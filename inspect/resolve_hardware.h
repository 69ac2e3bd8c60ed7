/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which disks the links mean that name hardware (by-id, by-path), on guests with several disks. */
#ifndef H2K_INSPECT_RESOLVE_HARDWARE_H
#define H2K_INSPECT_RESOLVE_HARDWARE_H

#include "inspect/facts.h"

/*
 * Add aliases for such links in facts->mounts: to the disk that has the root, to the only one whose
 * partitions and file systems are as the mounts say and to which no other link of its kind leads,
 * and by-path to the disk whose place in the guest's order the link's numbers give. An alias to ""
 * says that it is not clear which disk it is.
 */
void resolve_hardware(struct facts *facts);

/* Is there something about the link among the aliases? *ret: the device, NULL: it is not clear
 * which. */
bool resolve_hardware_link(const struct facts *facts, const char *link,
                           const struct fact_device **ret);

#endif
