/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of a guest. Every access goes through openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), so
 * symbolic links (absolute ones and "..") resolve inside the guest and never reach the host; device
 * nodes, FIFOs and sockets are never opened for I/O.
 *
 * Paths are absolute as the guest sees them ("/etc/fstab"). Of a root that ignores case every name
 * in a path means the entry that is spelled like that, else the one that differs in case only.
 */
#ifndef H2K_ENGINE_GUEST_H
#define H2K_ENGINE_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"

#define GUEST_TEXT_MAX (16U << 20) /* configuration files larger than this are not read */

struct guest_root;

/* @dir_fd: descriptor of the guest's "/" (O_PATH will do); duplicated. */
int guest_root_new(int dir_fd, struct guest_root **ret, struct err *err);
void guest_root_free(struct guest_root *root);
int guest_root_fd(const struct guest_root *root);

/* From now on names that differ in case only are the same, as NTFS compares them (engine/upcase.h).
 * What is written goes to the spelling that is there. Patterns of guest_files() ignore case, too.
 */
void guest_root_ignore_case(struct guest_root *root);
bool guest_root_ignores_case(const struct guest_root *root);

/* Links that begin with @path, a folder of the host, lead to the root: ntfs-3g says so of what
 * Windows calls a junction. What it cannot follow is then no link with a strange target any more
 * but fails with -EOPNOTSUPP (a file of CompactOS is such a thing). */
void guest_root_links_from(struct guest_root *root, const char *path);

/*
 * Let another file system of the guest be seen at @name ("/SYSTEM:"): one component with a colon,
 * which no file of Windows can have; no listing shows it, no link and no ".." leads from one to the
 * other. @dir_fd: its root (O_PATH will do); duplicated.
 */
int guest_root_add_volume(struct guest_root *root, const char *name, int dir_fd, struct err *err);
void guest_root_drop_volume(struct guest_root *root, const char *name);

/* ---- reading ---- */

/* Open a regular file for reading. -ENOENT etc. as open(2); -EINVAL when it is not a regular file.
 */
int guest_open(const struct guest_root *root, const char *path, struct err *err);

/* A whole regular file; -EFBIG beyond @max_bytes. *ret_text is terminated; free it. */
int guest_read(const struct guest_root *root, const char *path, size_t max_bytes, char **ret_text,
               size_t *ret_len, struct err *err);

/* Up to @len bytes from @offset; returns how many. */
ssize_t guest_pread(const struct guest_root *root, const char *path, void *buf, size_t len,
                    uint64_t offset, struct err *err);

int guest_stat(const struct guest_root *root, const char *path, struct stat *ret); /* -errno */
int guest_lstat(const struct guest_root *root, const char *path, struct stat *ret);
bool guest_exists(const struct guest_root *root, const char *path); /* follows links */
bool guest_is_file(const struct guest_root *root, const char *path);
bool guest_is_dir(const struct guest_root *root, const char *path);

/* Target of a symbolic link, as it is written. */
int guest_readlink(const struct guest_root *root, const char *path, char **ret, struct err *err);

/* The path with every link resolved inside the guest: "/initrd.img" -> "/boot/initrd.img-6.1"; of a
 * root that ignores case, in the spelling that is there. */
int guest_real_path(const struct guest_root *root, const char *path, char **ret, struct err *err);

/* @path, whose folder part is spelled as it is there, with the last name spelled so, too; links are
 * not followed. NULL when there is no such entry. Free it. */
char *guest_spelling(const struct guest_root *root, const char *path);

/* Names in a directory, sorted, without "." and ".."; at most 65536, else -E2BIG. */
int guest_list(const struct guest_root *root, const char *path, struct strlist *ret,
               struct err *err);

/* Paths of the regular files in @folder whose names match @pattern (fnmatch(3), with its @flags),
 * sorted; none when there is no such folder. */
int guest_files(const struct guest_root *root, const char *folder, const char *pattern, int flags,
                struct strlist *ret, struct err *err);

/* Free and total bytes of the file system that holds @path (which must exist). */
int guest_free_space(const struct guest_root *root, const char *path, uint64_t *ret_free,
                     struct err *err);

/* ---- writing (only fixers/apply.c and the storage layer's staging call these) ---- */

struct guest_attr {
    mode_t mode; /* permission bits */
    uid_t uid;
    gid_t gid;
};

/* One piece of new content: bytes, or all of a descriptor of the host. */
struct guest_piece {
    const void *data;
    size_t len;
    int fd; /* used when data is NULL; read from offset 0 to its end */
};

/*
 * Replace or create a regular file atomically: temporary in the same folder, then rename, with
 * fsync of both. An existing file keeps mode, owner, xattrs, ACLs and SELinux label; @attr is for
 * a new one (which gets the label that guest_labels_use() says, else that of its folder). A
 * symbolic link at @path is followed inside the guest: the file it leads to is replaced, the link
 * stays.
 *
 * On NTFS a new file, and a new folder of guest_mkdir(), gets the security descriptor that Windows
 * would let it inherit from its folder; where @attr has a mode for the owner only (0600, 0700), one
 * for Windows and administrators only. None is ever compressed. An existing file is written over
 * where it is, see docs/architecture.md.
 */
int guest_replace(const struct guest_root *root, const char *path, const struct guest_piece *pieces,
                  size_t n_pieces, const struct guest_attr *attr, struct err *err);

/*
 * Add bytes to the end of a regular file, where it is: without room for a second copy of it. A
 * failure leaves the file as it was, a crash may not. -EMLINK when other names would see the
 * change, -EPERM when the file must not be changed (immutable): guest_replace() can do both.
 */
int guest_append(const struct guest_root *root, const char *path, const void *data, size_t len,
                 struct err *err);

int guest_remove(const struct guest_root *root, const char *path,
                 struct err *err); /* not followed */
int guest_symlink(const struct guest_root *root, const char *target, const char *path,
                  struct err *err); /* replaces what is not a directory */
int guest_mkdir(const struct guest_root *root, const char *path, const struct guest_attr *attr,
                struct err *err); /* with parents; fine when it is there */
int guest_chmod(const struct guest_root *root, const char *path, mode_t mode, struct err *err);

#endif
