/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --nic may say that a card has another address in the new machine. Configuration that finds the
 * card by its old address would apply to nothing; what gives the card an address (MACADDR,
 * cloned-mac-address ...) stays.
 */
#include <ctype.h>
#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/naming_files.h"
#include "fixers/linux/network.h"

#define MAC_TEXT 17 /* "00:50:56:aa:bb:cc" */

static bool is_mac_at(const char *text, size_t start, size_t at, size_t end)
{
    if (end - at < MAC_TEXT ||
        (at > start && (isxdigit((unsigned char)text[at - 1]) || text[at - 1] == ':')) ||
        (end - at > MAC_TEXT &&
         (isxdigit((unsigned char)text[at + MAC_TEXT]) || text[at + MAC_TEXT] == ':')))
        return false;
    for (size_t i = 0; i < MAC_TEXT; i++)
        if (i % 3 == 2 ? text[at + i] != ':' && text[at + i] != '-'
                       : !isxdigit((unsigned char)text[at + i]))
            return false;
    return true;
}

static bool same_mac(const char *a, const char *b)
{
    for (size_t i = 0; i < MAC_TEXT; i++)
        if (i % 3 != 2 && tolower((unsigned char)a[i]) != tolower((unsigned char)b[i]))
            return false;
    return true;
}

/* The interface whose old address this is, and that has another one now. When several claim the
 * address it is nobody's. */
static const struct kept *find(const struct network *network, const char *mac)
{
    const struct kept *found = NULL;

    for (size_t i = 0; i < network->n; i++) {
        const struct kept *kept = &network->kept[i];

        if (strlen(kept->old_mac) != MAC_TEXT || !same_mac(mac, kept->old_mac))
            continue;
        if (found)
            return NULL;
        found = kept;
    }
    return found && *found->mac && strcasecmp(found->mac, found->old_mac) != 0 ? found : NULL;
}

/* The new address with the separators and letters of the old one. */
static char *spell(const char *mac, const char *like)
{
    char *text = mem_strndup(mac, MAC_TEXT);
    bool is_upper = false;

    for (size_t i = 0; i < MAC_TEXT; i++)
        is_upper |= isupper((unsigned char)like[i]);
    for (size_t i = 0; text[i]; i++) {
        if (i % 3 == 2)
            text[i] = like[i];
        else if (is_upper)
            text[i] = (char)toupper((unsigned char)text[i]);
    }
    return text;
}

/* Lines that are no condition: comments, and addresses that the card is to have. */
static bool stays(const char *text, const struct span *line)
{
    static const char *const keys[] = { "cloned-mac-address", "MACADDR", "LLADDR", "hwaddress" };
    CLEANUP_FREE char *copy = span_dup(text, *line);
    const char *first = copy + strspn(copy, " \t");

    if (*first == '#' || *first == ';')
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (strncmp(first, keys[i], strlen(keys[i])) == 0 &&
            !isalnum((unsigned char)first[strlen(keys[i])]))
            return true;
    return false;
}

static int swap(struct network *network, const char *path, const char *text, void *arg)
{
    const char *section = arg; /* whose lines alone are meant; NULL: all */
    CLEANUP_EDITS struct edits edits = { 0 };
    CLEANUP_FREE char *fixed = NULL, *reason = NULL;
    const struct kept *first = NULL;
    size_t pos = 0, len = strlen(text);
    bool in_section = !section;
    struct span line;

    while (line_next(text, len, &pos, &line)) {
        size_t end = line.start + line.len;

        if (section && line.len > 0 && text[line.start] == '[')
            in_section = strncmp(text + line.start, section, strlen(section)) == 0;
        if (!in_section || stays(text, &line))
            continue;
        for (size_t at = line.start; at < end; at++) {
            const struct kept *kept =
                is_mac_at(text, line.start, at, end) ? find(network, text + at) : NULL;
            CLEANUP_FREE char *mac = kept ? spell(kept->mac, text + at) : NULL;

            if (!kept)
                continue;
            edits_add(&edits, (struct span){ at, MAC_TEXT }, mac);
            first = first ? first : kept;
            at += MAC_TEXT - 1;
        }
    }
    if (!first)
        return 0;
    fixed = edits_apply(&edits, text, len, NULL);
    reason = mem_printf("the card of %s has another address now (--nic)", first->name);
    plan_write(network->plan, path, fixed, reason);
    return 0;
}

/* Files and folders that have the address in their name. */
static int note_names(struct network *network, const char *dir, const char *pattern,
                      size_t mac_digits, struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };

    if (!guest_is_dir(network->plan->root, dir))
        return 0;
    if (guest_list(network->plan->root, dir, &names, err) < 0)
        return -err->code;
    for (size_t i = 0; i < names.n; i++) {
        for (size_t k = 0; k < network->n; k++) {
            const struct kept *kept = &network->kept[k];
            CLEANUP_FREE char *mac = mem_strdup(kept->old_mac);
            size_t out = 0;

            if (!*kept->mac || !*mac || strcasecmp(kept->mac, mac) == 0)
                continue;
            for (size_t c = 0; mac[c]; c++)
                if (mac_digits == MAC_TEXT || c % 3 != 2)
                    mac[out++] = mac[c];
            mac[out] = '\0';
            if (fnmatch(pattern, names.items[i], 0) == 0 && strcasestr(names.items[i], mac))
                plan_note(network->plan,
                          "%s/%s is for the old address of %s: rename it for the new one", dir,
                          names.items[i], kept->name);
        }
    }
    return 0;
}

int network_new_macs(struct network *network, struct err *err)
{
    static char match[] = "[Match]";
    static const struct {
        const char *dir, *pattern;
        char *section;
    } places[] = {
        { "/etc/sysconfig/network-scripts", "ifcfg-*", NULL },
        { "/etc/sysconfig/network", "ifcfg-*", NULL },
        { "/etc/NetworkManager/system-connections", "*", NULL },
        { "/etc/netplan", "*.yaml", NULL },
        { "/etc/udev/rules.d", "*.rules", NULL },
        { "/etc/wicked/ifconfig", "*.xml", NULL },
        { "/etc/cloud", "cloud.cfg", NULL },
        { "/etc/cloud/cloud.cfg.d", "*.cfg", NULL },
        { "/var/lib/cloud/seed/nocloud", "network-config", NULL },
        { "/var/lib/cloud/seed/nocloud-net", "network-config", NULL },
        { "/var/lib/connman", "*.config", NULL },
        { "/etc", "mactab", NULL },
        { "/etc", "iftab", NULL },
        { "/etc/net", "iftab", NULL },
        { NAMING_LINKS, "*.network", match },
        { NAMING_LINKS, "*.link", match },
    };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(places); i++)
        r = network_each_file(network, places[i].dir, places[i].pattern, swap, places[i].section,
                              err);
    if (r >= 0)
        r = note_names(network, "/etc/sysconfig/network", "ifcfg-eth-id-*", MAC_TEXT, err);
    if (r >= 0)
        r = note_names(network, "/var/lib/connman", "ethernet_*", 12, err);
    return r < 0 ? r : 0;
}
