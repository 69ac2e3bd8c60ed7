/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What else a guest's file has besides its bytes: owner, mode, extended attributes (ACLs and the
 * SELinux label are such), inode flags. */
#ifndef H2K_ENGINE_GUEST_ATTR_H
#define H2K_ENGINE_GUEST_ATTR_H

#include <sys/stat.h>

#include "engine/guest.h"

/* Owner and mode. A file system without owners (FAT, NTFS) may ignore them. 0 or -errno. */
int attr_set_owner(int fd, const struct guest_attr *attr);

/* Every extended attribute of @from to @to, except hashes of the old content (IMA, EVM).
 * 0 or -errno; a file system without them has none to copy. */
int attr_copy_xattrs(int from, int to);

/* The SELinux label @label to the new object @path (not followed); fine where there are none. */
int attr_label(const char *path, const char *label);

/* The SELinux label of the folder @dir, if it has one, to the new object @path (not followed). */
int attr_label_like(int dir, const char *path);

/* Inode flags (FS_IOC_GETFLAGS); 0 where the file system has none. */
unsigned attr_get_flags(int fd);

/* Flags that matter to how content is stored (NOCOW, compression ...): to be set while @fd is
 * still empty. */
void attr_set_storage_flags(int fd, unsigned flags);

/* Clear what forbids replacing @fd (immutable, append only), or set it again as @flags has it.
 * 0 or -errno. */
int attr_lock(int fd, unsigned flags);
int attr_unlock(int fd, unsigned flags);

#endif
