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

/* "ethernet_005056aabbcc_cable" -> "00:50:56:aa:bb:cc". Free it. */
static char *mac_in(const char *name)
{
    const char *at = name + sizeof("ethernet_") - 1;

    if (strlen(at) < 12)
        return mem_strdup("");
    return mem_printf("%.2s:%.2s:%.2s:%.2s:%.2s:%.2s", at, at + 2, at + 4, at + 6, at + 8, at + 10);
}

static void read_settings(struct net_reader *net, const char *name)
{
    CLEANUP_FREE char *path = mem_printf(FOLDER "/%s/settings", name);
    CLEANUP_FREE char *mac = mac_in(name);
    CLEANUP_FREE char *text = NULL;
    CLEANUP_KEYFILE struct keyfile keyfile = { 0 };
    const char *method;
    size_t len = 0;

    text = linux_read(net->root, path, &len);
    if (!text)
        return;
    keyfile_parse(text, len, &keyfile);
    method = keyfile_get(&keyfile, name, "IPv4.method");
    net_note_card(net, mac, path, method && strcmp(method, "manual") == 0);
}

bool net_read_connman(struct net_reader *net)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct err err = ERR_NONE;
    bool is_used = net_each_file(net, FOLDER, "*.config", read_config) > 0;

    if (guest_list(net->root, FOLDER, &names, &err) < 0)
        return false;
    for (size_t i = 0; i < names.n && i < NET_MAX_FILES; i++) {
        if (fnmatch("ethernet_*_cable", names.items[i], 0) != 0)
            continue;
        is_used = true;
        read_settings(net, names.items[i]);
    }
    return is_used;
}
