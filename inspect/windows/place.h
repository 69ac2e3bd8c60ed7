/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Partitions as Windows names them in the registry and in what boots it. */
#ifndef H2K_INSPECT_WINDOWS_PLACE_H
#define H2K_INSPECT_WINDOWS_PLACE_H

#include "inspect/facts.h"

/*
 * Disks that are copies of each other have the same names for Windows, which then uses one of them
 * only. What is on the disk that Windows lies on is meant before all others, because that one was
 * in use; *ret_other is a further one that the name fits as well when that does not decide, NULL
 * otherwise.
 */

/* The partition of the disk with this signature that begins there; NULL: it is not given. */
const struct fact_device *place_mbr(const struct facts *facts, uint32_t disk_id,
                                    uint64_t start_bytes, const struct fact_device **ret_other);

/* The partition with this id (its case does not matter). */
const struct fact_device *place_gpt(const struct facts *facts, const char *part_uuid,
                                    const struct fact_device **ret_other);

/* The next disk after the one at *at (devices of @facts) that has the id of an earlier one, and
 * that one: to be begun with 0. false: there is none. */
bool place_next_copy(const struct facts *facts, size_t *at, const struct fact_device **ret_first,
                     const struct fact_device **ret_copy);

/* What is to be said of them, for people. Free it. */
char *place_copy_text(const struct fact_device *first, const struct fact_device *copy);

/* The volume of dynamic disks with this id of GUID_LEN bytes. */
const struct fact_device *place_dynamic(const struct facts *facts, const uint8_t *id);

/* Partition @partition (from 1 on, primary ones first) of disk @rdisk (from 0 on, as the disks were
 * given). */
const struct fact_device *place_arc(const struct facts *facts, uint32_t rdisk, uint32_t partition);

#endif
