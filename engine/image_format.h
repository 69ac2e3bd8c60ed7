/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Header readers of the image formats, one file and one row each; only engine/image*.c include
 * this. A reader sees a byte source, never a file name, so that it is pure and can be fuzzed from
 * memory. It allocates nothing whose size comes from the image beyond the caps named here, and
 * reads at most IMAGE_TABLE_MAX bytes of mapping tables.
 */
#ifndef H2K_ENGINE_IMAGE_FORMAT_H
#define H2K_ENGINE_IMAGE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"

#define IMAGE_PIECE 65536U              /* tables are read in pieces of this many bytes */
#define IMAGE_TABLE_MAX (4ULL << 30)    /* what lies beyond in the tables is not verified */
#define IMAGE_DESCRIPTOR_MAX (1U << 20) /* text of a VMDK descriptor, as qemu has it */
#define IMAGE_EXTENTS_MAX 4096U
#define IMAGE_SIZE_MAX (1ULL << 60) /* larger virtual sizes are damage */

/* Where the bytes come from. */
struct image_io {
    /* Exactly @len bytes, which lie inside @size; 0 or negative errno. */
    int (*read)(void *ctx, uint64_t offset, void *buf, size_t len);
    /* First offset from @offset on where something else than a hole lies; may be NULL. */
    uint64_t (*next_data)(void *ctx, uint64_t offset);
    void *ctx;
    uint64_t size;
};

enum image_extent_kind {
    EXTENT_FLAT,      /* raw bytes */
    EXTENT_SPARSE,    /* a hosted sparse file ("KDMV") */
    EXTENT_COWD,      /* an ESX sparse file ("COWD") */
    EXTENT_SE_SPARSE, /* a space-efficient sparse file */
};

/* A further file that holds part of the disk. */
struct image_extent {
    enum image_extent_kind kind;
    char *name; /* as it is written: printable, not empty; anything else is the caller's to check */
    uint64_t size_bytes;   /* of the disk that it holds */
    uint64_t offset_bytes; /* EXTENT_FLAT: where in the file that starts */
};

/* What a reader found. Zero-initialise; release with image_scan_done(). */
struct image_scan {
    bool in_commit; /* set by the caller: qemu was killed while it wrote to the image, and will go
                       on: what it leaves then is no damage */
    uint64_t size_bytes;
    uint64_t unpacked_bytes; /* of what is mapped, when some of it is compressed; else 0 */
    uint32_t sector_size;
    const char *subformat; /* a literal */
    bool can_rewrite;
    bool has_log;  /* a log must be replayed before the tables and the data are what they say */
    char *backing; /* qcow2: as it is written; NULL: none */
    char *backing_format; /* qcow2: as it is written; NULL: not named */
    struct image_extent *extents;
    size_t n_extents;
    struct strlist notes; /* for people */
};

struct image_format {
    const char *name;  /* qemu's driver name */
    const char *alias; /* another name that --format takes; NULL: none */

    /* Does it look like this format? Reads a sector or two. */
    bool (*detect)(const struct image_io *io);

    /*
     * Read headers and walk the mapping tables. 0 and *ret filled, or negative errno and *err:
     * STATUS_FAILED damaged or truncated, STATUS_REFUSED as image_open() says.
     */
    int (*walk)(const struct image_io *io, struct image_scan *ret, struct err *err);

    /* Check one extent's own file; NULL when the format has none. */
    int (*walk_extent)(const struct image_io *io, const struct image_extent *extent,
                       struct err *err);
};

extern const struct image_format image_format_qcow2;
extern const struct image_format image_format_vdi;
extern const struct image_format image_format_vhdx;
extern const struct image_format image_format_vmdk;
extern const struct image_format image_format_vpc;

/* All formats with a magic number (raw is what remains). */
extern const struct image_format *const image_formats[];
extern const size_t image_n_formats;

/* NULL: no such format; "raw" is none of them either. */
const struct image_format *image_format_find(const char *name);

/*
 * Which format do the bytes have? *ret is NULL when it is none of them (raw).
 * -EPROTO when it is something else that is known not to be a disk, or an image format that is not
 * supported; STATUS_REFUSED when it looks like two formats at once.
 */
int image_detect(const struct image_io *io, const struct image_format **ret, struct err *err);

void image_scan_done(struct image_scan *scan);
#define CLEANUP_SCAN __attribute__((cleanup(image_scan_done)))

/* The file must reach to @offset + @len, where @what lies; else it is truncated. */
int image_need(const struct image_io *io, const char *what, uint64_t offset, uint64_t len,
               struct err *err);

/* image_need() and read. */
int image_read(const struct image_io *io, const char *what, uint64_t offset, void *buf, size_t len,
               struct err *err);

/* Is @magic at @offset? False beyond the end. */
bool image_has_magic(const struct image_io *io, uint64_t offset, const void *magic, size_t len);

/* Copy for messages: everything that is not printable ASCII becomes '?'. */
void image_printable(char *dst, size_t room, const char *src, size_t len);

/* One walk over mapping tables: memory and work are bounded. */
struct image_walk {
    const struct image_io *io;
    uint64_t bytes;                /* of tables read so far */
    uint64_t hole_start, hole_end; /* the hole that was found last */
    uint8_t piece[2][IMAGE_PIECE]; /* for an outer and an inner table */
};

struct image_table {
    const char *what; /* for messages */
    uint64_t offset;  /* in the file */
    uint64_t n;       /* entries */
    unsigned width;   /* bytes of an entry: a power of two */
    unsigned level;   /* 0: outer, 1: inner: which buffer is used */
    bool skip_holes;  /* an entry of zeros maps nothing, so holes need not be read */
    /* Look at @n entries from number @first. 0, or negative errno and *err. */
    int (*look)(void *arg, const uint8_t *entries, uint64_t first, size_t n, struct err *err);
    void *arg;
};

/*
 * Show @table to its function, piece by piece. Tables that together are larger than the file
 * overlap: damage. Beyond IMAGE_TABLE_MAX bytes of tables nothing is looked at any more.
 */
int image_walk_table(struct image_walk *walk, const struct image_table *table, struct err *err);

#endif
