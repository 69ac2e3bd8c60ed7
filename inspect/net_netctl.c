/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* netctl.profile(5): shell assignments in /etc/netctl/PROFILE. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "inspect/linux_net.h"
#include "inspect/shellvars.h"

static bool is_card(const char *kind)
{
    static const char *const kinds[] = { "ethernet", "pppoe", "wireless" };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    return false;
}

/* "BindsToInterfaces=(eth0 eth1)": the array as it is written, on its line. */
static void note_members(struct net_reader *net, const struct shellvars *vars, const char *path,
                         const char *text)
{
    const struct shellvar *var = shellvars_find(vars, "BindsToInterfaces");
    CLEANUP_FREE char *list = NULL;

    if (!var)
        return;
    list = mem_strndup(text + var->at.start, strcspn(text + var->at.start, ")\n"));
    net_note_list(net, list, path);
}

static void read_file(struct net_reader *net, const char *path, const char *text, size_t len)
{
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };
    const char *name, *kind, *address;

    shellvars_parse(text, len, &vars);
    name = shellvars_get(&vars, "Interface");
    kind = shellvars_get(&vars, "Connection");
    address = shellvars_get(&vars, "IP");
    if (!name || !kind)
        return;
    if (is_card(kind))
        net_note(net, name, NULL, path, address && strcmp(address, "static") == 0);
    else
        net_note_software(net, name);
    note_members(net, &vars, path, text);
}

bool net_read_netctl(struct net_reader *net)
{
    return net_each_file(net, "/etc/netctl", "*", read_file) > 0;
}
