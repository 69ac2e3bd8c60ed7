/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Partitions as Windows names them in the registry and in what boots it. */
#ifndef H2K_INSPECT_WINDOWS_PLACE_H
#define H2K_INSPECT_WINDOWS_PLACE_H

#include "inspect/facts.h"

/* The partition of the disk with this signature that begins there; NULL: it is not given. */
const struct fact_device *place_mbr(const struct facts *facts, uint32_t disk_id,
                                    uint64_t start_bytes);

/* The partition with this id (its case does not matter). */
const struct fact_device *place_gpt(const struct facts *facts, const char *part_uuid);

/* The volume of dynamic disks with this id of GUID_LEN bytes. */
const struct fact_device *place_dynamic(const struct facts *facts, const uint8_t *id);

/* Partition @partition (from 1 on, primary ones first) of disk @rdisk (from 0 on, as the disks were
 * given). */
const struct fact_device *place_arc(const struct facts *facts, uint32_t rdisk, uint32_t partition);

#endif
