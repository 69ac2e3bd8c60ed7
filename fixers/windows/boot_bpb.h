/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the boot code of an NTFS or FAT volume believes of its disk (BIOS parameter block, the first
 * sector of the volume): heads at 0x1a, and at 0x1c the hidden sectors, which are those before it
 * on the disk.
 */
#ifndef H2K_FIXERS_WINDOWS_BOOT_BPB_H
#define H2K_FIXERS_WINDOWS_BOOT_BPB_H

#include <stdbool.h>
#include <stdint.h>

#define BPB_SECTOR 512U

enum {
    BPB_HEADS = 0x1a,
    BPB_HIDDEN = 0x1c,
    BPB_PATCH_LEN = 6, /* both, from BPB_HEADS on */
};

struct bpb_place {
    uint64_t disk_bytes, start_bytes; /* size of the disk, and where on it the volume begins */
    bool needs_heads;                 /* the boot code counts heads: before Windows Vista */
};

/* Heads of a disk as the firmware presents it. */
uint16_t bpb_heads(uint64_t disk_bytes);

/* Put right what does not fit the place. false: nothing is wrong, or it is no such sector. */
bool bpb_fix(uint8_t sector[BPB_SECTOR], const struct bpb_place *place);

/* The sector of the volume that holds a copy of this one; 0: there is none. */
uint64_t bpb_copy(const uint8_t sector[BPB_SECTOR]);

/* Is @there a copy of @sector? The mark of a FAT32 that is mounted is in the first one only. */
bool bpb_is_copy(const uint8_t sector[BPB_SECTOR], const uint8_t there[BPB_SECTOR]);

#endif
