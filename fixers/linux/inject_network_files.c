/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where an interface has one place: its lines are replaced, everything else there stays. */
#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/inject_network.h"
#include "inspect/fields.h"
#include "inspect/ifupdown.h"
#include "inspect/shellvars.h"

/* ---- ifcfg files of RHEL ---- */

/* Variables that say how it gets its addresses. */
static const char *const address_variables[] = {
    "BOOTPROTO", "DHCPV6C", "DNS[0-9]*", "DOMAIN", "GATEWAY*",
    "IPADDR*",   "IPV6*",   "NETMASK*",  "ONBOOT", "PREFIX*",
};

static void add_ip4(const struct inject_nic *nic, struct strbuf *text)
{
    unsigned n = 0;

    for (size_t i = 0; i < nic->addresses.n; i++) {
        const char *address = nic->addresses.items[i];
        int len = (int)strcspn(address, "/");
        char number[16] = "";

        if (inject_is_ip6(address))
            continue;
        if (n > 0)
            (void)snprintf(number, sizeof(number), "%u", n);
        strbuf_printf(text, "IPADDR%s=%.*s\nPREFIX%s=%s\n", number, len, address, number,
                      address + len + 1);
        n++;
    }
}

static void add_ip6(const struct inject_nic *nic, struct strbuf *text)
{
    CLEANUP_STRLIST struct strlist more = { 0 };
    const char *first = NULL;

    for (size_t i = 0; i < nic->addresses.n; i++) {
        if (!inject_is_ip6(nic->addresses.items[i]))
            continue;
        if (first)
            strlist_add(&more, nic->addresses.items[i]);
        else
            first = nic->addresses.items[i];
    }
    if (first)
        strbuf_printf(text, "IPV6INIT=yes\nIPV6ADDR=%s\n", first);
    inject_put_joined(text, "IPV6ADDR_SECONDARIES=\"", &more, " ", "\"\n");
}

int inject_write_ifcfg(const struct inject_nic *nic, const char *old, struct strbuf *text,
                       struct err *err)
{
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };
    static const char *const parts[] = { "MASTER", "SLAVE", "BRIDGE", "TEAM_MASTER" };

    shellvars_parse(old, strlen(old), &vars);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (shellvars_get(&vars, parts[i]))
            return err_status(err, STATUS_USAGE, "%s is part of a bond, team or bridge", nic->name);
    if (*old)
        inject_keep_others(old, address_variables, ARRAY_SIZE(address_variables), text);
    else
        strbuf_printf(text, "DEVICE=%s\nTYPE=Ethernet\n", nic->name);
    strbuf_printf(text, "ONBOOT=yes\nBOOTPROTO=%s\n", nic->dhcp ? "dhcp" : "none");
    add_ip4(nic, text);
    add_ip6(nic, text);
    for (size_t i = 0; i < nic->gateways.n; i++)
        strbuf_printf(text, "%s=%s\n",
                      inject_is_ip6(nic->gateways.items[i]) ? "IPV6_DEFAULTGW" : "GATEWAY",
                      nic->gateways.items[i]);
    for (size_t i = 0; i < nic->dns.n; i++)
        strbuf_printf(text, "DNS%zu=%s\n", i + 1, nic->dns.items[i]);
    inject_put_joined(text, "DOMAIN=\"", &nic->search, " ", "\"\n");
    return 0;
}

/* ---- interfaces(5) ---- */

/* Does a new stanza or a line of its own begin here? */
static bool begins_stanza(const char *text, struct span word)
{
    static const char *const words[] = { "auto",       "iface",  "mapping", "no-auto-down",
                                         "no-scripts", "rename", "source",  "source-directory" };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (span_is(text, word, words[i]))
            return true;
    return word.len > 6 && strncmp(text + word.start, "allow-", 6) == 0;
}

/* Everything but the stanzas of @name and a line that starts it alone. */
static void keep_other_stanzas(const char *old, const char *name, struct strbuf *text)
{
    bool is_its = false;
    struct span line, words[3];
    size_t pos = 0;

    while (line_next(old, strlen(old), &pos, &line)) {
        size_t n = fields_split(old, &line, words, ARRAY_SIZE(words));
        bool is_auto = n == 2 && span_is(old, words[0], "auto") && span_is(old, words[1], name);

        if (n > 0 && begins_stanza(old, words[0]))
            is_its = n > 1 && span_is(old, words[0], "iface") && span_is(old, words[1], name);
        if (is_auto || (is_its && n > 0))
            continue;
        strbuf_add(text, old + line.start, line.len);
        strbuf_putc(text, '\n');
    }
    while (text->len > 1 && text->data[text->len - 1] == '\n' && text->data[text->len - 2] == '\n')
        text->data[--text->len] = '\0';
}

/* Further addresses of a family are stanzas of their own. */
static void add_stanzas(const struct inject_nic *nic, bool is_ip6, struct strbuf *text)
{
    bool first = true;

    for (size_t i = 0; i < nic->addresses.n; i++) {
        if (inject_is_ip6(nic->addresses.items[i]) != is_ip6)
            continue;
        strbuf_printf(text, "iface %s %s static\n    address %s\n", nic->name,
                      is_ip6 ? "inet6" : "inet", nic->addresses.items[i]);
        for (size_t g = 0; first && g < nic->gateways.n; g++)
            if (inject_is_ip6(nic->gateways.items[g]) == is_ip6)
                strbuf_printf(text, "    gateway %s\n", nic->gateways.items[g]);
        first = false;
    }
}

int inject_write_ifupdown(const struct inject_nic *nic, const char *old, struct strbuf *text,
                          struct err *err)
{
    CLEANUP_IFUPDOWN struct ifupdown parsed = { 0 };

    ifupdown_parse(old, strlen(old), &parsed);
    for (size_t i = 0; i < parsed.n; i++)
        if ((strcmp(parsed.ifaces[i].name, nic->name) == 0 &&
             (parsed.ifaces[i].is_software || parsed.ifaces[i].master[0])) ||
            strlist_has(&parsed.ifaces[i].ports, nic->name))
            return err_status(err, STATUS_USAGE, "%s is, or is part of, a bond, bridge or VLAN",
                              nic->name);
    keep_other_stanzas(old, nic->name, text);
    ifupdown_done(&parsed);
    ifupdown_parse(strbuf_text(text), text->len, &parsed);
    strbuf_puts(text, text->len ? "\n" : "");
    if (!strlist_has(&parsed.autos, nic->name))
        strbuf_printf(text, "auto %s\n", nic->name);
    if (nic->dhcp)
        strbuf_printf(text, "iface %s inet dhcp\n", nic->name);
    add_stanzas(nic, false, text);
    add_stanzas(nic, true, text);
    inject_put_joined(text, "    dns-nameservers ", &nic->dns, " ", "\n");
    inject_put_joined(text, "    dns-search ", &nic->search, " ", "\n");
    return 0;
}

/* Where no program takes them from the stanza, they have no effect there. */
int inject_also_ifupdown(const struct inject_place *place, struct err *err)
{
    static const char *const programs[] = { "/sbin/resolvconf", "/usr/sbin/resolvconf",
                                            "/etc/network/if-up.d/resolved" };

    for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
        if (plan_exists(place->plan, programs[i]))
            return 0;
    return inject_resolv_conf(place, err);
}
