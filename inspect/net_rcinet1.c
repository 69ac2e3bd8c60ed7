/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Slackware's /etc/rc.d/rc.inet1.conf (rc.inet1.conf(5)): NAME[index]="value". Without IFNAME[n] it
 * is about eth0, eth1 ...
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "inspect/fields.h"
#include "inspect/linux_net.h"

#define FILE_PATH "/etc/rc.d/rc.inet1.conf"
#define MAX_INDEX 32

struct slot {
    char *name;   /* IFNAME; NULL: the kernel's */
    char *parts;  /* BRNICS: it is a bridge of these */
    bool is_used; /* has an address or asks for one */
    bool is_static;
};

static void take(struct slot *slot, const char *key, char *value)
{
    CLEANUP_FREE char *owned = value;
    bool is_address = strcmp(key, "IPADDR") == 0 || strcmp(key, "IPADDRS") == 0;

    if (!*value)
        return;
    if (strcmp(key, "IFNAME") == 0) {
        free(slot->name);
        slot->name = TAKE(owned);
    } else if (strcmp(key, "BRNICS") == 0) {
        free(slot->parts);
        slot->parts = TAKE(owned);
    } else if (is_address || (strcmp(key, "USE_DHCP") == 0 && strcasecmp(value, "yes") == 0)) {
        slot->is_used = true;
        slot->is_static |= is_address;
    }
}

static void read_line(struct slot *slots, const char *line)
{
    size_t len = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    CLEANUP_FREE char *key = mem_strndup(line, len);
    const char *at = line + len;
    size_t index = 0, n_digits = 0;

    if (*at++ != '[')
        return;
    for (; isdigit((unsigned char)*at) && n_digits < 3; at++, n_digits++)
        index = index * 10 + (size_t)(*at - '0');
    if (n_digits == 0 || index >= MAX_INDEX || strncmp(at, "]=", 2) != 0)
        return;
    at += 2;
    if (*at == '"' || *at == '\'') {
        const char quote[] = { *at, '\0' };

        at++;
        take(&slots[index], key, mem_strndup(at, strcspn(at, quote)));
    } else {
        take(&slots[index], key, mem_strndup(at, strcspn(at, " \t#")));
    }
}

static bool note(struct net_reader *net, const struct slot *slot, size_t index)
{
    CLEANUP_FREE char *name = slot->name ? mem_strdup(slot->name) : mem_printf("eth%zu", index);

    if (!slot->is_used)
        return false;
    if (slot->parts) {
        net_note_software(net, name);
        net_note_list(net, slot->parts, FILE_PATH);
    } else {
        net_note(net, name, NULL, FILE_PATH, slot->is_static);
    }
    return true;
}

bool net_read_rcinet1(struct net_reader *net)
{
    struct slot slots[MAX_INDEX] = { 0 };
    CLEANUP_FREE char *text = NULL;
    size_t len = 0, pos = 0;
    bool is_used = false;
    struct span span;

    text = linux_read(net->root, FILE_PATH, &len);
    while (text && line_next(text, len, &pos, &span)) {
        CLEANUP_FREE char *line = span_dup(text, span);

        read_line(slots, line);
    }
    for (size_t i = 0; i < MAX_INDEX; i++) {
        is_used |= note(net, &slots[i], i);
        free(slots[i].name);
        free(slots[i].parts);
    }
    return is_used;
}
