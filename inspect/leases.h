/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DHCP leases that a client left on the disk: no configuration, but some tell which card an
 * interface had.
 */
#ifndef H2K_INSPECT_LEASES_H
#define H2K_INSPECT_LEASES_H

#include "inspect/fields.h"

struct lease {
    char *name; /* of the interface */
    char *mac;  /* "00:50:56:aa:bb:cc"; "" when leases of one interface name several cards */
};

struct leases {
    struct lease *items;
    size_t n;
};

/*
 * dhclient.leases(5), ISC. The card is in a lease only when the server sent the client's identifier
 * back (RFC 6842) and that is an Ethernet address (type 1): "1:0:50:56:aa:bb:cc". The file is a
 * log: of two leases for one interface the later one counts.
 */
void leases_add_dhclient(const char *text, size_t len, struct leases *leases);

/* The lease that dhcpcd keeps for @name: the server's answer as it came (RFC 2131, 2), whose chaddr
 * is the card's address. */
void leases_add_dhcpcd(const char *name, const char *bytes, size_t len, struct leases *leases);

void leases_done(struct leases *leases);
#define CLEANUP_LEASES __attribute__((cleanup(leases_done)))

#endif
