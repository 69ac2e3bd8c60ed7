/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* qemu-img: making overlays and targets. */
#ifndef H2K_ENGINE_CONVERT_H
#define H2K_ENGINE_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/progress.h"
#include "engine/image.h"
#include "engine/session.h"

struct convert_format {
    const char *name; /* as -O takes it: "qcow2", "raw", "vdi", "vmdk", "vhdx" */
    const char *suffix;
    bool can_compress;
    /* what qemu-img is told: -o options (NULL: none), and whether it may write out of order */
    const char *options, *compressed_options;
    bool in_order_when_compressed;
    /* The last touch before the file gets its final name; NULL: none. */
    int (*finish)(int fd, const char *temp, const char *target, struct err *err);
};

/* Have the descriptor inside name the file as it is going to be called. */
int convert_vmdk_finish(int fd, const char *temp, const char *target, struct err *err);

extern const struct convert_format convert_formats[]; /* the first is the default */
extern const size_t convert_n_formats;

/* NULL: not a target format. */
const struct convert_format *convert_format_find(const char *name);

/* Make a qcow2 overlay over @image at @path (which must not exist), mode 0600. */
int convert_make_overlay(const struct image *image, const char *path, struct err *err);

/*
 * Replay the log that a VHDX was left with (image_opts.allow_log): not in the file, which is only
 * read, but in a qcow2 over it in the session's work folder. From then on the image's graph is both
 * together, for as long as the session lives. 0, or negative errno and *err (STATUS_FAILED: it
 * cannot be replayed).
 */
int convert_replay_log(struct session *session, struct image *image, struct err *err);

struct convert_opts {
    const struct convert_format *format;
    bool compress;
    const struct progress *progress; /* stage "copy" */
    struct session *session;         /* the temporary is recorded there; NULL: it is not */
};

/* STATUS_USAGE when the format has no compression. For a check before anything starts. */
int convert_check(const struct convert_opts *opts, struct err *err);

/*
 * Copy to @target, which must not exist: written under a temporary name in the same folder, synced,
 * then given to the caller as *ret_temp to be renamed when all disks are complete. @overlay NULL:
 * from the image itself. The temporary is removed on failure and after an ending signal.
 * STATUS_TEMPORARY when the disk is full.
 */
int convert_image(const struct image *image, const char *overlay, const char *target,
                  const struct convert_opts *opts, char **ret_temp, struct err *err);

/*
 * Give a finished temporary its final name and sync the folder. @replace: an old file of that name
 * is replaced, and has the temporary name afterwards; else STATUS_REFUSED when there is one now.
 */
int convert_publish(const char *temp, const char *target, bool replace, struct err *err);

/* Take that back, because another disk of the guest could not be published: an old file has its
 * name again, and @temp is the new one. As far as that is possible; the first error counts. */
void convert_unpublish(const char *temp, const char *target);

/* Commit the overlay into the image it lies over; interrupted commits are finished by a second
 * run. The overlay keeps its content. */
int convert_commit(const char *overlay, const struct image *image, const struct progress *progress,
                   struct err *err);

/* Reads "    (12.34/100%)\r" as `qemu-img -p` prints it, in pieces of any size. */
struct convert_meter {
    char number[8]; /* digits after "(" so far */
    size_t len;
    bool inside;
};

/* Feed a piece. Returns the last complete figure in hundredths of a per cent, -1 when none ended
 * in this piece. */
int convert_meter_feed(struct convert_meter *meter, const char *data, size_t len);

#endif
