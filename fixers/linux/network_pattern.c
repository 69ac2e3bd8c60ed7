/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configuration for interfaces whose names fit a pattern. */
#include <fnmatch.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/naming_files.h"
#include "fixers/linux/network.h"
#include "inspect/keyfile.h"
#include "inspect/linux_net.h"
#include "inspect/netplan.h"

/* A name of VMware's, Hyper-V's or VirtualBox's cards that fits, when no virtio card's does: enp1s0
 * on a q35 machine. NULL: nothing is to be done. */
static const char *old_name(const char *pattern)
{
    static const char *const names[] = { "ens192", "ens160",  "ens33",       "ens32",
                                         "enp0s3", "enp11s0", "eno16777984", "eno16777736" };

    if (!strpbrk(pattern, "*?[") || *pattern == '!' || fnmatch(pattern, "enp1s0", 0) == 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (fnmatch(pattern, names[i], 0) == 0)
            return names[i];
    return NULL;
}

/* All patterns of one list: one that takes a virtio card is enough. */
static int look(const char *list, const char **ret)
{
    CLEANUP_STRLIST struct strlist words = net_words(list);
    const char *found = NULL;

    for (size_t i = 0; i < words.n; i++) {
        if (fnmatch(words.items[i], "enp1s0", 0) == 0)
            return 0;
        found = found ? found : old_name(words.items[i]);
    }
    *ret = found ? found : *ret;
    return found != NULL;
}

static int look_in_unit(struct network *network, const char *path, const char *text, void *arg)
{
    CLEANUP_KEYFILE struct keyfile keyfile = { 0 };
    const char *names;

    (void)network, (void)path;
    keyfile_parse(text, strlen(text), &keyfile);
    names = keyfile_get(&keyfile, "Match", "Name");
    return names ? look(names, arg) : 0;
}

static int look_in_keyfile(struct network *network, const char *path, const char *text, void *arg)
{
    CLEANUP_KEYFILE struct keyfile keyfile = { 0 };
    const char *names;

    (void)network, (void)path;
    keyfile_parse(text, strlen(text), &keyfile);
    names = keyfile_get(&keyfile, "match", "interface-name");
    return names ? look(names, arg) : 0;
}

static int look_in_netplan(struct network *network, const char *path, const char *text, void *arg)
{
    CLEANUP_NETPLAN struct netplan netplan = { 0 };
    int found = 0;

    (void)network, (void)path;
    (void)netplan_parse(text, strlen(text), &netplan);
    for (size_t i = 0; found == 0 && i < netplan.n; i++)
        found = look(netplan.ethernets[i].match_name, arg);
    return found;
}

int network_pattern(struct network *network, const char **ret, struct err *err)
{
    static const struct {
        const char *dir, *pattern;
        network_file_fn fn;
    } places[] = {
        { NAMING_LINKS, "*.network", look_in_unit },
        { "/etc/netplan", "*.yaml", look_in_netplan },
        { "/etc/NetworkManager/system-connections", "*", look_in_keyfile },
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(places); i++)
        r = network_each_file(network, places[i].dir, places[i].pattern, places[i].fn, ret, err);
    return r;
}
