/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The nbd driver's generic netlink commands (linux/nbd-netlink.h). They need CAP_SYS_ADMIN in the
 * first user namespace, and the first network namespace. */
#ifndef H2K_ENGINE_NBDNL_H
#define H2K_ENGINE_NBDNL_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"

struct nbdnl_connect {
    const int *sockets; /* each past its handshake; the kernel takes references of its own */
    size_t n_sockets;
    uint64_t size_bytes;
    uint32_t block_size;
    uint16_t flags;         /* transmission flags of the handshake */
    uint32_t timeout_s;     /* of one request: then its connection is given up */
    const char *identifier; /* /sys/block/nbdN/backend, since Linux 5.14 */
};

/* Connect a free device, or a new one; the kernel chooses. Its index, or negative errno. */
int nbdnl_connect(const struct nbdnl_connect *connect, struct err *err);

/* Give a connected device another size. @identifier: as it was connected. */
int nbdnl_resize(unsigned index, const char *identifier, uint64_t size_bytes, struct err *err);

/* Have the device disconnect itself when its last user closes it. @identifier: as it was connected.
 */
int nbdnl_disconnect_on_close(unsigned index, const char *identifier, struct err *err);

/* Requests in flight fail at once. No error when nothing is connected. */
int nbdnl_disconnect(unsigned index, struct err *err);

/* 0 when the commands can be used here. */
int nbdnl_probe(struct err *err);

#endif
