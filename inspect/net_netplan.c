/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/linux_net.h"
#include "inspect/netplan.h"

static void read_file(struct net_reader *net, const char *path, const char *text, size_t len)
{
    CLEANUP_NETPLAN struct netplan netplan = { 0 };

    (void)netplan_parse(text, len, &netplan); /* what came before an error still counts */
    for (size_t i = 0; i < netplan.n; i++) {
        const struct netplan_ethernet *ethernet = &netplan.ethernets[i];
        const char *name = ethernet->set_name[0] ? ethernet->set_name
                           : ethernet->has_match ? ethernet->match_name
                                                 : ethernet->id;

        if (*name)
            net_note(net, name, ethernet->match_mac, path, ethernet->has_addresses);
        else
            net_note_card(net, ethernet->match_mac, path, ethernet->has_addresses);
    }
}

bool net_read_netplan(struct net_reader *net)
{
    return net_each_file(net, "/etc/netplan", "*.yaml", read_file) > 0;
}
