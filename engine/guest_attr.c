/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/guest_attr.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/guest_ntfs.h"

#define LABEL "security.selinux"
#define LABEL_MAX 4096
#define LOCK_FLAGS (FS_IMMUTABLE_FL | FS_APPEND_FL)
#define STORAGE_FLAGS                                                                              \
    (FS_COMPR_FL | FS_NOCOMP_FL | FS_NOCOW_FL | FS_SYNC_FL | FS_NODUMP_FL | FS_NOATIME_FL |        \
     FS_JOURNAL_DATA_FL)

/* statfs(2) f_type of the file systems where chown(2) and chmod(2) may be refused */
static const unsigned long ownerless[] = {
    0x4d44,     /* FAT */
    0x65735546, /* FUSE: ntfs-3g */
    0x7366746e, /* ntfs3 */
};

static bool has_owners(int fd)
{
    struct statfs fs;

    if (fstatfs(fd, &fs) < 0)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(ownerless); i++)
        if ((unsigned long)fs.f_type == ownerless[i])
            return false;
    return true;
}

int attr_set_owner(int fd, const struct guest_attr *attr)
{
    /* owner first: changing it clears the set-id bits */
    if ((fchown(fd, attr->uid, attr->gid) < 0 || fchmod(fd, attr->mode & 07777) < 0) &&
        has_owners(fd))
        return -errno;
    return 0;
}

static int copy_xattr(int from, int to, const char *name)
{
    static const char *const stale[] = { "security.ima", "security.evm" };
    CLEANUP_FREE char *value = NULL;
    uint32_t attributes;
    ssize_t len;

    for (size_t i = 0; i < ARRAY_SIZE(stale); i++)
        if (strcmp(name, stale[i]) == 0)
            return 0;
    len = fgetxattr(from, name, NULL, 0);
    if (len < 0)
        return errno == ENODATA ? 0 : -errno;
    value = malloc((size_t)len + 1);
    if (!value)
        return -ENOMEM;
    len = fgetxattr(from, name, value, (size_t)len);
    if (len == sizeof(attributes) && strcmp(name, "system.ntfs_attrib") == 0) {
        memcpy(&attributes, value, sizeof(attributes));
        attributes &= ~GUEST_NTFS_STORED_SPECIALLY;
        memcpy(value, &attributes, sizeof(attributes));
    }
    if (len < 0 || fsetxattr(to, name, value, (size_t)len, 0) < 0)
        return -errno;
    return 0;
}

/* What drivers of NTFS have beside the listed ones: the security descriptor (without it a new file
 * lets everyone do everything), the attributes of Windows, the time of creation. */
static int copy_unlisted(int from, int to)
{
    static const char *const names[] = {
        "system.ntfs_acl",
        "system.ntfs_security",
        "system.ntfs_attrib",
        "system.ntfs_crtime",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char probe[1];
        int r = 0;

        if (fgetxattr(from, names[i], probe, 0) > 0)
            r = copy_xattr(from, to, names[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

int attr_copy_xattrs(int from, int to)
{
    CLEANUP_FREE char *names = NULL;
    int r = copy_unlisted(from, to);
    ssize_t len = r < 0 ? 0 : flistxattr(from, NULL, 0);

    if (r < 0)
        return r;
    if (len < 0)
        return errno == ENOTSUP ? 0 : -errno;
    if (len == 0)
        return 0;
    names = mem_alloc((size_t)len + 1); /* the kernel's limit is 64 KiB */
    len = flistxattr(from, names, (size_t)len);
    if (len < 0)
        return -errno;
    names[len] = '\0';
    for (const char *name = names; name < names + len; name += strlen(name) + 1) {
        r = copy_xattr(from, to, name);
        if (r < 0)
            return r;
    }
    return 0;
}

int attr_label(const char *path, const char *label)
{
    /* FAT has none */
    return lsetxattr(path, LABEL, label, strlen(label) + 1, 0) < 0 && errno != ENOTSUP ? -errno : 0;
}

int attr_label_like(int dir, const char *path)
{
    char label[LABEL_MAX];
    ssize_t len = fgetxattr(dir, LABEL, label, sizeof(label));

    if (len <= 0) /* no label there, or a file system without any */
        return 0;
    return lsetxattr(path, LABEL, label, (size_t)len, 0) < 0 ? -errno : 0;
}

unsigned attr_get_flags(int fd)
{
    int flags = 0;

    return ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 ? 0 : (unsigned)flags;
}

static int change_flags(int fd, unsigned clear, unsigned set)
{
    int flags = 0;

    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
        return -errno;
    flags = (int)(((unsigned)flags & ~clear) | set);
    return ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0 ? -errno : 0;
}

void attr_set_storage_flags(int fd, unsigned flags)
{
    /* one by one: a file system refuses all when it does not know one */
    for (unsigned bit = 1; bit && bit <= STORAGE_FLAGS; bit <<= 1)
        if (flags & STORAGE_FLAGS & bit)
            (void)change_flags(fd, 0, bit); /* a property of storage, not of the content */
}

int attr_lock(int fd, unsigned flags)
{
    return flags & LOCK_FLAGS ? change_flags(fd, 0, flags & LOCK_FLAGS) : 0;
}

int attr_unlock(int fd, unsigned flags)
{
    return flags & LOCK_FLAGS ? change_flags(fd, LOCK_FLAGS, 0) : 0;
}
