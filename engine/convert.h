/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* qemu-img: making overlays and targets. */
#ifndef H2K_ENGINE_CONVERT_H
#define H2K_ENGINE_CONVERT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/progress.h"
#include "engine/image.h"

struct convert_format {
    const char *name; /* as -O takes it: "qcow2", "raw", "vdi", "vmdk", "vhdx" */
    const char *suffix;
    bool can_compress;
};

/* NULL: not a target format. */
const struct convert_format *convert_format_find(const char *name);

/* Make a qcow2 overlay over @image at @path, mode 0600. */
int convert_make_overlay(const struct image *image, const char *path, struct err *err);

struct convert_opts {
    const struct convert_format *format;
    bool compress;
    const struct progress *progress; /* stage "copy" */
};

/*
 * Copy to @target, which must not exist: written under a temporary name in the same folder, synced,
 * then given to the caller as *ret_temp to be renamed when all disks are complete. @overlay NULL:
 * from the image itself. The temporary is removed on failure and after an ending signal.
 * STATUS_TEMPORARY when the disk is full.
 */
int convert_image(const struct image *image, const char *overlay, const char *target,
                  const struct convert_opts *opts, char **ret_temp, struct err *err);

/* Commit the overlay into the image it lies over; interrupted commits are finished by a second
 * run. */
int convert_commit(const char *overlay, const struct image *image, const struct progress *progress,
                   struct err *err);

#endif
