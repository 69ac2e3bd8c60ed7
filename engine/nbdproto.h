/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The NBD handshake, up to where the kernel's driver takes a connection over: fixed newstyle,
 * NBD_OPT_GO, simple replies. (NBD protocol, github.com/NetworkBlockDevice/nbd doc/proto.md)
 */
#ifndef H2K_ENGINE_NBDPROTO_H
#define H2K_ENGINE_NBDPROTO_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"

/* Transmission flags, as the kernel takes them too. */
#define NBDPROTO_READ_ONLY (1U << 1)
#define NBDPROTO_MULTI_CONN (1U << 8)

/* Where the bytes go. Each moves exactly @len or fails: 0, or negative errno. */
struct nbdproto_stream {
    int (*read)(void *arg, void *data, size_t len);
    int (*write)(void *arg, const void *data, size_t len);
    void *arg;
};

struct nbdproto_export {
    uint64_t size_bytes;
    uint16_t flags; /* transmission flags */
};

/*
 * Ask for the default export and wait until the server is in its transmission phase.
 * 0 and *ret, or negative errno and *err: what the stream said; -EPROTO when it is no NBD server or
 * refuses.
 */
int nbdproto_go(const struct nbdproto_stream *stream, struct nbdproto_export *ret, struct err *err);

/*
 * Read @len bytes at @offset, before the kernel has the connection and with no other request under
 * way. 0, or negative errno and *err: what the stream or the server said; -EPROTO.
 */
int nbdproto_read(const struct nbdproto_stream *stream, uint64_t offset, void *buf, uint32_t len,
                  struct err *err);

#endif
