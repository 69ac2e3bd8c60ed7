/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Superblocks of Linux software RAID (md), read from bytes; nothing is ever written.
 * Formats: linux/include/uapi/linux/raid/md_p.h (struct mdp_superblock_s, mdp_superblock_1) and
 * md(4). All positions and lengths are in sectors of 512 bytes, whatever the disk's sectors are.
 */
#ifndef H2K_STORAGE_MD_SUPER_H
#define H2K_STORAGE_MD_SUPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MD_SECTOR 512U
#define MD_SUPER_MAX 4096U /* bytes that a superblock takes at most */
#define MD_PLACES 4        /* where one may be */
#define MD_DISKS_MAX 384U  /* what the kernel and mdadm go up to with 1.x */

/* Levels as the superblocks spell them. */
enum {
    MD_LEVEL_MULTIPATH = -4,
    MD_LEVEL_LINEAR = -1,
};

/* feature_map of 1.x; for 0.90 what means the same is set */
#define MD_FEATURE_RECOVERY 2U /* recovery_offset is valid: the device is being rebuilt */
#define MD_FEATURE_RESHAPE 4U
#define MD_FEATURE_BAD_BLOCKS 8U /* the list of bad blocks is not empty */
#define MD_FEATURE_REPLACEMENT 16U
#define MD_FEATURE_CLUSTERED 256U
#define MD_FEATURE_JOURNAL 512U
#define MD_FEATURE_PPL 1024U
#define MD_FEATURE_MULTIPLE_PPLS 2048U
#define MD_FEATURE_RAID0_LAYOUT 4096U
#define MD_FEATURES_KNOWN 8191U

/* What a device is in its array, when it is not one of the raid disks 0 ... */
#define MD_ROLE_SPARE 0xffffU
#define MD_ROLE_FAULTY 0xfffeU
#define MD_ROLE_JOURNAL 0xfffdU

struct md_super {
    unsigned major, minor; /* 0.90, 1.0, 1.1, 1.2 */
    uint8_t uuid[16];      /* of the array, in the order that mdadm prints */
    char name[33];         /* "host:name" (1.x) or "" */
    unsigned md_minor;     /* 0.90: the N of /dev/mdN */
    uint64_t ctime;        /* seconds */
    uint64_t events;       /* counts changes of state: the highest is the newest view */
    uint32_t features;
    int32_t level;
    uint32_t layout;
    uint32_t chunk;         /* 0: none */
    uint64_t size;          /* used of each device; 0: all of data_size */
    uint64_t data_offset;   /* from the start of the device */
    uint64_t data_size;     /* that may hold data */
    uint64_t resync_offset; /* UINT64_MAX: clean (0.90 tells no more) */
    uint64_t super_offset;  /* where this superblock is */
    uint32_t raid_disks;
    uint32_t dev_number; /* of this device: index into roles */
    uint32_t n_roles;
    uint16_t roles[MD_DISKS_MAX]; /* raid disk, or MD_ROLE_... */
};

/* Where a superblock of a device of @sectors may be. Returns how many places there are. */
struct md_place {
    unsigned major, minor;
    uint64_t sector;
};
size_t md_super_places(uint64_t sectors, struct md_place places[MD_PLACES]);

/*
 * Read the superblock whose bytes begin at @data; @len: how many there are (MD_SUPER_MAX, less at
 * the end of a device). @place: where they were, in a device of @sectors.
 * 0; -ENOENT: there is none; -EBADMSG: there is one, but its checksum or its numbers are wrong.
 */
int md_super_parse(const uint8_t *data, size_t len, const struct md_place *place, uint64_t sectors,
                   struct md_super *ret);

/* The role of the device that the superblock was read from. */
uint16_t md_super_role(const struct md_super *super);

/* "raid5", "linear"; NULL: unknown. */
const char *md_level_name(int32_t level);

/*
 * RAID formats of firmware and host adapters that end a disk: "Intel RAID (IMSM)" or "DDF RAID";
 * NULL: neither. @tail: the last @len bytes of the disk (1024 or more).
 */
const char *md_foreign_raid(const uint8_t *tail, size_t len);

#endif
