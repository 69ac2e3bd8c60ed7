/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading an initramfs image: early cpio, compressed segments, appended segments. */
#ifndef H2K_INSPECT_INITRAMFS_H
#define H2K_INSPECT_INITRAMFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"

/* A small file whose content is kept. */
struct initramfs_file {
    char *name;
    char *data; /* terminated */
    size_t len;
};

struct initramfs {
    const char
        *compression;       /* of the last compressed segment: "gzip", "zstd" ... "none"; literal */
    bool has_early;         /* an uncompressed segment with microcode comes first */
    char *modules_prefix;   /* "usr/lib/modules/6.1.0-50-amd64", NULL when it has no modules */
    struct strlist modules; /* paths below the prefix: "kernel/drivers/block/virtio_blk.ko.xz" */
    char *flat_folder;      /* "lib", "usr/lib/modules", "." (the top): @modules are names of files
                               there, and there is no prefix; NULL: not so */
    struct strlist links;   /* symbolic links at the top: "lib -> usr/lib" */
    struct strlist names;   /* every other path */
    /* Files that name interfaces (*.link, *-persistent-net.rules), disks (conf/conf.d/resume,
     * crypttab, devices to wait for ...) or the drivers to load (init, config ...), in the
     * archive's order: of two with one name the later one counts. */
    struct initramfs_file *kept;
    size_t n_kept;
    uint64_t unpacked_bytes;
    uint64_t image_bytes; /* size of the image when it was read */
};

enum initramfs_depth {
    INITRAMFS_ALL,
    /* Modules and links only. What follows the last module of a compressed segment, as the
     * archive's own modules.dep tells, may be passed over: it can be more than half. */
    INITRAMFS_MODULES,
};

/*
 * Walk all segments of the image in @fd (a regular file of @size bytes). Bounded: a file of at most
 * 1 GiB, 2 GiB unpacked, 500,000 entries. 0 and *ret (initramfs_done()), or negative errno and
 * *err: -EBADMSG damaged, -EFBIG too large, -ENOTSUP unknown compression.
 */
int initramfs_scan(int fd, uint64_t size, enum initramfs_depth depth, struct initramfs *ret,
                   struct err *err);
void initramfs_done(struct initramfs *initramfs);

/* Does it hold the module @name ("virtio_blk", '-' and '_' alike)? */
bool initramfs_has_module(const struct initramfs *initramfs, const char *name);

/* Does it hold a driver of network hardware? (udev names interfaces where their driver is loaded)
 */
bool initramfs_has_network(const struct initramfs *initramfs);

/* Is @path ("kernel/drivers/net/...") such a driver? */
bool initramfs_is_network(const char *path);

/* The content of a kept file, NULL when it is not there. */
const struct initramfs_file *initramfs_kept(const struct initramfs *initramfs, const char *name);

/* Should the entry's content be read? @name has no leading "/" or "./". */
typedef bool (*initramfs_want_fn)(void *arg, const char *name, uint32_t mode);

/* Called for each wanted entry, in the archive's order (a later one of the same name replaces the
 * earlier): name, mode, content (the target of a symbolic link). < 0 stops with that value. */
typedef int (*initramfs_entry_fn)(void *arg, const char *name, uint32_t mode, const void *data,
                                  size_t len);

/* The same walk with contents (for taking modules and indexes out). Each name of a hard-linked file
 * gets the content. -EFBIG also when a wanted file is larger than 64 MiB. */
int initramfs_walk(int fd, uint64_t size, initramfs_want_fn want, initramfs_entry_fn fn, void *arg,
                   struct err *err);

#endif
