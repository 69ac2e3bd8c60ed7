/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What says which card an interface has, without being its configuration. */
#include <fnmatch.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "inspect/keyfile.h"
#include "inspect/leases.h"
#include "inspect/linux_net.h"
#include "inspect/netplan.h"
#include "inspect/udev_rules.h"

static void read_rules(struct net_reader *net, const char *path, const char *text, size_t len)
{
    CLEANUP_UDEV_NAMES struct udev_names names = { 0 };

    (void)path;
    udev_rules_parse(text, len, &names);
    for (size_t i = 0; i < names.n; i++)
        net_note_mac(net, names.names[i].name, names.names[i].mac);
}

static void read_link(struct net_reader *net, const char *path, const char *text, size_t len)
{
    CLEANUP_KEYFILE struct keyfile keyfile = { 0 };
    const char *name, *mac;

    (void)path;
    keyfile_parse(text, len, &keyfile);
    name = keyfile_get(&keyfile, "Link", "Name");
    mac = keyfile_get(&keyfile, "Match", "MACAddress");
    if (!mac)
        mac = keyfile_get(&keyfile, "Match", "PermanentMACAddress");
    if (name && mac)
        net_note_mac(net, name, mac);
}

static void read_cloud(struct net_reader *net, const char *path, const char *text, size_t len)
{
    CLEANUP_NETPLAN struct netplan netplan = { 0 };

    (void)path;
    (void)netplan_parse_cloud(text, len, &netplan);
    for (size_t i = 0; i < netplan.n; i++) {
        const struct netplan_ethernet *ethernet = &netplan.ethernets[i];

        if (ethernet->is_software)
            continue;
        net_note_mac(net, *ethernet->set_name ? ethernet->set_name : ethernet->id,
                     ethernet->match_mac);
    }
}

/* nameif(8): "eth0 00:50:56:aa:bb:cc", BusyBox also "eth0 mac=..."; iftab(5): "eth0 mac 00:50...".
 */
static void read_table(struct net_reader *net, const char *path)
{
    CLEANUP_FREE char *text = NULL;
    size_t len = 0, pos = 0;
    struct span line, words[3];

    text = linux_read(net->root, path, &len);
    while (text && line_next(text, len, &pos, &line)) {
        size_t n = fields_split(text, &line, words, ARRAY_SIZE(words));
        CLEANUP_FREE char *name = n > 1 ? span_dup(text, words[0]) : NULL;
        CLEANUP_FREE char *mac = n > 1 ? span_dup(text, words[n - 1]) : NULL;

        if (name)
            net_note_mac(net, name, mac + (strncmp(mac, "mac=", 4) == 0 ? 4 : 0));
    }
}

/* What kudzu (EL5) found: blocks between lines of "-", in any order of "key: value" lines. */
static void read_hwconf(struct net_reader *net)
{
    CLEANUP_FREE char *text = NULL, *name = NULL, *mac = NULL;
    size_t len = 0, pos = 0;
    struct span line, words[3];
    bool more;

    text = linux_read(net->root, "/etc/sysconfig/hwconf", &len);
    do {
        size_t n = 0;

        more = text && line_next(text, len, &pos, &line);
        if (more)
            n = fields_split(text, &line, words, ARRAY_SIZE(words));
        if (!more || (n == 1 && span_is(text, words[0], "-"))) {
            if (name && mac)
                net_note_mac(net, name, mac);
            free(name);
            free(mac);
            name = mac = NULL;
        } else if (n == 2 && span_is(text, words[0], "device:")) {
            free(name);
            name = span_dup(text, words[1]);
        } else if (n == 2 && span_is(text, words[0], "network.hwaddr:")) {
            free(mac);
            mac = span_dup(text, words[1]);
        }
    } while (more);
}

/* ---- DHCP leases ---- */

/* Leases of one client; a file with a packet (dhcpcd) is named after its interface. */
static void read_lease_files(const struct guest_root *root, const char *folder, const char *pattern,
                             bool is_packet, struct leases *leases)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct err err = ERR_NONE;

    if (guest_list(root, folder, &names, &err) < 0)
        return;
    for (size_t i = 0; i < names.n && i < NET_MAX_FILES; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", folder, names.items[i]);
        CLEANUP_FREE char *name = mem_strndup(names.items[i], strcspn(names.items[i], "."));
        CLEANUP_FREE char *text = NULL;
        size_t len = 0;

        if (fnmatch(pattern, names.items[i], FNM_PERIOD) == 0)
            text = linux_read(root, path, &len);
        if (text && is_packet)
            leases_add_dhcpcd(name, text, len, leases);
        else if (text)
            leases_add_dhclient(text, len, leases);
    }
}

static void read_leases(struct net_reader *net)
{
    static const struct {
        const char *folder, *pattern;
        bool is_packet;
    } places[] = {
        { "/var/lib/dhcp", "dhclient*.lease*", false },
        { "/var/lib/dhclient", "dhclient*.lease*", false },
        { "/var/lib/NetworkManager", "dhclient-*.lease*", false },
        { "/var/lib/dhcpcd", "*.lease", true },
    };
    CLEANUP_LEASES struct leases leases = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        read_lease_files(net->root, places[i].folder, places[i].pattern, places[i].is_packet,
                         &leases);
    for (size_t i = 0; i < leases.n; i++)
        net_note_mac(net, leases.items[i].name, leases.items[i].mac);
}

/* From what holds now to what was true once. */
void net_read_names(struct net_reader *net)
{
    static const char *const tables[] = { "/etc/mactab", "/etc/iftab", "/etc/net/iftab" };
    static const struct {
        const char *folder, *pattern;
    } cloud[] = {
        { "/etc/cloud/cloud.cfg.d", "*.cfg" },
        { "/etc/cloud", "cloud.cfg" },
        { "/var/lib/cloud/seed/nocloud", "network-config" },
        { "/var/lib/cloud/seed/nocloud-net", "network-config" },
        { "/var/lib/cloud/instance", "network-config.json" },
    };

    (void)net_each_file(net, "/etc/udev/rules.d", "*.rules", read_rules);
    (void)net_each_file(net, "/etc/systemd/network", "*.link", read_link);
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        read_table(net, tables[i]);
    for (size_t i = 0; i < ARRAY_SIZE(cloud); i++)
        (void)net_each_file(net, cloud[i].folder, cloud[i].pattern, read_cloud);
    read_hwconf(net);
    read_leases(net);
}
