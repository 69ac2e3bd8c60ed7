/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/fstypes.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "storage/btrfs.h"
#include "storage/ntfs.h"

/* ext2/3/4 (Documentation/filesystems/ext4/super.rst): superblock at byte 1024 */
#define EXT_SUPER 1024
#define EXT_MAGIC 0x38    /* u16 0xef53 */
#define EXT_STATE 0x3a    /* u16, bit 0: cleanly unmounted */
#define EXT_COMPAT 0x5c   /* u32, bit 2: has a journal */
#define EXT_INCOMPAT 0x60 /* u32, bit 2: the journal needs recovery */
#define EXT_PEEK 0x64

/* FAT (the boot sector as in linux/msdos_fs.h): byte "state", bit 0 dirty */
#define FAT_STATE_16 0x25
#define FAT_STATE_32 0x41
#define FAT_SECTORS_PER_FAT_16 0x16 /* u16, 0 for FAT32 */
#define FAT_PEEK 0x44

static bool peek(const struct volume *volume, uint64_t at, void *buf, size_t len)
{
    return volume_read(volume, at, buf, len) == 0;
}

static bool ext_is_dirty(const struct volume *volume)
{
    uint8_t super[EXT_PEEK];

    if (!peek(volume, EXT_SUPER, super, sizeof(super)) || get_le16(super + EXT_MAGIC) != 0xef53)
        return false;
    if (get_le32(super + EXT_COMPAT) & 4)
        return get_le32(super + EXT_INCOMPAT) & 4;
    return !(get_le16(super + EXT_STATE) & 1);
}

static bool btrfs_is_dirty(const struct volume *volume)
{
    struct btrfs_super super;

    return btrfs_super_read(volume, &super) == 0 && super.log_root != 0;
}

static bool fat_is_dirty(const struct volume *volume)
{
    uint8_t boot[FAT_PEEK];

    if (!peek(volume, 0, boot, sizeof(boot)))
        return false;
    return boot[get_le16(boot + FAT_SECTORS_PER_FAT_16) ? FAT_STATE_16 : FAT_STATE_32] & 1;
}

#define EXT_OPTIONS                                                                                \
    .read = { { "noload", NULL } }, .write = { { "errors", "remount-ro" } },                       \
    .is_dirty = ext_is_dirty

#define NTFS_3G "no_detach,noatime,nosuid,nodev,noexec"

static const struct fstype types[] = {
    { .name = "ext2", .driver = "ext4", EXT_OPTIONS },
    { .name = "ext3", .driver = "ext4", EXT_OPTIONS },
    { .name = "ext4", .driver = "ext4", EXT_OPTIONS },
    /* nouuid: the host, or a copy of the guest, may have the same file system mounted */
    { .name = "xfs",
      .driver = "xfs",
      .read = { { "norecovery", NULL }, { "nouuid", NULL } },
      .write = { { "nouuid", NULL } },
      .is_dirty = xfs_is_dirty },
    { .name = "btrfs",
      .driver = "btrfs",
      .read = { { "rescue", "nologreplay" } },
      .is_dirty = btrfs_is_dirty },
    { .name = "vfat",
      .driver = "vfat",
      .read = { { "utf8", "1" }, { "umask", "0077" } },
      .write = { { "utf8", "1" }, { "umask", "0077" } },
      .is_dirty = fat_is_dirty,
      .program = "mcopy",
      .without_driver = FSTYPE_STAGED,
      .program_writes = true,
      .may_be_read_only = true },
    { .name = "ntfs",
      .driver = "ntfs3",
      .write = { { "windows_names", NULL } }, /* since Linux 6.2 */
      .lenient = true,
      .is_dirty = ntfs_is_dirty,
      .program = "ntfs-3g",
      .without_driver = FSTYPE_BY_PROGRAM,
      .program_writes = true,
      .program_read = "ro,norecover," NTFS_3G,
      /* norecover: an unclean log would be thrown away; compressed files cannot be booted from */
      .program_write = "norecover,windows_names,nocompression," NTFS_3G,
      .may_be_read_only = true },
};

const struct fstype *fstype_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    return NULL;
}

/* ---- what is never mounted ---- */

static const struct {
    const char *name, *needs;
} others[] = {
    { "apfs", "macOS, or apfs-fuse" },
    { "bcache", "its cache and backing devices together, and the kernel's bcache" },
    { "ceph_bluestore", "the other disks of its cluster, and Ceph" },
    { "drbd", "the tools and the module of DRBD" },
    { "gfs2", "its cluster, and the kernel's driver gfs2" },
    { "ocfs2", "its cluster, and the kernel's driver ocfs2" },
    { "ReFS", "Windows" },
    { "VMFS", "an ESXi host: the VMDK files on it are what h2k wants" },
    { "VMFS_volume_member", "an ESXi host: the VMDK files on it are what h2k wants" },
    { "zfs_member", "OpenZFS: zpool import -o readonly=on" },
};

char *fstype_needs(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (strcmp(others[i].name, name) == 0)
            return mem_strdup(others[i].needs);
    return mem_printf("a driver for %s, and trust in it", name);
}
