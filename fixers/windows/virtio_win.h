/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where drivers come from: virtio-win as a folder, an ISO image, a zip or a tar; in the layout of
 * the ISO (DRIVER/OS/ARCH/), or that of the packages (drivers/by-os/ARCH/OS/, by-driver). Which
 * folder fits a Windows is decided by name and never across families: a driver for a newer Windows
 * does not boot an older one.
 */
#ifndef H2K_FIXERS_WINDOWS_VIRTIO_WIN_H
#define H2K_FIXERS_WINDOWS_VIRTIO_WIN_H

#include "fixers/windows/inf_driver.h"

#define VIRTIO_WIN_ENV "VIRTIO_WIN"
#define VIRTIO_WIN_ENTRIES_MAX 65536U
#define VIRTIO_WIN_FILE_MAX (64U << 20)    /* bytes of one file */
#define VIRTIO_WIN_LOADED_MAX (512U << 20) /* of all that are kept */

struct virtio_win;

/* A file of the source. */
struct win_file {
    char *name;       /* lower case: "viostor.sys"; with folders where the package has some */
    size_t entry;     /* in the source */
    const void *data; /* NULL until virtio_win_load() */
    size_t len;
};

/* A driver package for one Windows. */
struct win_driver {
    char *name;    /* of its INF without ".inf", lower case: "viostor", "vioser" */
    char *dir;     /* in the source: "viostor/w10/amd64" */
    char *os;      /* part of that: "w10" */
    unsigned rank; /* 0: made for this Windows; else the so many'th choice */
    struct inf_driver *inf;
    struct win_file *files; /* all that the INF names and are there; the INF is the first */
    size_t n_files;
    struct strlist missing; /* names of files that are not there */
    bool is_boot_storage;
    char *why; /* why it was chosen, and what is odd about it; for people */
};

struct win_drivers {
    struct win_driver *items; /* sorted by name, then rank */
    size_t n;
    struct strlist notes; /* INF files of the right folders that could not be used, and why */
};

/*
 * Open @path (a folder that only holds virtio-win.iso will do); when it is NULL what $VIRTIO_WIN
 * names, or what the host's package brings. INF files are read now, others when they are asked for.
 * 0, or negative errno and *err: -ENOENT when nothing was named and there is none (*err says what
 * to install).
 */
int virtio_win_open(const char *path, struct virtio_win **ret, struct err *err);
void virtio_win_free(struct virtio_win *source);

/* Path of what was opened. */
const char *virtio_win_path(const struct virtio_win *source);

/*
 * The drivers for @target, each at most once; and with @all_ranks also those of the other folders
 * that may be tried when the right one cannot be used (signature.h, win_driver_choose()). Release
 * with win_drivers_done() before @source.
 */
void virtio_win_choose(struct virtio_win *source, const struct win_target *target, bool all_ranks,
                       struct win_drivers *ret);
void win_drivers_done(struct win_drivers *drivers);

/* NULL: there is none of that name. The lowest rank comes first. */
const struct win_driver *win_drivers_find(const struct win_drivers *drivers, const char *name);

/* A file of a driver by its name, without case; NULL. */
const struct win_file *win_driver_file(const struct win_driver *driver, const char *name);

/* Read all files of these drivers, in one go; data is owned by @source. */
int virtio_win_load(struct virtio_win *source, struct win_drivers *drivers, struct err *err);

/* The guest agent's package for @arch: its path in the source ("guest-agent/qemu-ga-x86_64.msi");
 * NULL: none. virtio_win_read() reads any file; *ret_data is owned by @source. */
const char *virtio_win_agent(const struct virtio_win *source, enum win_arch arch);
int virtio_win_read(struct virtio_win *source, const char *path, const void **ret_data,
                    size_t *ret_len, struct err *err);

/* Name of the folder whose drivers are made for @target ("w10", "2k22"); NULL: too old, unknown. */
const char *virtio_win_os(const struct win_target *target);

#endif
