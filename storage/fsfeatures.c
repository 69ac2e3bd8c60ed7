/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/fsfeatures.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/strbuf.h"

/* XFS (fs/xfs/libxfs/xfs_format.h): the low four bits of sb_versionnum */
#define XFS_VERSION 100
#define XFS_VERSION_4 4
#define XFS_VERSION_5 5

struct feature {
    uint64_t bit;
    const char *name;
    unsigned major, minor; /* of the first Linux that mounts it; 0: any */
};

/* fs/ext4/ext4.h */
static const struct feature ext_incompat[] = {
    { 0x83de, NULL, 0, 0 }, /* filetype, journal, meta_bg, extents, 64bit, mmp, flex_bg, inline */
    { 0x400, "ea_inode", 4, 13 },   { 0x2000, "metadata_csum_seed", 4, 4 },
    { 0x4000, "large_dir", 4, 13 }, { 0x10000, "encrypt", 4, 1 },
    { 0x20000, "casefold", 5, 2 },
};
static const struct feature ext_ro_compat[] = {
    { 0x177f, NULL, 0, 0 }, /* what ext3 has, huge_file ... metadata_csum, readonly */
    { 0x2000, "project", 4, 5 },
    { 0x8000, "verity", 5, 4 },
    { 0x10000, "orphan_file", 5, 15 },
};
/* fs/xfs/libxfs/xfs_format.h */
static const struct feature xfs_incompat[] = {
    { 0x7, NULL, 0, 0 }, /* ftype, spinodes, meta_uuid */
    { 0x8, "bigtime", 5, 10 },   { 0x10, "needsrepair", 5, 12 }, { 0x20, "nrext64", 5, 19 },
    { 0x40, "exchange", 6, 10 }, { 0x80, "parent", 6, 10 },      { 0x100, "metadir", 6, 13 },
    { 0x600, "zoned", 6, 15 },
};
static const struct feature xfs_ro_compat[] = {
    { 0x1, NULL, 0, 0 },
    { 0x2, "rmapbt", 4, 8 },
    { 0x4, "reflink", 4, 9 },
    { 0x8, "inobtcount", 5, 10 },
};
/* include/uapi/linux/btrfs.h */
static const struct feature btrfs_incompat[] = {
    { 0x3ef, NULL, 0, 0 }, /* all up to no_holes */
    { 0x10, "zstd", 4, 14 },
    { 0x400, "metadata_uuid", 5, 0 },
    { 0x800, "raid1c34", 5, 5 },
    { 0x1000, "zoned", 5, 12 },
    { 0x4000, "raid_stripe_tree", 6, 7 },
    { 0x10000, "simple_quota", 6, 7 },
};
static const struct feature btrfs_ro_compat[] = {
    { 0x3, "free_space_tree", 4, 9 },
    { 0x4, "verity", 5, 15 },
    { 0x8, "block_group_tree", 6, 1 },
};

static uint64_t read_be32(const void *data)
{
    return get_be32(data);
}

static uint64_t read_le32(const void *data)
{
    return get_le32(data);
}

static uint64_t read_le64(const void *data)
{
    return get_le64(data);
}

/* A word of features in a superblock. */
static const struct word {
    const char *fstypes[3];
    uint64_t at;
    uint64_t (*get)(const void *data);
    bool for_writing; /* it may be mounted read-only all the same */
    const struct feature *features;
    size_t n;
} words[] = {
    { { "ext2", "ext3", "ext4" },
      1024 + 0x60,
      read_le32,
      false,
      ext_incompat,
      ARRAY_SIZE(ext_incompat) },
    { { "ext2", "ext3", "ext4" },
      1024 + 0x64,
      read_le32,
      true,
      ext_ro_compat,
      ARRAY_SIZE(ext_ro_compat) },
    { { "xfs" }, 216, read_be32, false, xfs_incompat, ARRAY_SIZE(xfs_incompat) },
    { { "xfs" }, 212, read_be32, true, xfs_ro_compat, ARRAY_SIZE(xfs_ro_compat) },
    { { "btrfs" }, 0x10000 + 0xbc, read_le64, false, btrfs_incompat, ARRAY_SIZE(btrfs_incompat) },
    { { "btrfs" }, 0x10000 + 0xb4, read_le64, true, btrfs_ro_compat, ARRAY_SIZE(btrfs_ro_compat) },
};

static bool is_of(const struct word *word, const struct volume *volume)
{
    for (size_t i = 0; i < ARRAY_SIZE(word->fstypes); i++)
        if (word->fstypes[i] && strcmp(word->fstypes[i], volume->fstype) == 0)
            return true;
    return false;
}

static void say(struct strbuf *out, const char *text)
{
    strbuf_printf(out, "%s%s", out->len > 0 ? ", " : "", text);
}

static void judge(const struct word *word, uint64_t bits, unsigned major, unsigned minor,
                  struct strbuf *out)
{
    uint64_t known = 0;

    for (size_t i = 0; i < word->n; i++) {
        const struct feature *feature = &word->features[i];
        CLEANUP_FREE char *text = NULL;

        known |= feature->bit;
        if (!(bits & feature->bit) || feature->major < major ||
            (feature->major == major && feature->minor <= minor))
            continue;
        text = mem_printf("%s needs Linux %u.%u", feature->name, feature->major, feature->minor);
        say(out, text);
    }
    if (bits & ~known) {
        CLEANUP_FREE char *text =
            mem_printf("unknown features (bits %#llx)", (unsigned long long)(bits & ~known));

        say(out, text);
    }
}

/* The version of an XFS; 0: it is none, or cannot be read. */
static unsigned xfs_version(const struct volume *volume)
{
    uint8_t bytes[2];

    if (strcmp(volume->fstype, "xfs") != 0 || volume_read(volume, XFS_VERSION, bytes, 2) < 0)
        return 0;
    return bytes[1] & 0xf;
}

char *fsfeatures_missing(const struct volume *volume, bool read_only, unsigned major,
                         unsigned minor)
{
    struct strbuf out = { 0 };
    unsigned version = xfs_version(volume);

    if (version == XFS_VERSION_4)
        say(&out, "XFS of version 4 needs a kernel that is built with CONFIG_XFS_SUPPORT_V4");
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        uint8_t bytes[8];

        if (!is_of(&words[i], volume) || (words[i].for_writing && read_only) ||
            (version != 0 && version != XFS_VERSION_5) ||
            volume_read(volume, words[i].at, bytes, sizeof(bytes)) < 0)
            continue;
        judge(&words[i], words[i].get(bytes), major, minor, &out);
    }
    if (out.len > 0)
        return strbuf_take(&out);
    strbuf_done(&out);
    return NULL;
}

bool fsfeatures_kernel(unsigned *ret_major, unsigned *ret_minor)
{
    struct utsname name;
    char *end = name.release;

    if (uname(&name) < 0)
        return false;
    *ret_major = (unsigned)strtoul(name.release, &end, 10);
    *ret_minor = *end == '.' ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
    return *ret_major > 0;
}

char *fsfeatures_missing_here(const struct volume *volume, bool read_only)
{
    unsigned major, minor;

    return fsfeatures_kernel(&major, &minor) ? fsfeatures_missing(volume, read_only, major, minor)
                                             : NULL;
}
