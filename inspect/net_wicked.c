/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wicked reads ifcfg files (net_ifcfg.c) and XML of its own. */
#include "engine/base/cleanup.h"
#include "inspect/linux_net.h"
#include "inspect/wicked.h"

static void read_file(struct net_reader *net, const char *path, const char *text, size_t len)
{
    CLEANUP_WICKED struct wicked wicked = { 0 };

    (void)wicked_parse(text, len, &wicked); /* what came before an error still counts */
    for (size_t i = 0; i < wicked.n; i++) {
        const struct wicked_iface *iface = &wicked.ifaces[i];

        for (size_t k = 0; k < iface->ports.n; k++)
            net_note(net, iface->ports.items[k], NULL, path, false);
        if (iface->is_software)
            net_note_software(net, iface->name);
        else if (*iface->name)
            net_note(net, iface->name, iface->mac, path, iface->is_static);
        else
            net_note_card(net, iface->mac, path, iface->is_static);
    }
}

bool net_read_wicked(struct net_reader *net)
{
    size_t n = net_each_file(net, "/etc/wicked/ifconfig", "*.xml", read_file);

    return n > 0 || guest_exists(net->root, "/usr/sbin/wicked");
}
