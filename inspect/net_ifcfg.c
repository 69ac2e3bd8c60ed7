/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ifcfg files. Red Hat: /etc/sysconfig/network-scripts, DEVICE= names the interface and HWADDR= its
 * card (initscripts, sysconfig.txt). SUSE: /etc/sysconfig/network, the file's name does (ifcfg(5)).
 */
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "inspect/linux_net.h"
#include "inspect/shellvars.h"

#define SUSE_FOLDER "/etc/sysconfig/network"
#define BY_CARD "eth-id-" /* and its address: SLES 10 */

/* Variables of an interface that is no card. */
static bool is_software(const struct shellvars *vars)
{
    static const struct {
        const char *name, *value; /* NULL: any */
    } marks[] = {
        { "TYPE", "Bond" },
        { "TYPE", "Bridge" },
        { "TYPE", "Vlan" },
        { "TYPE", "Team" },
        { "TYPE", "Tunnel" },
        { "TYPE", "IPIP" },
        { "TYPE", "GRE" },
        { "TYPE", "OVSBridge" },
        { "TYPE", "OVSBond" },
        { "TYPE", "OVSIntPort" },
        { "DEVICETYPE", "Team" },

        { "BONDING_OPTS", NULL },
        { "BONDING_MASTER", "yes" },
        { "BRIDGE", "yes" },
        { "TEAM_CONFIG", NULL },
        { "TEAM_RUNNER", NULL },
        { "ETHERDEVICE", NULL },
        { "PHYSDEV", NULL },
        { "MACVLAN_DEVICE", NULL },
        { "TUNNEL", NULL },
        { "INTERFACETYPE", "bond" },
        { "INTERFACETYPE", "bridge" },
        { "INTERFACETYPE", "vlan" },
        { "INTERFACETYPE", "dummy" },
        { "OVS_BRIDGE", "yes" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
        const char *value = shellvars_get(vars, marks[i].name);

        if (value && *value && (!marks[i].value || strcasecmp(value, marks[i].value) == 0))
            return true;
    }
    return false;
}

/* What a bond, bridge, team or VLAN is made of, and what a member belongs to. */
static void note_parts(struct net_reader *net, const struct shellvars *vars, const char *path)
{
    static const char *const members[] = { "BONDING_SLAVE", "TEAM_PORT_DEVICE", "BRIDGE_PORTS",
                                           "PHYSDEV",       "ETHERDEVICE",      "MACVLAN_DEVICE" };
    static const char *const masters[] = { "MASTER", "BRIDGE", "TEAM_MASTER", "BONDING_MASTER",
                                           "OVS_BRIDGE" };

    for (size_t i = 0; i < vars->n; i++)
        for (size_t k = 0; k < ARRAY_SIZE(members); k++)
            if (strncmp(vars->vars[i].name, members[k], strlen(members[k])) == 0)
                net_note_list(net, vars->vars[i].value, path);
    for (size_t i = 0; i < ARRAY_SIZE(masters); i++) {
        const char *value = shellvars_get(vars, masters[i]);

        if (value && strcasecmp(value, "yes") != 0 && strcasecmp(value, "no") != 0)
            net_note_software(net, value);
    }
}

static bool is_static(const struct shellvars *vars)
{
    static const char *const names[] = { "IPADDR", "IPADDR0", "IPADDR_0", "IPADDR1", "IPADDR_1" };
    const char *protocol = shellvars_get(vars, "BOOTPROTO");

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (shellvars_get(vars, names[i]))
            return !protocol || strncasecmp(protocol, "dhcp", 4) != 0;
    return false;
}

/* Members are started with what they belong to. */
static bool is_stopped(const struct net_reader *net, const struct shellvars *vars)
{
    static const struct {
        const char *name, *value;
    } marks[] = { { "ONBOOT", "no" }, { "STARTMODE", "manual" }, { "STARTMODE", "off" } };
    static const char *const masters[] = { "MASTER", "BRIDGE", "TEAM_MASTER", "OVS_BRIDGE" };

    for (size_t i = 0; i < ARRAY_SIZE(masters); i++)
        if (shellvars_get(vars, masters[i]))
            return false;
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
        const char *value = shellvars_get(vars, marks[i].name);

        if (value && strcasecmp(value, marks[i].value) == 0)
            return true;
    }
    return net_is_out_of_use(net, shellvars_get(vars, "UUID"));
}

static void read_file(struct net_reader *net, const char *path, const char *text, size_t len)
{
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };
    const char *name, *mac;

    shellvars_parse(text, len, &vars);
    mac = shellvars_get(&vars, "HWADDR");
    name = shellvars_get(&vars, "DEVICE");
    if (!name && strncmp(path, SUSE_FOLDER "/", sizeof(SUSE_FOLDER)) == 0)
        name = path + sizeof(SUSE_FOLDER "/ifcfg-") - 1;
    note_parts(net, &vars, path);
    if (name && is_software(&vars))
        net_note_software(net, name);
    else if (name && strncmp(name, BY_CARD, sizeof(BY_CARD) - 1) == 0)
        net_note_card(net, name + sizeof(BY_CARD) - 1, path, is_static(&vars));
    else if (name && is_stopped(net, &vars))
        net_note_stopped(net, name, mac, path, is_static(&vars));
    else if (name)
        net_note(net, name, mac, path, is_static(&vars));
    else if (mac)
        net_note_card(net, mac, path, is_static(&vars));
}

bool net_read_ifcfg(struct net_reader *net)
{
    return net_each_file(net, "/etc/sysconfig/network-scripts", "ifcfg-*", read_file) +
               net_each_file(net, SUSE_FOLDER, "ifcfg-*", read_file) >
           0;
}
