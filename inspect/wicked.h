/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wicked's own XML (wicked-config(5)), as it lies in /etc/wicked/ifconfig. */
#ifndef H2K_INSPECT_WICKED_H
#define H2K_INSPECT_WICKED_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/mem.h"

struct wicked_iface {
    char *name;           /* "" when it is not found by its name */
    char *mac;            /* permanent address that it is found by; "" */
    struct strlist ports; /* <device> elements: what it is made of */
    bool is_software;     /* a bond, a bridge ... */
    bool is_static;
};

struct wicked {
    struct wicked_iface *ifaces;
    size_t n;
};

/* 0 and *ret (wicked_done()), or -EBADMSG when it is no XML (*ret has at most what came before the
 * error). Entities are not expanded, nothing is loaded. */
int wicked_parse(const char *text, size_t len, struct wicked *ret);
void wicked_done(struct wicked *wicked);
#define CLEANUP_WICKED __attribute__((cleanup(wicked_done)))

#endif
