/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /etc/network/interfaces: Debian, Alpine (BusyBox, ifupdown-ng) and Proxmox. */
#include <fnmatch.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "inspect/ifupdown.h"
#include "inspect/linux_net.h"

/* "source" takes a pattern, whose last part alone may have wildcards here. */
static void add_sources(struct net_reader *net, const char *pattern, struct strlist *paths)
{
    CLEANUP_FREE char *full =
        *pattern == '/' ? mem_strdup(pattern) : mem_printf("/etc/network/%s", pattern);
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct err err = ERR_NONE;
    char *slash = strrchr(full, '/');

    *slash = '\0';
    if (guest_list(net->root, full, &names, &err) < 0)
        return;
    for (size_t i = 0; i < names.n && paths->n < NET_MAX_FILES; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", full, names.items[i]);

        if (fnmatch(slash + 1, names.items[i], FNM_PERIOD) == 0 && !strlist_has(paths, path))
            strlist_add(paths, path);
    }
}

/* What a bridge, bond or VLAN is made of is named there, often without a stanza of its own. */
static void note_iface(struct net_reader *net, const struct ifupdown_iface *iface, const char *path)
{
    for (size_t i = 0; i < iface->ports.n; i++)
        net_note(net, iface->ports.items[i], NULL, path, false);
    if (iface->is_software)
        net_note_software(net, iface->name);
    else if (!*iface->master) /* until a line "auto" is found, in whatever file */
        net_note_stopped(net, iface->name, iface->hwaddress, path,
                         strcmp(iface->method, "static") == 0);
    else
        net_note(net, iface->name, iface->hwaddress, path, strcmp(iface->method, "static") == 0);
    if (*iface->master)
        net_note_software(net, iface->master);
}

/* Returns whether some interface besides the loopback is there; adds what it leads to, and what is
 * started. */
static bool read_one(struct net_reader *net, const char *path, struct strlist *paths,
                     struct strlist *autos)
{
    size_t len = 0;
    CLEANUP_FREE char *text = linux_read(net->root, path, &len);
    CLEANUP_IFUPDOWN struct ifupdown ifupdown = { 0 };
    bool is_used = false;

    if (!text)
        return false;
    ifupdown_parse(text, len, &ifupdown);
    for (size_t i = 0; i < ifupdown.n; i++) {
        is_used |= strcmp(ifupdown.ifaces[i].name, "lo") != 0;
        note_iface(net, &ifupdown.ifaces[i], path);
    }
    for (size_t i = 0; i < ifupdown.autos.n && autos->n < NET_MAX_FILES; i++)
        strlist_add(autos, ifupdown.autos.items[i]);
    for (size_t i = 0; i < ifupdown.sources.n; i++)
        add_sources(net, ifupdown.sources.items[i], paths);
    for (size_t i = 0; i < ifupdown.source_dirs.n; i++) {
        CLEANUP_FREE char *all = mem_printf("%s/*", ifupdown.source_dirs.items[i]);

        add_sources(net, all, paths);
    }
    return is_used;
}

bool net_read_ifupdown(struct net_reader *net)
{
    CLEANUP_STRLIST struct strlist paths = { 0 }, autos = { 0 };
    bool is_used = false;

    strlist_add(&paths, "/etc/network/interfaces");
    for (size_t i = 0; i < paths.n; i++) {
        CLEANUP_FREE char *path = mem_strdup(paths.items[i]); /* the list grows */

        is_used |= read_one(net, path, &paths, &autos);
    }
    for (size_t i = 0; i < autos.n; i++)
        net_note_started(net, autos.items[i]);
    return is_used &&
           (guest_exists(net->root, "/sbin/ifup") || guest_exists(net->root, "/usr/sbin/ifup"));
}
