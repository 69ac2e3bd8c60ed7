/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* systemd.network(5), systemd.netdev(5). */
#include <string.h>

#include "engine/base/cleanup.h"
#include "inspect/keyfile.h"
#include "inspect/linux_net.h"

#define FOLDER "/etc/systemd/network"

/* One of several addresses is enough. */
static void note_cards(struct net_reader *net, const char *list, const char *path, bool is_static)
{
    CLEANUP_STRLIST struct strlist macs = net_words(list);

    for (size_t i = 0; i < macs.n; i++)
        net_note_card(net, macs.items[i], path, is_static);
}

/* Matches add up when they are given more than once. */
static void read_network(struct net_reader *net, const char *path, const char *text, size_t len)
{
    CLEANUP_KEYFILE struct keyfile keyfile = { 0 };
    const char *mac;
    bool is_static, has_name = false;

    keyfile_parse(text, len, &keyfile);
    mac = keyfile_get(&keyfile, "Match", "MACAddress");
    if (!mac)
        mac = keyfile_get(&keyfile, "Match", "PermanentMACAddress");
    is_static =
        keyfile_get(&keyfile, "Network", "Address") || keyfile_get(&keyfile, "Address", "Address");
    for (size_t i = 0; i < keyfile.n; i++) {
        CLEANUP_STRLIST struct strlist words = { 0 };

        if (strcmp(keyfile.entries[i].section, "Match") != 0 ||
            strcmp(keyfile.entries[i].key, "Name") != 0)
            continue;
        words = net_words(keyfile.entries[i].value);
        for (size_t j = 0; j < words.n; j++)
            net_note(net, words.items[j], mac, path, is_static);
        has_name |= words.n > 0;
    }
    if (mac && !has_name)
        note_cards(net, mac, path, is_static);
}

static void read_netdev(struct net_reader *net, const char *path, const char *text, size_t len)
{
    CLEANUP_KEYFILE struct keyfile keyfile = { 0 };
    const char *name;

    (void)path;
    keyfile_parse(text, len, &keyfile);
    name = keyfile_get(&keyfile, "NetDev", "Name");
    if (name)
        net_note_software(net, name);
}

bool net_read_networkd(struct net_reader *net)
{
    (void)net_each_file(net, FOLDER, "*.netdev", read_netdev);
    return net_each_file(net, FOLDER, "*.network", read_network) > 0;
}
