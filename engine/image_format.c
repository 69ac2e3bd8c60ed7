/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/image_format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"

const struct image_format *const image_formats[] = {
    &image_format_qcow2, &image_format_vmdk, &image_format_vhdx,
    &image_format_vpc,   &image_format_vdi,
};
const size_t image_n_formats = ARRAY_SIZE(image_formats);

/* What people hand in by mistake. Offsets and magic numbers: file(1)'s and the formats' own
 * descriptions. */
static const struct {
    unsigned offset;
    const char *magic;
    size_t len;
    const char *advice;
} strangers[] = {
    { 0, "\x1f\x8b\x08", 3, "is compressed with gzip: unpack it first" },
    { 0, "\xfd\x37zXZ", 6, "is compressed with xz: unpack it first" },
    { 0, "\x28\xb5\x2f\xfd", 4, "is compressed with zstd: unpack it first" },
    { 0, "BZh", 3, "is compressed with bzip2: unpack it first" },
    { 0, "PK\x03\x04", 4, "is a zip archive: unpack it first" },
    { 257, "ustar", 5, "is a tar archive (an OVA?): unpack it and name the disk inside" },
    { 0, "QED", 4, "is a QED image: convert it with qemu-img first" },
    { 0, "WithoutFreeSpace", 16, "is a Parallels image: convert it with qemu-img first" },
    { 0, "WithouFreSpacExt", 16, "is a Parallels image: convert it with qemu-img first" },
    { 0,
      "\x7f"
      "ELF",
      4, "is a program, not a disk image" },
    { 0, "<?xml", 5, "is an XML document, not a disk image" },
    { 0, "<domain", 7, "is an XML document, not a disk image" },
};

const struct image_format *image_format_find(const char *name)
{
    for (size_t i = 0; i < image_n_formats; i++) {
        const struct image_format *format = image_formats[i];

        if (strcmp(name, format->name) == 0 || (format->alias && strcmp(name, format->alias) == 0))
            return format;
    }
    return NULL;
}

int image_detect(const struct image_io *io, const struct image_format **ret, struct err *err)
{
    const struct image_format *found = NULL;

    for (size_t i = 0; i < image_n_formats; i++) {
        if (!image_formats[i]->detect(io))
            continue;
        if (found)
            return err_status(err, STATUS_REFUSED,
                              "looks like %s and like %s at once: name the right one with --format",
                              found->name, image_formats[i]->name);
        found = image_formats[i];
    }
    for (size_t i = 0; !found && i < ARRAY_SIZE(strangers); i++)
        if (image_has_magic(io, strangers[i].offset, strangers[i].magic, strangers[i].len))
            return err_status(err, STATUS_FAILED, "%s", strangers[i].advice);
    *ret = found;
    return 0;
}

void image_scan_done(struct image_scan *scan)
{
    for (size_t i = 0; i < scan->n_extents; i++)
        free(scan->extents[i].name);
    free(scan->extents);
    free(scan->backing);
    free(scan->backing_format);
    strlist_done(&scan->notes);
    memset(scan, 0, sizeof(*scan));
}

int image_need(const struct image_io *io, const char *what, uint64_t offset, uint64_t len,
               struct err *err)
{
    if (offset <= io->size && len <= io->size - offset)
        return 0;
    return err_status(err, STATUS_FAILED,
                      "truncated: %s at byte %" PRIu64 " needs %" PRIu64
                      " bytes, but the file has only %" PRIu64 "; copy it again from its host",
                      what, offset, len, io->size);
}

int image_read(const struct image_io *io, const char *what, uint64_t offset, void *buf, size_t len,
               struct err *err)
{
    int r = image_need(io, what, offset, len, err);

    if (r < 0)
        return r;
    r = io->read(io->ctx, offset, buf, len);
    if (r < 0)
        return err_set(err, -r, "read %s at byte %" PRIu64, what, offset);
    return 0;
}

bool image_has_magic(const struct image_io *io, uint64_t offset, const void *magic, size_t len)
{
    uint8_t buf[32];

    if (len > sizeof(buf) || offset > io->size || len > io->size - offset)
        return false;
    return io->read(io->ctx, offset, buf, len) == 0 && memcmp(buf, magic, len) == 0;
}

void image_printable(char *dst, size_t room, const char *src, size_t len)
{
    size_t n = len < room - 1 ? len : room - 1;

    for (size_t i = 0; i < n; i++)
        dst[i] = (char)(src[i] >= ' ' && src[i] <= '~' ? src[i] : '?');
    dst[n] = '\0';
}

/* Is all of the piece in a hole of the file? Tables of thin disks are, often by the thousand. */
static bool in_hole(struct image_walk *walk, uint64_t offset, size_t len)
{
    if (!walk->io->next_data)
        return false;
    if (offset < walk->hole_start || offset >= walk->hole_end) {
        walk->hole_start = offset;
        walk->hole_end = walk->io->next_data(walk->io->ctx, offset);
    }
    return offset + len <= walk->hole_end;
}

int image_walk_table(struct image_walk *walk, const struct image_table *table, struct err *err)
{
    uint8_t *piece = walk->piece[table->level];
    size_t room = IMAGE_PIECE / table->width;
    uint64_t done = 0;

    if (table->n > UINT64_MAX / 16)
        return err_status(err, STATUS_FAILED, "damaged: %s has %" PRIu64 " entries", table->what,
                          table->n);
    if (image_need(walk->io, table->what, table->offset, table->n * table->width, err) < 0)
        return -err->code;
    while (done < table->n) {
        size_t n = table->n - done < room ? (size_t)(table->n - done) : room;
        size_t len = n * table->width;
        int r;

        if (table->skip_holes && in_hole(walk, table->offset + done * table->width, len)) {
            done += n;
            continue;
        }
        if (walk->bytes >= IMAGE_TABLE_MAX) {
            log_debug("more than %llu bytes of mapping tables: the rest is not verified",
                      IMAGE_TABLE_MAX);
            return 0;
        }
        walk->bytes += len;
        if (walk->bytes > walk->io->size)
            return err_status(err, STATUS_FAILED, "damaged: its mapping tables overlap");
        r = image_read(walk->io, table->what, table->offset + done * table->width, piece, len, err);
        if (r == 0)
            r = table->look(table->arg, piece, done, n, err);
        if (r < 0)
            return r;
        done += n;
    }
    return 0;
}
