/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network interfaces that the configuration names, and what binds the names to MAC addresses. */
#include "inspect/linux_net.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"

#define MAX_NICS 256

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

/* "ens*", "!eth0", "en.*" */
static bool is_pattern(const char *name)
{
    return strpbrk(name, "*?[]!/ \\^$|") != NULL;
}

/* Software interfaces have the same name on any hardware. */
static bool is_physical(const char *name)
{
    static const char *const software[] = { "lo",    "br",   "bond", "dummy", "tun",    "tap",
                                            "veth",  "vlan", "wg",   "virbr", "docker", "team",
                                            "vxlan", "ifb",  "sit",  "gre",   "ppp",    "vmbr" };
    /* SUSE's old way to name a file by the card, not by the interface */
    static const char *const cards[] = { "eth-id-", "eth-bus-", "bus-", "id-" };
    size_t len = strcspn(name, "0123456789-_");

    if (*name == '\0')
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(software); i++)
        if (strlen(software[i]) == len && strncmp(name, software[i], len) == 0)
            return false;
    for (size_t i = 0; i < ARRAY_SIZE(cards); i++)
        if (strncmp(name, cards[i], strlen(cards[i])) == 0)
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

/* NULL: it is no card's, or there are too many. */
static struct fact_nic *note(struct net_reader *net, const char *name, const char *mac,
                             const char *source, bool is_static)
{
    CLEANUP_FREE char *base = mem_strndup(name, strcspn(name, ":.@"));
    CLEANUP_FREE char *clean = clean_mac(mac);
    struct fact_nic *nic = find_nic(net->facts, base);

    if (is_pattern(name) || !is_physical(base) || (!nic && net->facts->n_nics >= MAX_NICS))
        return NULL;
    if (!nic) {
        nic = facts_add_nic(net->facts);
        facts_set(&nic->name, base);
        facts_set(&nic->source, source);
    }
    if (nic->mac[0] == '\0')
        facts_set(&nic->mac, clean);
    nic->is_static |= is_static;
    return nic;
}

void net_note(struct net_reader *net, const char *name, const char *mac, const char *source,
              bool is_static)
{
    struct fact_nic *nic = note(net, name, mac, source, is_static);

    if (nic)
        nic->is_started = true;
}

void net_note_stopped(struct net_reader *net, const char *name, const char *mac, const char *source,
                      bool is_static)
{
    (void)note(net, name, mac, source, is_static);
}

void net_note_started(struct net_reader *net, const char *pattern)
{
    const char *plain = pattern + (*pattern == '/');
    CLEANUP_FREE char *base =
        mem_strndup(plain, is_pattern(plain) ? strlen(plain) : strcspn(plain, ":.@"));

    for (size_t i = 0; i < net->facts->n_nics; i++)
        if (fnmatch(base, net->facts->nics[i].name, 0) == 0)
            net->facts->nics[i].is_started = true;
}

void net_note_card(struct net_reader *net, const char *mac, const char *source, bool is_static)
{
    CLEANUP_FREE char *clean = clean_mac(mac);
    struct fact_nic *nic = NULL;

    if (!*clean || net->facts->n_nics >= MAX_NICS)
        return;
    for (size_t i = 0; i < net->facts->n_nics && !nic; i++)
        if (strcmp(net->facts->nics[i].mac, clean) == 0)
            nic = &net->facts->nics[i];
    if (!nic) {
        nic = facts_add_nic(net->facts);
        facts_set(&nic->mac, clean);
        facts_set(&nic->source, source);
    }
    nic->is_static |= is_static;
    nic->is_started = true;
}

void net_note_list(struct net_reader *net, const char *list, const char *source)
{
    CLEANUP_STRLIST struct strlist words = net_words(list);

    for (size_t i = 0; i < words.n; i++)
        net_note(net, words.items[i], NULL, source, false);
}

void net_note_mac(struct net_reader *net, const char *name, const char *mac)
{
    struct fact_nic *nic = find_nic(net->facts, name);
    CLEANUP_FREE char *clean = clean_mac(mac);

    if (nic && nic->mac[0] == '\0')
        facts_set(&nic->mac, clean);
}

void net_note_software(struct net_reader *net, const char *name)
{
    if (*name && net->software.n < MAX_NICS && !strlist_has(&net->software, name))
        strlist_add(&net->software, name);
}

/* Has another interface, with a name, the card that this one is found by? */
static bool has_named(const struct facts *facts, const struct fact_nic *nic)
{
    for (size_t i = 0; i < facts->n_nics; i++)
        if (facts->nics[i].name && *facts->nics[i].name &&
            strcmp(facts->nics[i].mac, nic->mac) == 0)
            return true;
    return false;
}

static bool is_software(const struct net_reader *net, const struct fact_nic *nic)
{
    return strlist_has(&net->software, nic->name);
}

static bool is_any_started(const struct net_reader *net)
{
    for (size_t i = 0; i < net->facts->n_nics; i++)
        if (net->facts->nics[i].is_started && !is_software(net, &net->facts->nics[i]))
            return true;
    return false;
}

/* A bond may be called "lan": only its definition tells. A card may get a name later. */
static void drop_superfluous(struct net_reader *net)
{
    struct facts *facts = net->facts;
    CLEANUP_STRBUF struct strbuf idle = { 0 };
    bool is_one_started = is_any_started(net);
    size_t n = 0;

    for (size_t i = 0; i < facts->n_nics; i++) {
        struct fact_nic *nic = &facts->nics[i];
        bool is_leftover = is_one_started && !nic->is_started && !*nic->mac;

        if (*nic->name && is_leftover && !is_software(net, nic))
            strbuf_printf(&idle, "%s%s", idle.len ? " " : "", nic->name);
        if (*nic->name ? is_software(net, nic) || is_leftover : has_named(facts, nic)) {
            free(nic->name);
            free(nic->mac);
            free(nic->source);
            nic->name = nic->mac = nic->source = NULL;
        }
    }
    for (size_t i = 0; i < facts->n_nics; i++)
        if (facts->nics[i].name)
            facts->nics[n++] = facts->nics[i];
    facts->n_nics = n;
    facts_set(&facts->idle_nics, strbuf_text(&idle));
}

/* ---- texts and files ---- */

struct strlist net_words(const char *text)
{
    static const char between[] = " \t\r\n\"'(),;";
    struct strlist words = { 0 };

    while (*(text += strspn(text, between)) && words.n < MAX_NICS) {
        size_t len = strcspn(text, between);

        strlist_take(&words, mem_strndup(text, len));
        text += len;
    }
    return words;
}

bool net_is_leftover(const char *name)
{
    static const char *const patterns[] = { "*~",       "*.bak",      "*.old",      "*.orig",
                                            "*.save",   "*.rpmsave",  "*.rpmnew",   "*.rpmorig",
                                            "*.swp",    "*.dpkg-old", "*.dpkg-new", "*.dpkg-dist",
                                            "*.pacnew", "*.pacsave" };

    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
        if (fnmatch(patterns[i], name, 0) == 0)
            return true;
    return false;
}

size_t net_each_file(struct net_reader *net, const char *folder, const char *pattern,
                     net_file_fn fn)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct err err = ERR_NONE;
    size_t n = 0;

    if (guest_list(net->root, folder, &names, &err) < 0)
        return 0;
    for (size_t i = 0; i < names.n && n < NET_MAX_FILES; i++) {
        CLEANUP_FREE char *path = NULL;
        CLEANUP_FREE char *text = NULL;
        size_t len = 0;

        if (fnmatch(pattern, names.items[i], FNM_PERIOD) != 0 || net_is_leftover(names.items[i]))
            continue;
        path = mem_printf("%s/%s", folder, names.items[i]);
        text = linux_read(net->root, path, &len);
        if (!text)
            continue;
        fn(net, path, text, len);
        n++;
    }
    return n;
}

/* ---- all of it ---- */

/* The first that knows an interface's card or has its file is believed. */
static const struct {
    const char *name;
    bool (*read)(struct net_reader *net);
} stacks[] = {
    { "netplan", net_read_netplan },   { "ifupdown", net_read_ifupdown },
    { "networkd", net_read_networkd }, { "networkmanager", net_read_networkmanager },
    { "ifcfg", net_read_ifcfg },       { "wicked", net_read_wicked },
    { "dhcpcd", net_read_dhcpcd },     { "connman", net_read_connman },
    { "netctl", net_read_netctl },     { "netifrc", net_read_netifrc },
    { "etcnet", net_read_etcnet },     { "rcinet1", net_read_rcinet1 },
};

void linux_net(const struct guest_root *root, struct facts *facts)
{
    struct net_reader net = { .root = root, .facts = facts };
    CLEANUP_STRBUF struct strbuf list = { 0 };

    net_read_times(&net);
    for (size_t i = 0; i < ARRAY_SIZE(stacks); i++)
        if (stacks[i].read(&net))
            strbuf_printf(&list, "%s%s", list.len ? "," : "", stacks[i].name);
    facts_set(&facts->network_stack, strbuf_text(&list));
    net_read_names(&net);
    drop_superfluous(&net);
    strlist_done(&net.software);
    keyfile_done(&net.times);
}
