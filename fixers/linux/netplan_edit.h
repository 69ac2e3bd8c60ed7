/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses of one interface in a file of netplan(5), changed in its place: netplan adds the lists
 * of all its files together, so that no other file can take an address away. Everything else in the
 * file stays as it is written. Pure.
 */
#ifndef H2K_FIXERS_LINUX_NETPLAN_EDIT_H
#define H2K_FIXERS_LINUX_NETPLAN_EDIT_H

#include <stddef.h>

#include "engine/base/mem.h"

/* What the interface gets, as YAML in flow style. */
struct netplan_addresses {
    struct strlist pairs;    /* "dhcp4: false" ... of every key but routes */
    struct strlist defaults; /* "{to: ..., via: ...}": the default routes */
};
void netplan_addresses_done(struct netplan_addresses *addresses);

/*
 * @id: the key below network/ethernets. Its addresses, DHCP, name servers and default routes become
 * those of @new; other routes stay.
 *
 * 1 and *ret (free it); 0: it is not defined here; -EBADMSG: no YAML; -EBUSY: it is a part of a
 * bond or bridge of this file; -ENOTSUP: written in a way (anchors, tags, twice) that cannot be
 * edited.
 */
int netplan_readdress(const char *text, size_t len, const char *id,
                      const struct netplan_addresses *new, char **ret);

#endif
