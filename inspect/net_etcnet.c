/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ALT Linux's /etc/net: a folder for each interface, with `options` in it (etcnet-options(5)). */
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "inspect/linux_net.h"
#include "inspect/shellvars.h"

#define FOLDER "/etc/net/ifaces"

static void read_options(struct net_reader *net, const char *name, const char *path)
{
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };
    CLEANUP_FREE char *text = NULL;
    const char *type, *protocol, *host;
    size_t len = 0;

    text = linux_read(net->root, path, &len);
    if (!text)
        return;
    shellvars_parse(text, len, &vars);
    type = shellvars_get(&vars, "TYPE");
    protocol = shellvars_get(&vars, "BOOTPROTO");
    host = shellvars_get(&vars, "HOST");
    if (type && strcasecmp(type, "eth") != 0)
        net_note_software(net, name);
    else
        net_note(net, name, NULL, path, protocol && strcasecmp(protocol, "static") == 0);
    if (host)
        net_note_list(net, host, path);
}

bool net_read_etcnet(struct net_reader *net)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct err err = ERR_NONE;
    bool is_used = false;

    if (guest_list(net->root, FOLDER, &names, &err) < 0)
        return false;
    for (size_t i = 0; i < names.n && i < NET_MAX_FILES; i++) {
        CLEANUP_FREE char *path = mem_printf(FOLDER "/%s/options", names.items[i]);
        static const char *const templates[] = { "default", "unknown", "lo" };
        bool is_template = false;

        for (size_t k = 0; k < ARRAY_SIZE(templates); k++)
            is_template |= strcmp(names.items[i], templates[k]) == 0;
        if (is_template || !guest_is_file(net->root, path))
            continue;
        is_used = true;
        read_options(net, names.items[i], path);
    }
    return is_used;
}
