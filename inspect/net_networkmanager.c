/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keyfiles of NetworkManager (nm-settings-keyfile(5)). */
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "inspect/keyfile.h"
#include "inspect/linux_net.h"

#define TIMES "/var/lib/NetworkManager/timestamps"
#define LONG_AGO (24UL * 60 * 60) /* those of what is in use are written every few minutes */

static unsigned long seconds(const char *text)
{
    return text ? strtoul(text, NULL, 10) : 0;
}

void net_read_times(struct net_reader *net)
{
    size_t len = 0;
    CLEANUP_FREE char *text = linux_read(net->root, TIMES, &len);

    if (!text)
        return;
    keyfile_parse(text, len, &net->times);
    for (size_t i = 0; i < net->times.n; i++)
        if (seconds(net->times.entries[i].value) > net->newest)
            net->newest = seconds(net->times.entries[i].value);
}

bool net_is_out_of_use(const struct net_reader *net, const char *uuid)
{
    unsigned long last = uuid ? seconds(keyfile_get(&net->times, "timestamps", uuid)) : 0;

    return last > 0 && net->newest - last > LONG_AGO;
}

static bool is_software_type(const char *type)
{
    static const char *const types[] = { "bond",     "bridge",        "dummy",   "ip-tunnel",
                                         "loopback", "macsec",        "macvlan", "ovs-bridge",
                                         "ovs-port", "ovs-interface", "team",    "tun",
                                         "veth",     "vlan",          "vpn",     "vrf",
                                         "vxlan",    "wireguard" };

    for (size_t i = 0; type && i < ARRAY_SIZE(types); i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

static const char *either(const struct keyfile *keyfile, const char *section, const char *key,
                          const char *other_section, const char *other_key)
{
    const char *value = keyfile_get(keyfile, section, key);

    return value ? value : keyfile_get(keyfile, other_section, other_key);
}

static void read_file(struct net_reader *net, const char *path, const char *text, size_t len)
{
    /* what a VLAN lies on, and names besides the profile's own */
    static const struct {
        const char *section, *key;
    } more[] = {
        { "vlan", "parent" },
        { "macvlan", "parent" },
        { "vxlan", "parent" },
        { "match", "interface-name" },
    };
    CLEANUP_KEYFILE struct keyfile keyfile = { 0 };
    const char *name, *mac, *method, *master, *type, *start;
    bool is_static, is_stopped;

    keyfile_parse(text, len, &keyfile);
    name = keyfile_get(&keyfile, "connection", "interface-name");
    mac = either(&keyfile, "ethernet", "mac-address", "802-3-ethernet", "mac-address");
    method = keyfile_get(&keyfile, "ipv4", "method");
    is_static = method && strcmp(method, "manual") == 0;
    type = keyfile_get(&keyfile, "connection", "type");
    master = either(&keyfile, "connection", "controller", "connection", "master");
    start = keyfile_get(&keyfile, "connection", "autoconnect");
    is_stopped = !master && ((start && strcmp(start, "false") == 0) ||
                             net_is_out_of_use(net, keyfile_get(&keyfile, "connection", "uuid")));
    if (name && is_software_type(type))
        net_note_software(net, name);
    else if (name && is_stopped)
        net_note_stopped(net, name, mac, path, is_static);
    else if (name)
        net_note(net, name, mac, path, is_static);
    else if (mac && !is_software_type(type))
        net_note_card(net, mac, path, is_static);
    if (master)
        net_note_software(net, master);
    for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
        const char *list = keyfile_get(&keyfile, more[i].section, more[i].key);

        if (list && !strchr(list, ':')) /* a parent may be given by its MAC address */
            net_note_list(net, list, path);
    }
}

bool net_read_networkmanager(struct net_reader *net)
{
    size_t n = net_each_file(net, "/etc/NetworkManager/system-connections", "*", read_file) +
               net_each_file(net, "/usr/lib/NetworkManager/system-connections", "*", read_file);

    return n > 0 || guest_exists(net->root, "/usr/sbin/NetworkManager");
}
