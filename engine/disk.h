/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attaching one image: a block device (or a file that loop devices are put on), released by the
 * session's undo stack. */
#ifndef H2K_ENGINE_DISK_H
#define H2K_ENGINE_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/image.h"
#include "engine/session.h"

enum disk_mode {
    DISK_READ_ONLY, /* never written */
    DISK_OVERLAY,   /* writes go to a qcow2 overlay in the session's work folder */
};

struct disk_opts {
    const char *backend; /* "auto" or the name of a row of disk_backends; NULL: auto */
    enum disk_mode mode;
    /* Path of the overlay to make, the caller's to keep or remove; NULL: in the work folder, and
     * gone with it. The overlay is not synced to its disk: fsync it after the release when it must
     * survive a power failure. */
    const char *overlay;
};

struct disk {
    const struct image *image; /* the caller's */
    const char *backend;       /* name of the backend in use: a literal */
    char *overlay;             /* path, NULL when read-only */
    uint64_t size_bytes;
    uint32_t sector_size;
    bool read_only;
    /* of the attaching: refuse a way by which the host's lvm and mdadm would see members that begin
     * where the disk does (STATUS_HOST and shows_members); a way is left that hides them */
    bool hides_members, shows_members;
    bool direct_io; /* loop devices over fd go around the page cache */
    int fd;     /* readable at any offset: the export file, the block device, or the raw image */
    char *node; /* block device of the whole disk when the backend has one, else NULL */
    void *priv; /* the backend's */
    /* the backend's part of disk_sync(): are its servers still there? NULL: has none */
    int (*check)(struct disk *disk, struct err *err);
    int *map_fds; /* descriptors of the mapped devices, for disk_sync() */
    size_t n_map_fds;
};

/* One way to make an image a block device. */
struct attach_backend {
    const char *name;
    const char *summary; /* one line for doctor */

    /* Can it work on this host? Really tries what can be tried cheaply. 0, or -ENOTSUP and *err
     * that names the missing package or module. */
    int (*probe)(struct err *err);

    /* Serve the image and fill disk->fd, size; push the release on the session's undo stack. */
    int (*attach)(struct session *session, struct disk *disk, struct err *err);

    bool (*can)(const struct image *image, enum disk_mode mode); /* NULL: everything */

    /* A block device for @len bytes at @offset of the disk; *ret_node is a path to open, owned by
     * the caller; the device is released by the undo stack. len 0: the whole disk. */
    int (*map)(struct session *session, struct disk *disk, uint64_t offset, uint64_t len,
               char **ret_node, struct err *err);
};

extern const struct attach_backend *const disk_backends[]; /* in the order auto tries them */
extern const size_t disk_n_backends;

/*
 * Attach @image. The disk belongs to the session's undo stack: do not free.
 * 0 and *ret, or negative errno and *err (STATUS_HOST: no backend works; the text has each one's
 * reason; STATUS_TEMPORARY: the image is in use).
 */
int disk_attach(struct session *session, const struct image *image, const struct disk_opts *opts,
                struct disk **ret, struct err *err);

/* Does the backend really work here? Attaches a small image of its own in a session of its own and
 * reads it back through the block device. 0, or negative errno and *err. Needs root. */
int disk_try_backend(const struct attach_backend *backend, struct err *err);

/* A block device over part of the disk (partition); len 0: the whole disk. Free *ret_node. */
int disk_map(struct session *session, struct disk *disk, uint64_t offset, uint64_t len,
             char **ret_node, struct err *err);

/* Write back what the kernel holds and flush the overlay; call before unmapping and look at the
 * result. */
int disk_sync(struct disk *disk, struct err *err);

/*
 * What @r, the result of something that used the disk (0, or negative errno and *err), means: where
 * a server of the disk has died, that is what happened, and a result reached without it is not to
 * be believed. A death shows up as a read error somewhere first and a moment later as an ended
 * process, which is waited for. Returns @r, or negative errno and *err with the server's last
 * words.
 */
int disk_blame(struct disk *disk, int r, struct err *err);

#endif
