/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the boot code of an NTFS volume believes of its disk (BIOS parameter block, the first sector
 * of the volume): heads at 0x1a, and at 0x1c the hidden sectors, which are those before it on the
 * disk.
 */
#ifndef H2K_FIXERS_WINDOWS_BOOT_NTFS_H
#define H2K_FIXERS_WINDOWS_BOOT_NTFS_H

#include <stdbool.h>
#include <stdint.h>

#define NTFS_SECTOR 512U

enum {
    NTFS_HEADS = 0x1a,
    NTFS_HIDDEN = 0x1c,
    NTFS_SECTORS = 0x28,
    NTFS_PATCH_LEN = 6, /* both, from NTFS_HEADS on */
};

struct ntfs_place {
    uint64_t disk_bytes, start_bytes; /* size of the disk, and where on it the volume begins */
    bool needs_heads;                 /* the boot code counts heads: before Windows Vista */
};

/* Heads of a disk as the firmware presents it. */
uint16_t ntfs_heads(uint64_t disk_bytes);

/* Put right what does not fit the place. false: nothing is wrong, or it is no such sector. */
bool ntfs_boot_fix(uint8_t sector[NTFS_SECTOR], const struct ntfs_place *place);

#endif
