/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel has noted beside the text about parts of a volume group: which leg of a RAID is
 * out of date (linux/drivers/md/dm-raid.c, struct dm_raid_superblock), and what a thin pool's own
 * metadata says of itself (linux/drivers/md/dm-thin-metadata.c, struct thin_disk_superblock). Pure.
 */
#ifndef H2K_STORAGE_LVM_STATE_H
#define H2K_STORAGE_LVM_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LVM_RAID_SUPER 64U
#define LVM_THIN_SUPER 56U

struct lvm_raid_super {
    uint32_t n_devices, position;
    uint64_t events;
    uint64_t failed;          /* bits of positions */
    uint64_t recovery_offset; /* sectors that this leg has; UINT64_MAX: all */
    uint64_t resync_offset;   /* sectors up to which copies and parity agree; UINT64_MAX: all */
};

/* False: there is none. */
bool lvm_raid_super_parse(const uint8_t bytes[LVM_RAID_SUPER], struct lvm_raid_super *ret);

/* Is leg number @position, whose superblock is @own (NULL: none), out of date? @newest is that of
 * the leg with the most events. */
bool lvm_raid_is_stale(const struct lvm_raid_super *newest, const struct lvm_raid_super *own,
                       size_t position);

struct lvm_thin_super {
    bool needs_check;
    uint64_t transaction;
};

bool lvm_thin_super_parse(const uint8_t bytes[LVM_THIN_SUPER], struct lvm_thin_super *ret);

#endif
