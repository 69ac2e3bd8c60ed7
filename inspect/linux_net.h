/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the readers of network configuration share: linux_net.c holds the list that they fill. */
#ifndef H2K_INSPECT_LINUX_NET_H
#define H2K_INSPECT_LINUX_NET_H

#include "engine/base/mem.h"
#include "inspect/keyfile.h"
#include "inspect/linux.h"

#define NET_MAX_FILES 256 /* of one folder, and of what `source` lines lead to */

struct net_reader {
    const struct guest_root *root;
    struct facts *facts;
    struct strlist software; /* bonds, bridges ...: their names have nothing to do with a card */
    struct keyfile times;    /* when NetworkManager last used a profile */
    unsigned long newest;    /* of them */
};

/* The configuration in the file @source relies on the interface @name; @mac: of its card, NULL or
 * "" when the file does not say. Aliases and VLANs ("ens192:0", "ens192.10") rely on "ens192".
 * Patterns, and names that are no card's, are passed over. */
void net_note(struct net_reader *net, const char *name, const char *mac, const char *source,
              bool is_static);

/* The configuration in the file @source is for the card with this address, whatever its interface
 * is called. */
void net_note_card(struct net_reader *net, const char *mac, const char *source, bool is_static);

/* net_note() for an interface that this configuration does not start at boot (ONBOOT=no), or has
 * not used for long: when its card is not known, and another interface is started, it may be a
 * leftover of an older machine. */
void net_note_stopped(struct net_reader *net, const char *name, const char *mac, const char *source,
                      bool is_static);

/* Something else starts the interfaces that match @pattern ("ens192", "/ens*", "ens192.10"). */
void net_note_started(struct net_reader *net, const char *pattern);

/* net_note() for each word of @list. */
void net_note_list(struct net_reader *net, const char *list, const char *source);

/* The card of an interface that some configuration relies on; what was known before counts. */
void net_note_mac(struct net_reader *net, const char *name, const char *mac);

/* @name is made of other interfaces, or of nothing. */
void net_note_software(struct net_reader *net, const char *name);

/* The words of @text between blanks, quotes, parentheses, ',' and ';'. strlist_done(). */
struct strlist net_words(const char *text);

/* A copy that an editor or a package manager left, which no network program reads
 * ("ifcfg-eth0.bak")? */
bool net_is_leftover(const char *name);

/* Call @fn for each readable file of @folder whose name matches @pattern and is no leftover.
 * Returns how many there were. */
typedef void (*net_file_fn)(struct net_reader *net, const char *path, const char *text, size_t len);
size_t net_each_file(struct net_reader *net, const char *folder, const char *pattern,
                     net_file_fn fn);

/* ---- one reader for each kind of configuration: is it in use? ---- */

bool net_read_connman(struct net_reader *net);        /* connman-service.config(5), settings */
bool net_read_dhcpcd(struct net_reader *net);         /* dhcpcd.conf(5) */
bool net_read_etcnet(struct net_reader *net);         /* /etc/net/ifaces of ALT Linux */
bool net_read_ifcfg(struct net_reader *net);          /* sysconfig of Red Hat and SUSE, ifcfg(5) */
bool net_read_ifupdown(struct net_reader *net);       /* interfaces(5) */
bool net_read_netctl(struct net_reader *net);         /* netctl.profile(5) */
bool net_read_netifrc(struct net_reader *net);        /* /etc/conf.d/net of Gentoo */
bool net_read_netplan(struct net_reader *net);        /* netplan(5) */
bool net_read_networkd(struct net_reader *net);       /* systemd.network(5) */
bool net_read_networkmanager(struct net_reader *net); /* nm-settings-keyfile(5) */
bool net_read_rcinet1(struct net_reader *net);        /* rc.inet1.conf(5) of Slackware */
bool net_read_wicked(struct net_reader *net);         /* wicked-config(5), its XML */

/* When NetworkManager used which profile, and: was the one with this UUID (NULL: none) in use, but
 * no more when others still were? */
void net_read_times(struct net_reader *net);
bool net_is_out_of_use(const struct net_reader *net, const char *uuid);

/* What binds names to cards besides: rules, .link files, tables, leases (net_names.c). */
void net_read_names(struct net_reader *net);

#endif
