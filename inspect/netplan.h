/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What netplan's YAML (netplan(5)) says about ethernet interfaces; everything else is passed
 * over. */
#ifndef H2K_INSPECT_NETPLAN_H
#define H2K_INSPECT_NETPLAN_H

#include <stdbool.h>
#include <stddef.h>

struct netplan_ethernet {
    char *id; /* the key; the interface's name when there is no match */
    /* "" when they are missing; a list of drivers counts as missing */
    char *match_name, *match_mac, *match_driver, *set_name;
    bool has_match;
    bool has_addresses;
    bool dhcp;        /* dhcp4 or dhcp6 */
    bool is_software; /* netplan_parse_cloud(): a bond, a VLAN, a route ... */
};

struct netplan {
    struct netplan_ethernet *ethernets;
    size_t n;
    char *renderer; /* "networkd", "NetworkManager"; "" when it is not said */
};

/* 0 and *ret (netplan_done()), or -EBADMSG when it is not YAML (what came before the error is in
 * *ret too). Aliases are not followed. */
int netplan_parse(const char *text, size_t len, struct netplan *ret);
/*
 * The same of cloud-init's network configuration, version 1 or 2, with or without "network" above
 * it (its documentation: "Networking Config Version 1", "NoCloud": network-config). What version 1
 * calls a name is the id, mac_address is match_mac.
 */
int netplan_parse_cloud(const char *text, size_t len, struct netplan *ret);
void netplan_done(struct netplan *netplan);
#define CLEANUP_NETPLAN __attribute__((cleanup(netplan_done)))

#endif
