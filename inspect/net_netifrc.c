/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gentoo's netifrc: /etc/conf.d/net has shell variables whose names end in an interface's. */
#include <ctype.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "inspect/linux_net.h"
#include "inspect/shellvars.h"

#define FILE_PATH "/etc/conf.d/net"

/* "eth0_10" is the VLAN eth0.10: no variable can have a '.' in its name. */
static char *interface_name(const char *part)
{
    const char *under = strrchr(part, '_');

    if (under && under[1] && strspn(under + 1, "0123456789") == strlen(under + 1))
        return mem_strndup(part, (size_t)(under - part));
    return mem_strdup(part);
}

static void read_var(struct net_reader *net, const struct shellvar *var, const char *text)
{
    static const struct {
        const char *prefix;
        bool is_list; /* of what the interface is made of */
    } kinds[] = { { "config_", false }, { "slaves_", true }, { "bridge_", true } };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        size_t len = strlen(kinds[i].prefix);
        CLEANUP_FREE char *name = NULL;

        if (strncmp(var->name, kinds[i].prefix, len) != 0)
            continue;
        name = interface_name(var->name + len);
        if (kinds[i].is_list) {
            net_note_software(net, name);
            net_note_list(net, var->value, FILE_PATH);
        } else {
            /* the first digit behind quotes and parentheses begins an address */
            const char *value = text + var->at.start + strspn(text + var->at.start, "(\"' \t\n");

            net_note(net, name, NULL, FILE_PATH, isdigit((unsigned char)*value));
        }
    }
}

bool net_read_netifrc(struct net_reader *net)
{
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };
    CLEANUP_FREE char *text = NULL;
    size_t len = 0, n = 0;

    text = linux_read(net->root, FILE_PATH, &len);
    if (!text)
        return false;
    shellvars_parse(text, len, &vars);
    for (size_t i = 0; i < vars.n; i++) {
        n += strncmp(vars.vars[i].name, "config_", sizeof("config_") - 1) == 0;
        read_var(net, &vars.vars[i], text);
    }
    return n > 0;
}
