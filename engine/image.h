/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Disk image files, read by our own bounded header readers before any other program sees them.
 * Nothing here writes; nothing here trusts a size, an offset or a name from the file.
 */
#ifndef H2K_ENGINE_IMAGE_H
#define H2K_ENGINE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"

struct image_opts {
    const char *format;        /* as --format gave it; NULL: detect */
    struct strlist allow_dirs; /* --allow-backing: folders that outside references may lie in */
    bool allow_stale;          /* --allow-stale */
    bool allow_commit_pending; /* finishing an interrupted commit: SOURCE.h2k-commit may be there,
                                * and what qemu leaves when it is killed (VHDX log) is fine */
    bool allow_log; /* a VHDX may have a pending log, when it is no backing file: the caller will
                     * have it replayed */
};

/* One file that belongs to an image: the image itself first, then extents and backing files. */
struct image_file {
    char *path;     /* absolute */
    struct stat st; /* as it was when it was looked at */
};

struct image {
    char *path;              /* absolute, every symbolic link resolved */
    const char *format;      /* qemu's driver name: "raw", "qcow2", "vmdk", "vpc", "vhdx", "vdi" */
    const char *subformat;   /* "monolithicSparse", "dynamic" ...; "" when there is one kind only */
    uint64_t size_bytes;     /* as the guest sees it */
    uint64_t unpacked_bytes; /* of what is mapped, when some of it is compressed; else 0 */
    uint32_t sector_size;    /* 512 or 4096; 4096 only where the format says so */
    bool can_rewrite;        /* qemu can write to it in place (false: streamOptimized, seSparse) */
    struct image_file *files;
    size_t n_files;
    struct image *backing; /* owned; its files are in files[] as well */
    bool is_device;        /* @path is a block device of the host (raw only) */
    bool has_log;          /* a VHDX with a pending log: not to be read before it is replayed */
    char *replayed; /* a qcow2 over the file with what the log says: convert_replay_log() made it */
    struct strlist notes; /* for people: "qcow2: was not closed cleanly (dirty bit)" */
};

/*
 * Look at an image and refuse what must not be attached. Extents must be plain names of regular
 * files in the image's own folder, or lie below one of allow_dirs; backing files must lie directly
 * in the folder of the first image, all symbolic links followed, or below one of allow_dirs.
 * 0 and *ret (image_free()), or negative errno and *err:
 *   STATUS_FAILED     not an image we know with --format given, damaged, truncated (a mapped block,
 *                     flat extent or table ends beyond its file)
 *   STATUS_REFUSED    references outside its folder, snapshot child, differencing VHD/VHDX, pending
 *                     VHDX log (without allow_log), stale (a sibling has it as parent; .lck, .vswp,
 * .vmss beside it), commit pending (SOURCE.h2k-commit) STATUS_TEMPORARY  locked by another process
 *   STATUS_USAGE      a --format that there is not, or another one than raw for a block device
 * A file of no known format is raw when its size is a multiple of 512.
 */
int image_open(const char *path, const struct image_opts *opts, struct image **ret,
               struct err *err);

void image_free(struct image *image); /* with its backing chain; NULL is fine */

static inline void image_freep(struct image **image)
{
    image_free(*image);
}
#define CLEANUP_IMAGE __attribute__((cleanup(image_freep)))

/* Have the image's files changed since image_open()? 0 same; -ESTALE and *err naming the file. */
int image_check_unchanged(const struct image *image, struct err *err);

/* Is @path, an overlay that an earlier run left, a whole qcow2 of @size_bytes (0: any) without data
 * outside of itself? Its backing file, which it may name by a path of another host, is not looked
 * at. */
int image_check_overlay(const char *path, uint64_t size_bytes, struct err *err);

/* Is @path (which need not exist) one of the image's files, by inode? For target checks. */
bool image_owns(const struct image *image, const char *path);

/* Bytes that the image's files occupy on the host. */
uint64_t image_allocated_bytes(const struct image *image);

/* Bytes that a copy of it may need: what its files occupy, compressed data unpacked, and never more
 * than the disk holds. */
uint64_t image_data_bytes(const struct image *image);

/* "driver=vmdk,read-only=on,file.driver=file,file.filename=...": one option string with the driver
 * of every node and commas doubled; for --image-opts (but qemu-img info, which opens no backing
 * file, takes that of an image without one only). Free it. */
char *image_qemu_opts(const struct image *image);

/* The same graph as a JSON object ("json:{...}" without the prefix) for blockdev-add and for
 * backing-file strings; "backing" is null at the end of the chain. Only the format's node is
 * read-only by name (the file below follows it), so that qemu-img commit can reopen it. Free it. */
char *image_qemu_json(const struct image *image);

#endif
