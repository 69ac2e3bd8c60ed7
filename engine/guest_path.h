/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files guest*.c share: opening below the guest's root. */
#ifndef H2K_ENGINE_GUEST_PATH_H
#define H2K_ENGINE_GUEST_PATH_H

#include <limits.h>

#include "engine/guest.h"

/* Another file system of the guest, seen at a path that no file can have. */
struct guest_volume {
    char *name; /* "/SYSTEM:" */
    struct guest_root *root;
};

struct guest_root {
    int fd;
    bool ignore_case;
    bool driver_ignores_case;    /* the kernel finds a name that is not spelled like that (FAT) */
    struct guest_labels *labels; /* NULL: new files have the labels of their folders */
    char *links_from; /* what links begin with that lead to the root; NULL: nothing of the kind */
    struct guest_volume *volumes;
    size_t n_volumes;
};

/* Room for "/proc/self/fd/2147483647". */
#define GUEST_FD_PATH_MAX 32

/* openat2() confined to @root, close-on-exec, never a controlling terminal, never blocking; names
 * as guest_root_ignore_case() has it, volumes as guest_root_add_volume().
 * A descriptor, or negative errno. */
int guest_path_open(const struct guest_root *root, const char *path, int flags);

/* The same within the one file system that @root is of, of names as they are spelled. */
int guest_path_open_exact(const struct guest_root *root, const char *path, int flags);

/* The file system that *path is on: @root with *path as it is, or one of its volumes; then *path
 * becomes what is below that, and *ret_name (may be NULL) the volume's name, else "". */
const struct guest_root *guest_path_volume(const struct guest_root *root, const char **path,
                                           const char **ret_name);

/* Target of the link @name in @dir, for what is below @root. 0, or -errno; -EOPNOTSUPP: a thing
 * that only Windows can follow. */
int guest_path_readlink(const struct guest_root *root, int dir, const char *name,
                        char ret[PATH_MAX]);

/* "/proc/self/fd/N": the only way to act on what an O_PATH descriptor names. Returns @buf. */
const char *guest_fd_path(int fd, char buf[GUEST_FD_PATH_MAX]);

/* ---- guest_case.c: names that differ in case only are the same ---- */

/* How @name is spelled in the folder @dir (O_PATH will do) of the file system that @root is of. 0,
 * -ENOENT, or another -errno. */
int guest_case_name(const struct guest_root *root, int dir, const char *name,
                    char ret[NAME_MAX + 1]);

/* The path of what @path leads to, without links, as it is spelled on the file system that @root
 * is of; @follow: also when its last name is a link. 0 (free *ret), or -errno. */
int guest_case_resolve(const struct guest_root *root, const char *path, bool follow, char **ret);

/* guest_real_path() by looking at each folder: drivers that ignore case themselves say a name as it
 * was asked for. */
int guest_case_real_path(const struct guest_root *root, const char *path, char **ret,
                         struct err *err);

#endif
