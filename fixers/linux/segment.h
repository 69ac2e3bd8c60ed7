/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The archive that is appended to an initramfs. */
#ifndef H2K_FIXERS_LINUX_SEGMENT_H
#define H2K_FIXERS_LINUX_SEGMENT_H

#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/strbuf.h"
#include "inspect/initramfs.h"

struct segment_file {
    char *name; /* path in the archive: "usr/lib/modules/.../virtio.ko" */
    char *data;
    size_t len;
    uint32_t mode; /* permissions */
};

struct segment {
    struct segment_file *files;
    size_t n;
};

void segment_done(struct segment *segment);
#define CLEANUP_SEGMENT __attribute__((cleanup(segment_done)))

/* Takes ownership of @data. */
void segment_add(struct segment *segment, const char *name, char *data, size_t len);
void segment_add_mode(struct segment *segment, const char *name, char *data, size_t len,
                      uint32_t mode);

/*
 * The bytes to append to an image of @size bytes: padding, folders that @found does not have, the
 * files, sorted. 0, or -EFBIG.
 */
int segment_build(struct segment *segment, const struct initramfs *found, uint64_t size,
                  struct strbuf *ret);

/* The modules folder of @version in the archive, through no link. Free it. */
char *segment_modules_prefix(const struct initramfs *found, const char *version);

#endif
