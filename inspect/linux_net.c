/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network interfaces that the configuration names, and what binds the names to MAC addresses. */
#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/ifupdown.h"
#include "inspect/keyfile.h"
#include "inspect/leases.h"
#include "inspect/linux.h"
#include "inspect/netplan.h"
#include "inspect/shellvars.h"
#include "inspect/udev_rules.h"

#define MAX_NICS 256
#define MAX_FILES 256 /* of one folder, and of what `source` lines lead to */

/* ---- the list of interfaces ---- */

/* "00-50-56-AA-BB-CC" -> "00:50:56:aa:bb:cc"; "" when it is no MAC address. Free it. */
static char *clean_mac(const char *mac)
{
    char out[18];

    if (!mac || strlen(mac) != 17)
        return mem_strdup("");
    for (size_t i = 0; i < 17; i++) {
        bool is_separator = i % 3 == 2;

        if (is_separator ? mac[i] != ':' && mac[i] != '-' : !isxdigit((unsigned char)mac[i]))
            return mem_strdup("");
        out[i] = ':';
        if (!is_separator)
            out[i] = (char)tolower((unsigned char)mac[i]);
    }
    out[17] = '\0';
    return mem_strdup(out);
}

/* Software interfaces have the same name on any hardware. */
static bool is_physical(const char *name)
{
    static const char *const software[] = { "lo",    "br",   "bond", "dummy", "tun",    "tap",
                                            "veth",  "vlan", "wg",   "virbr", "docker", "team",
                                            "vxlan", "ifb",  "sit",  "gre",   "ppp" };
    size_t len = strcspn(name, "0123456789-_");

    if (*name == '\0' || strpbrk(name, "*?[!/ "))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(software); i++)
        if (strlen(software[i]) == len && strncmp(name, software[i], len) == 0)
            return false;
    return true;
}

static struct fact_nic *find_nic(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->n_nics; i++)
        if (strcmp(facts->nics[i].name, name) == 0)
            return &facts->nics[i];
    return NULL;
}

/* Add the interface, or what is new about it. Aliases ("ens192:0") and VLANs ("ens192.10") rely on
 * the name in front. */
static void note_nic(struct facts *facts, const char *name, const char *mac, const char *source,
                     bool is_static)
{
    CLEANUP_FREE char *base = mem_strndup(name, strcspn(name, ":.@"));
    CLEANUP_FREE char *clean = clean_mac(mac);
    struct fact_nic *nic = find_nic(facts, base);

    if (!is_physical(base) || (!nic && facts->n_nics >= MAX_NICS))
        return;
    if (!nic) {
        nic = facts_add_nic(facts);
        facts_set(&nic->name, base);
        facts_set(&nic->source, source);
    }
    if (nic->mac[0] == '\0')
        facts_set(&nic->mac, clean);
    nic->is_static |= is_static;
}

/* Fill the MAC address of an interface that is known already. */
static void note_mac(struct facts *facts, const char *name, const char *mac)
{
    struct fact_nic *nic = find_nic(facts, name);
    CLEANUP_FREE char *clean = clean_mac(mac);

    if (nic && nic->mac[0] == '\0')
        facts_set(&nic->mac, clean);
}

static void add_stack(struct facts *facts, const char *name)
{
    char *list =
        mem_printf("%s%s%s", facts->network_stack, facts->network_stack[0] ? "," : "", name);

    free(facts->network_stack);
    facts->network_stack = list;
}

/* ---- files of a folder ---- */

typedef void (*file_fn)(const char *path, const char *text, size_t len, struct facts *facts);

/* Call @fn for each file of @folder whose name matches @pattern. Returns how many there were. */
static size_t each_file(const struct guest_root *root, const char *folder, const char *pattern,
                        file_fn fn, struct facts *facts)
{
    struct strlist names CLEANUP_STRLIST = { 0 };
    struct err err = ERR_NONE;
    size_t n = 0;

    if (guest_list(root, folder, &names, &err) < 0)
        return 0;
    for (size_t i = 0; i < names.n && n < MAX_FILES; i++) {
        CLEANUP_FREE char *path = NULL;
        CLEANUP_FREE char *text = NULL;
        size_t len = 0;

        if (fnmatch(pattern, names.items[i], FNM_PERIOD) != 0)
            continue;
        path = mem_printf("%s/%s", folder, names.items[i]);
        text = linux_read(root, path, &len);
        if (!text)
            continue;
        fn(path, text, len, facts);
        n++;
    }
    return n;
}

/* ---- ifupdown ---- */

struct pending {
    struct strlist paths; /* files to read; grows while it is worked through */
};

/* "source" takes a pattern, whose last part alone may have wildcards here. */
static void add_sources(const struct guest_root *root, const char *pattern, struct pending *pending)
{
    CLEANUP_FREE char *full =
        *pattern == '/' ? mem_strdup(pattern) : mem_printf("/etc/network/%s", pattern);
    struct strlist names CLEANUP_STRLIST = { 0 };
    struct err err = ERR_NONE;
    char *slash = strrchr(full, '/');

    *slash = '\0';
    if (guest_list(root, full, &names, &err) < 0)
        return;
    for (size_t i = 0; i < names.n && pending->paths.n < MAX_FILES; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", full, names.items[i]);

        if (fnmatch(slash + 1, names.items[i], FNM_PERIOD) == 0 &&
            !strlist_has(&pending->paths, path))
            strlist_add(&pending->paths, path);
    }
}

/* What a bridge, bond or VLAN is made of is named there, often without a stanza of its own. */
static void note_ifupdown(struct facts *facts, const struct ifupdown_iface *iface, const char *path)
{
    for (size_t i = 0; i < iface->ports.n; i++)
        if (strcmp(iface->ports.items[i], "none") != 0)
            note_nic(facts, iface->ports.items[i], NULL, path, false);
    if (iface->ports.n == 0)
        note_nic(facts, iface->name, iface->hwaddress, path, strcmp(iface->method, "static") == 0);
}

static void read_ifupdown(const struct guest_root *root, struct facts *facts)
{
    struct pending pending = { 0 };
    bool is_used = false;

    strlist_add(&pending.paths, "/etc/network/interfaces");
    for (size_t i = 0; i < pending.paths.n; i++) {
        size_t len = 0;
        CLEANUP_FREE char *text = linux_read(root, pending.paths.items[i], &len);
        struct ifupdown ifupdown CLEANUP_IFUPDOWN = { 0 };

        if (!text)
            continue;
        ifupdown_parse(text, len, &ifupdown);
        for (size_t k = 0; k < ifupdown.n; k++) {
            is_used |= strcmp(ifupdown.ifaces[k].name, "lo") != 0;
            note_ifupdown(facts, &ifupdown.ifaces[k], pending.paths.items[i]);
        }
        for (size_t k = 0; k < ifupdown.sources.n; k++)
            add_sources(root, ifupdown.sources.items[k], &pending);
        for (size_t k = 0; k < ifupdown.source_dirs.n; k++) {
            CLEANUP_FREE char *all = mem_printf("%s/*", ifupdown.source_dirs.items[k]);

            add_sources(root, all, &pending);
        }
    }
    strlist_done(&pending.paths);
    if (is_used && (guest_exists(root, "/sbin/ifup") || guest_exists(root, "/usr/sbin/ifup")))
        add_stack(facts, "ifupdown");
}

/* ---- systemd-networkd ---- */

static void read_network_unit(const char *path, const char *text, size_t len, struct facts *facts)
{
    struct keyfile keyfile CLEANUP_KEYFILE;
    const char *names, *mac;
    bool is_static;

    keyfile_parse(text, len, &keyfile);
    names = keyfile_get(&keyfile, "Match", "Name");
    mac = keyfile_get(&keyfile, "Match", "MACAddress");
    is_static =
        keyfile_get(&keyfile, "Network", "Address") || keyfile_get(&keyfile, "Address", "Address");
    while (names && *names) {
        size_t word = strcspn(names, " \t");
        CLEANUP_FREE char *name = mem_strndup(names, word);

        note_nic(facts, name, mac, path, is_static);
        names += word + strspn(names + word, " \t");
    }
}

static void read_link_unit(const char *path, const char *text, size_t len, struct facts *facts)
{
    struct keyfile keyfile CLEANUP_KEYFILE;
    const char *name, *mac;

    (void)path;
    keyfile_parse(text, len, &keyfile);
    name = keyfile_get(&keyfile, "Link", "Name");
    mac = keyfile_get(&keyfile, "Match", "MACAddress");
    if (!mac)
        mac = keyfile_get(&keyfile, "Match", "PermanentMACAddress");
    if (name && mac)
        note_mac(facts, name, mac);
}

static void read_networkd(const struct guest_root *root, struct facts *facts)
{
    if (each_file(root, "/etc/systemd/network", "*.network", read_network_unit, facts) > 0)
        add_stack(facts, "networkd");
}

/* ---- netplan ---- */

static void read_netplan_file(const char *path, const char *text, size_t len, struct facts *facts)
{
    struct netplan netplan CLEANUP_NETPLAN = { 0 };

    (void)netplan_parse(text, len, &netplan); /* what came before an error still counts */
    for (size_t i = 0; i < netplan.n; i++) {
        const struct netplan_ethernet *ethernet = &netplan.ethernets[i];
        const char *name = ethernet->set_name[0] ? ethernet->set_name
                           : ethernet->has_match ? ethernet->match_name
                                                 : ethernet->id;

        note_nic(facts, name, ethernet->match_mac, path, ethernet->has_addresses);
    }
}

static void read_netplan(const struct guest_root *root, struct facts *facts)
{
    if (each_file(root, "/etc/netplan", "*.yaml", read_netplan_file, facts) > 0)
        add_stack(facts, "netplan");
}

/* ---- NetworkManager ---- */

static void read_nm_file(const char *path, const char *text, size_t len, struct facts *facts)
{
    struct keyfile keyfile CLEANUP_KEYFILE;
    const char *name, *mac, *method;

    keyfile_parse(text, len, &keyfile);
    name = keyfile_get(&keyfile, "connection", "interface-name");
    mac = keyfile_get(&keyfile, "ethernet", "mac-address");
    if (!mac)
        mac = keyfile_get(&keyfile, "802-3-ethernet", "mac-address");
    method = keyfile_get(&keyfile, "ipv4", "method");
    if (name)
        note_nic(facts, name, mac, path, method && strcmp(method, "manual") == 0);
}

static void read_nm(const struct guest_root *root, struct facts *facts)
{
    size_t n = each_file(root, "/etc/NetworkManager/system-connections", "*", read_nm_file, facts);

    if (n > 0 || guest_exists(root, "/usr/sbin/NetworkManager"))
        add_stack(facts, "networkmanager");
}

/* ---- ifcfg files of Red Hat and SUSE ---- */

static void read_ifcfg_file(const char *path, const char *text, size_t len, struct facts *facts)
{
    struct shellvars vars CLEANUP_SHELLVARS;
    const char *name, *mac, *protocol;

    shellvars_parse(text, len, &vars);
    name = shellvars_get(&vars, "DEVICE");
    if (!name) /* SUSE has it in the file's name only */
        name = strstr(path, "ifcfg-") + strlen("ifcfg-");
    mac = shellvars_get(&vars, "HWADDR");
    protocol = shellvars_get(&vars, "BOOTPROTO");
    note_nic(facts, name, mac, path,
             shellvars_get(&vars, "IPADDR") != NULL &&
                 (!protocol || strncasecmp(protocol, "dhcp", 4) != 0));
}

static void read_ifcfg(const struct guest_root *root, struct facts *facts)
{
    if (each_file(root, "/etc/sysconfig/network-scripts", "ifcfg-*", read_ifcfg_file, facts) +
            each_file(root, "/etc/sysconfig/network", "ifcfg-*", read_ifcfg_file, facts) >
        0)
        add_stack(facts, "ifcfg");
}

/* ---- names by MAC ---- */

static void read_rules_file(const char *path, const char *text, size_t len, struct facts *facts)
{
    struct udev_names names CLEANUP_UDEV_NAMES;

    (void)path;
    udev_rules_parse(text, len, &names);
    for (size_t i = 0; i < names.n; i++)
        note_mac(facts, names.names[i].name, names.names[i].mac);
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
    for (size_t i = 0; i < names.n && i < MAX_FILES; i++) {
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

/* The last resort: what a lease says was true once, and no rule says otherwise. */
static void read_leases(const struct guest_root *root, struct facts *facts)
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
        read_lease_files(root, places[i].folder, places[i].pattern, places[i].is_packet, &leases);
    for (size_t i = 0; i < leases.n; i++)
        note_mac(facts, leases.items[i].name, leases.items[i].mac);
}

void linux_net(const struct guest_root *root, struct facts *facts)
{
    read_netplan(root, facts);
    read_ifupdown(root, facts);
    read_networkd(root, facts);
    read_nm(root, facts);
    read_ifcfg(root, facts);
    (void)each_file(root, "/etc/udev/rules.d", "*.rules", read_rules_file, facts);
    (void)each_file(root, "/etc/systemd/network", "*.link", read_link_unit, facts);
    read_leases(root, facts);
}
