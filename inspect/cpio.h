/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading "newc" cpio archives as the kernel's initramfs unpacker does: a push parser without any
 * I/O. Format: Documentation/driver-api/early-userspace/buffer-format.rst of the Linux kernel:
 * "070701" (or "070702" with a checksum), 13 numbers of 8 hex digits, the name with its final zero
 * padded to 4 bytes, the content padded to 4 bytes; "TRAILER!!!" ends an archive.
 */
#ifndef H2K_INSPECT_CPIO_H
#define H2K_INSPECT_CPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPIO_HEADER_LEN 110
#define CPIO_NAME_MAX 4096 /* with the final zero: the kernel's PATH_MAX */
#define CPIO_TRAILER "TRAILER!!!"

struct cpio_entry {
    const char *name; /* as written, terminated; valid during the call */
    uint32_t ino, mode, nlink;
    uint32_t size; /* bytes of content */
    uint32_t major, minor;
};

/* Who is told about the entries; values below 0 stop the parser and are returned by cpio_feed(). */
struct cpio_sink {
    /* A new entry (the trailer is not one): 0 skip its content, > 0 hand it on to data(). */
    int (*entry)(void *arg, const struct cpio_entry *entry);
    int (*data)(void *arg, const uint8_t *data, size_t len); /* the next piece of content */
    int (*end)(void *arg); /* the content that was asked for is complete (also when it is empty) */
    void *arg;
};

enum cpio_state { CPIO_BETWEEN, CPIO_HEADER, CPIO_NAME, CPIO_CONTENT, CPIO_PADDING };

struct cpio {
    struct cpio_sink sink;
    enum cpio_state state; /* CPIO_BETWEEN: before the first archive or after a trailer */
    size_t have, need;     /* bytes of the header or name collected in text, and wanted */
    uint64_t left;         /* bytes of content or padding still to come */
    bool wanted, is_trailer;
    uint64_t n_entries, n_archives; /* n_archives: trailers seen */
    struct cpio_entry current;
    char text[CPIO_NAME_MAX + 4];
};

void cpio_init(struct cpio *cpio, const struct cpio_sink *sink);

/*
 * Parse the next @len bytes. Stops behind the padding of a trailer (state CPIO_BETWEEN); the caller
 * skips zero bytes and calls again for a further archive. *ret_used: how many bytes were taken.
 * 0, -EBADMSG when it is no cpio archive, or what the sink returned.
 */
int cpio_feed(struct cpio *cpio, const uint8_t *data, size_t len, size_t *ret_used);

/* How many of the next bytes nobody wants to see: they may be left out with cpio_skip(). */
uint64_t cpio_skippable(const struct cpio *cpio);
void cpio_skip(struct cpio *cpio, uint64_t len); /* at most cpio_skippable() */

#endif
