/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* udev rules (udev(7)) that give a network interface with a certain MAC address a name. */
#ifndef H2K_INSPECT_UDEV_RULES_H
#define H2K_INSPECT_UDEV_RULES_H

#include "inspect/fields.h"

struct udev_name {
    char *mac;  /* as it is written */
    char *name; /* NAME="..." */
};

struct udev_names {
    struct udev_name *names;
    size_t n;
};

void udev_rules_parse(const char *text, size_t len, struct udev_names *ret);
void udev_names_done(struct udev_names *names);
#define CLEANUP_UDEV_NAMES __attribute__((cleanup(udev_names_done)))

#endif
