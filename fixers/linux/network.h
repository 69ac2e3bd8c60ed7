/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of the network fixer. */
#ifndef H2K_FIXERS_LINUX_NETWORK_H
#define H2K_FIXERS_LINUX_NETWORK_H

#include "fixers/fixer.h"
#include "fixers/linux/network_match.h"
#include "fixers/linux/network_names.h"

/* Orders of .link files: behind the guest's own and before 99-default.link. */
#define NAMING_REPEATED "97"
#define NAMING_LEFT_OVER "98"

/* A name that must stay. */
struct kept {
    const char *name, *mac; /* of the card in the new machine; "": not known */
    const char *old_mac;    /* what the guest's files say; "": nothing */
    bool is_given;          /* it gets a file of its own */
    const char *order;      /* of its .link file among others; NULL: before all */
};

struct network {
    const struct fix_context *ctx;
    struct plan *plan;
    struct kept *kept;
    size_t n;
    size_t n_cards;    /* these, and cards that are found by their address alone */
    bool kernel_names; /* eth0 ... stay by themselves */
    enum naming_way way;
    const char *driver; /* of the new machine's cards: "virtio_net" */
};

/* Called for a configuration file; > 0 ends the round. */
typedef int (*network_file_fn)(struct network *network, const char *path, const char *text,
                               void *arg);

/* All files of @dir that match @pattern, as they will be; copies that no program reads are left
 * out. Returns what @fn gave, or 0. */
int network_each_file(struct network *network, const char *dir, const char *pattern,
                      network_file_fn fn, void *arg, struct err *err);

/* Does something in the guest give the name to the card already? @by_link: a .link file. 0, 1 or
 * negative errno. */
int network_is_named(struct network *network, const struct kept *kept, bool by_link,
                     struct err *err);

/* Give the name to the card, the way the guest understands. 0, 1 when the card would have to be
 * known, or negative errno. */
int network_give_name(struct network *network, const struct kept *kept, struct err *err);

/* The configuration may be for any interface called "ens*", which a virtio card is not: 1 and *ret,
 * a name (literal) that fits; 0 when there is none such; negative errno. */
int network_pattern(struct network *network, const char **ret, struct err *err);

/* Addresses of cards that --nic says are others now. */
int network_new_macs(struct network *network, struct err *err);

/* Aliases of modprobe that load another card's driver. */
int network_aliases(struct network *network, struct err *err);

/* Static addresses that cloud-init wrote stay. */
int network_cloud(struct network *network, struct err *err);

/* Settings of ethtool that only the old card has. */
int network_ethtool(struct network *network, struct err *err);

#endif
