/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * connman keeps settings in /var/lib/connman/ethernet_MAC_cable/settings: they belong to a card and
 * need no name. Only a *.config file (connman-service.config(5)) may name an interface.
 */
#include <fnmatch.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "inspect/keyfile.h"
#include "inspect/linux_net.h"

#define FOLDER "/var/lib/connman"

static void read_config(struct net_reader *net, const char *path, const char *text, size_t len)
{
    CLEANUP_KEYFILE struct keyfile keyfile = { 0 };

    keyfile_parse(text, len, &keyfile);
    for (size_t i = 0; i < keyfile.n; i++) {
        const struct keyfile_entry *entry = &keyfile.entries[i];
        const char *address = keyfile_get(&keyfile, entry->section, "IPv4");

        if (strcmp(entry->key, "DeviceName") == 0)
            net_note(net, entry->value, keyfile_get(&keyfile, entry->section, "MAC"), path,
                     address && strchr(address, '/'));
    }
}

bool net_read_connman(struct net_reader *net)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct err err = ERR_NONE;
    bool is_used = net_each_file(net, FOLDER, "*.config", read_config) > 0;

    if (guest_list(net->root, FOLDER, &names, &err) < 0)
        return false;
    for (size_t i = 0; i < names.n; i++)
        is_used |= fnmatch("ethernet_*_cable", names.items[i], 0) == 0;
    return is_used;
}
