/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/guest_ntfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/ntfs_sd.h"

#define ATTRIBUTES "system.ntfs_attrib" /* u32 as this host has it */
#define COMPRESSED 0x800U

#define NTFS3 0x7366746e

/* statfs(2) f_type of a driver, and what it calls the descriptor. ntfs3 takes any other name, too,
 * and keeps it for nothing. */
static const struct {
    unsigned long type;
    const char *descriptor;
} drivers[] = {
    { 0x65735546, "system.ntfs_acl" }, /* FUSE: ntfs-3g, or no NTFS at all */
    { NTFS3, "system.ntfs_security" },
};

static bool is_ntfs3(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == NTFS3;
}

static const char *descriptor_name(int fd)
{
    struct statfs fs;

    if (fstatfs(fd, &fs) < 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
        if ((unsigned long)fs.f_type == drivers[i].type)
            return drivers[i].descriptor;
    return NULL;
}

static int get_attributes(int fd, uint32_t *ret)
{
    ssize_t n = fgetxattr(fd, ATTRIBUTES, ret, sizeof(*ret));

    if (n < 0)
        return -errno;
    return n == (ssize_t)sizeof(*ret) ? 0 : -ENODATA;
}

bool guest_ntfs_is(int fd)
{
    uint32_t attributes;

    return descriptor_name(fd) && get_attributes(fd, &attributes) == 0;
}

/* The folder's own descriptor; a length of 0 when it cannot be had. */
static size_t read_descriptor(int dir, const char *name, uint8_t *buf, size_t len)
{
    CLEANUP_FD int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : fgetxattr(fd, name, buf, len);

    return n > 0 ? (size_t)n : 0;
}

int guest_ntfs_secure(int dir, int fd, const struct guest_attr *attr, bool is_folder)
{
    CLEANUP_STRBUF struct strbuf descriptor = { 0 };
    CLEANUP_FREE uint8_t *parent = NULL;
    const char *name = descriptor_name(fd);
    size_t len;

    if (!name || !guest_ntfs_is(fd))
        return 0;
    parent = mem_alloc(NTFS_SD_MAX);
    len = attr->mode & 0077 ? read_descriptor(dir, name, parent, NTFS_SD_MAX) : 0;
    if (len == 0 || ntfs_sd_inherit(parent, len, is_folder, &descriptor) < 0)
        ntfs_sd_private(is_folder, &descriptor);
    return fsetxattr(fd, name, descriptor.data, descriptor.len, 0) < 0 ? -errno : 0;
}

int guest_ntfs_store_plainly(int fd)
{
    uint32_t attributes = 0;
    struct stat st;

    if (!descriptor_name(fd) || get_attributes(fd, &attributes) < 0 || !(attributes & COMPRESSED))
        return 0;
    if (is_ntfs3(fd) && (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode)))
        return -EOPNOTSUPP;
    attributes &= ~COMPRESSED;
    if (fsetxattr(fd, ATTRIBUTES, &attributes, sizeof(attributes), 0) < 0)
        return -errno;
    if (get_attributes(fd, &attributes) < 0 || (attributes & COMPRESSED))
        return -EOPNOTSUPP;
    return 0;
}

bool guest_ntfs_compresses(int dir)
{
    CLEANUP_FD int fd = is_ntfs3(dir) ? openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    uint32_t attributes = 0;

    return fd >= 0 && get_attributes(fd, &attributes) == 0 && (attributes & COMPRESSED);
}

int guest_ntfs_plain_folder(int dir, const char *name)
{
    CLEANUP_FD int fd = -1;
    int r;

    if (mkdirat(dir, name, 0700) < 0)
        return -errno;
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    r = fd < 0 ? -errno : guest_ntfs_store_plainly(fd);
    if (r < 0)
        (void)unlinkat(dir, name, AT_REMOVEDIR); /* the first failure is what counts */
    return r;
}

bool guest_ntfs_is_plain(int fd)
{
    uint32_t attributes = 0;

    return descriptor_name(fd) && get_attributes(fd, &attributes) == 0 &&
           !(attributes & GUEST_NTFS_STORED_SPECIALLY);
}
