/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /etc/network/interfaces (interfaces(5)). */
#ifndef H2K_INSPECT_IFUPDOWN_H
#define H2K_INSPECT_IFUPDOWN_H

#include <stdbool.h>

#include "engine/base/mem.h"
#include "inspect/fields.h"

struct ifupdown_iface {
    char *name;           /* "ens192", "ens192:0", "ens192.10" */
    char *family;         /* "inet", "inet6" */
    char *method;         /* "static", "dhcp", "manual", "loopback" */
    char *hwaddress;      /* "" when there is none; without "ether" */
    char *master;         /* bond that it is a member of; "" */
    struct strlist ports; /* interfaces that a bridge, bond or VLAN is made of */
    bool is_software;     /* a bridge, bond or VLAN */
    struct span name_at;  /* for edits_add() */
};

struct ifupdown {
    struct ifupdown_iface *ifaces;
    size_t n;
    struct strlist autos;   /* names of auto and allow-* lines */
    struct strlist sources; /* patterns of `source` lines, as they are written */
    struct strlist source_dirs;
};

void ifupdown_parse(const char *text, size_t len, struct ifupdown *ret);
void ifupdown_done(struct ifupdown *ifupdown);
#define CLEANUP_IFUPDOWN __attribute__((cleanup(ifupdown_done)))

#endif
