/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Variables of shell, and a keyfile: netctl.profile(5), Gentoo's netifrc, etcnet-options(5) with
 * the files beside them, connman-service.config(5). */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "fixers/linux/inject.h"
#include "fixers/linux/inject_network.h"
#include "fixers/linux/services.h"
#include "inspect/fields.h"
#include "inspect/shellvars.h"

/* The addresses of a kind. */
static struct strlist addresses_of(const struct inject_nic *nic, bool is_ip6)
{
    struct strlist list = { 0 };

    for (size_t i = 0; i < nic->addresses.n; i++)
        if (inject_is_ip6(nic->addresses.items[i]) == is_ip6)
            strlist_add(&list, nic->addresses.items[i]);
    return list;
}

/* ---- netctl: /etc/netctl/PROFILE ---- */

static void put_netctl(const struct inject_nic *nic, bool is_ip6, struct strbuf *text)
{
    CLEANUP_STRLIST struct strlist addresses = addresses_of(nic, is_ip6);
    const char *number = is_ip6 ? "6" : "", *gateway = inject_gateway(nic, is_ip6);
    CLEANUP_FREE char *before = mem_printf("IP%s=static\nAddress%s=('", number, number);

    inject_put_joined(text, before, &addresses, "' '", "')\n");
    if (gateway)
        strbuf_printf(text, "Gateway%s='%s'\n", number, gateway);
}

int inject_write_netctl(const struct inject_nic *nic, const char *old, struct strbuf *text,
                        struct err *err)
{
    static const char *const address_variables[] = { "Address*",  "DHCP6*",   "DNS", "DNSDomain",
                                                     "DNSSearch", "Gateway*", "IP",  "IP6" };

    (void)err;
    if (*old)
        inject_keep_others(old, address_variables, ARRAY_SIZE(address_variables), text);
    else
        strbuf_printf(text, "Interface=%s\nConnection=ethernet\n", nic->name);
    strbuf_puts(text, nic->dhcp ? "IP=dhcp\n" : "");
    put_netctl(nic, false, text);
    put_netctl(nic, true, text);
    inject_put_joined(text, "DNS=('", &nic->dns, "' '", "')\n");
    inject_put_joined(text, "DNSSearch='", &nic->search, " ", "'\n");
    return 0;
}

/* A new profile is not started by being there. */
int inject_also_netctl(const struct inject_place *place, struct err *err)
{
    CLEANUP_FREE char *unit = mem_printf("netctl@%s.service", strrchr(place->path, '/') + 1);

    if (*place->source)
        return 0;
    if (strchr(place->nic->name, '-'))
        return err_status(err, STATUS_USAGE,
                          "%s has no profile of netctl; put one in with \"files\"",
                          place->nic->name);
    return service_change(place->ctx, place->plan, unit, SERVICE_ENABLE, INJECT_REASON, err);
}

/* ---- netifrc: /etc/conf.d/net ---- */

/* What a variable's name can hold of an interface's. */
static char *variable_end(const char *name)
{
    char *end = mem_strdup(name);

    for (char *c = end; *c; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
    return end;
}

int inject_write_netifrc(const struct inject_nic *nic, const char *old, struct strbuf *text,
                         struct err *err)
{
    static const char *const starts[] = { "config_",      "fallback_",   "routes_",
                                          "dns_servers_", "dns_search_", "dns_domain_" };
    CLEANUP_FREE char *end = variable_end(nic->name);
    CLEANUP_STRLIST struct strlist names = { 0 };
    CLEANUP_FREE char *config = mem_printf("config_%s=\"", end);
    CLEANUP_FREE char *routes = mem_printf("routes_%s=\"default via ", end);
    CLEANUP_FREE char *servers = mem_printf("dns_servers_%s=\"", end);
    CLEANUP_FREE char *search = mem_printf("dns_search_%s=\"", end);

    (void)err;
    for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
        strlist_take(&names, mem_printf("%s%s", starts[i], end));
    inject_keep_others(old, (const char *const *)names.items, names.n, text);
    if (nic->dhcp)
        strbuf_printf(text, "%sdhcp\"\n", config);
    inject_put_joined(text, config, &nic->addresses, "\n", "\"\n");
    inject_put_joined(text, routes, &nic->gateways, "\ndefault via ", "\"\n");
    inject_put_joined(text, servers, &nic->dns, " ", "\"\n");
    inject_put_joined(text, search, &nic->search, " ", "\"\n");
    return 0;
}

/* Each interface is a service, whose script is a link. */
int inject_also_netifrc(const struct inject_place *place, struct err *err)
{
    CLEANUP_FREE char *script = mem_printf("/etc/init.d/net.%s", place->nic->name);
    CLEANUP_FREE char *level = mem_printf("/etc/runlevels/default/net.%s", place->nic->name);
    CLEANUP_FREE char *level_now = plan_readlink(place->plan, level);

    (void)err;
    if (!plan_exists(place->plan, "/etc/init.d/net.lo"))
        return 0;
    if (!plan_exists(place->plan, script))
        plan_link(place->plan, "net.lo", script, INJECT_REASON);
    if (!level_now)
        plan_link(place->plan, script, level, INJECT_REASON);
    return 0;
}

/* ---- etcnet: /etc/net/ifaces/NAME ---- */

int inject_write_etcnet(const struct inject_nic *nic, const char *old, struct strbuf *text,
                        struct err *err)
{
    static const char *const address_variables[] = { "BOOTPROTO", "CONFIG_IPV4", "CONFIG_IPV6",
                                                     "DISABLED", "ONBOOT" };
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };
    CLEANUP_STRLIST struct strlist ip6 = addresses_of(nic, true);
    const char *type;

    shellvars_parse(old, strlen(old), &vars);
    type = shellvars_get(&vars, "TYPE");
    if (type && strcmp(type, "eth") != 0)
        return err_status(err, STATUS_USAGE, "%s is of the type %s", nic->name, type);
    inject_keep_others(old, address_variables, ARRAY_SIZE(address_variables), text);
    strbuf_printf(text, "%sONBOOT=yes\nBOOTPROTO=%s\nCONFIG_IPV4=yes\n", type ? "" : "TYPE=eth\n",
                  nic->dhcp ? "dhcp" : "static");
    strbuf_puts(text, ip6.n ? "CONFIG_IPV6=yes\n" : "");
    return 0;
}

/* Lines of a route file but the default routes. */
static void keep_routes(const char *old, struct strbuf *text)
{
    struct span line, words[2];
    size_t pos = 0;

    while (line_next(old, strlen(old), &pos, &line)) {
        if (fields_split(old, &line, words, ARRAY_SIZE(words)) > 0 &&
            (span_is(old, words[0], "default") || span_is(old, words[0], "0.0.0.0/0") ||
             span_is(old, words[0], "::/0")))
            continue;
        strbuf_add(text, old + line.start, line.len);
        strbuf_putc(text, '\n');
    }
}

static int plan_beside(const struct inject_place *place, const char *name, const char *text,
                       bool keeps, struct err *err)
{
    const char *slash = strrchr(place->path, '/');
    CLEANUP_FREE char *path = mem_printf("%.*s/%s", (int)(slash - place->path), place->path, name);
    CLEANUP_STRBUF struct strbuf all = { 0 };
    CLEANUP_FREE char *old = NULL;
    int r = plan_read_text(place->plan, path, &old, err);

    if (r < 0)
        return r;
    if (keeps && r > 0)
        keep_routes(old, &all);
    strbuf_puts(&all, text);
    if (r > 0 || all.len > 0)
        plan_write_new(place->plan, path, strbuf_text(&all), 0644, INJECT_REASON);
    return 0;
}

int inject_also_etcnet(const struct inject_place *place, struct err *err)
{
    static const char *const names[2][2] = { { "ipv4address", "ipv4route" },
                                             { "ipv6address", "ipv6route" } };
    CLEANUP_STRBUF struct strbuf resolv = { 0 };
    int r = 0;

    for (int is_ip6 = 0; r == 0 && is_ip6 < 2; is_ip6++) {
        CLEANUP_STRLIST struct strlist addresses = addresses_of(place->nic, is_ip6);
        const char *gateway = inject_gateway(place->nic, is_ip6);
        CLEANUP_FREE char *route = gateway ? mem_printf("default via %s\n", gateway) : NULL;
        CLEANUP_STRBUF struct strbuf lines = { 0 };

        inject_put_joined(&lines, "", &addresses, "\n", "\n");
        r = plan_beside(place, names[is_ip6][0], strbuf_text(&lines), false, err);
        if (r == 0)
            r = plan_beside(place, names[is_ip6][1], route ? route : "", true, err);
    }
    inject_put_joined(&resolv, "search ", &place->nic->search, " ", "\n");
    inject_put_joined(&resolv, "nameserver ", &place->nic->dns, "\nnameserver ", "\n");
    return r < 0 ? r : plan_beside(place, "resolv.conf", strbuf_text(&resolv), false, err);
}

/* ---- connman: one address of a kind ---- */

int inject_one_address(const struct inject_nic *nic, bool is_ip6, const char *what,
                       const char **ret, struct err *err)
{
    size_t n = 0;

    *ret = NULL;
    for (size_t i = 0; i < nic->addresses.n; i++) {
        if (inject_is_ip6(nic->addresses.items[i]) != is_ip6)
            continue;
        *ret = *ret ? *ret : nic->addresses.items[i];
        n++;
    }
    if (n > 1)
        return err_status(err, STATUS_USAGE, "%s: %s has room for one address of a kind", nic->name,
                          what);
    return 0;
}

char *inject_netmask(const char *address)
{
    uint64_t bits = 0;
    char text[INET_ADDRSTRLEN] = "";
    struct in_addr mask;

    (void)io_parse_u64(strchr(address, '/') + 1, 32, &bits);
    mask.s_addr = htonl(bits ? UINT32_MAX << (32 - bits) : 0);
    (void)inet_ntop(AF_INET, &mask, text, sizeof(text));
    return mem_strdup(text);
}

int inject_write_connman(const struct inject_nic *nic, const char *old, struct strbuf *text,
                         struct err *err)
{
    const char *ip4 = NULL, *ip6 = NULL;
    const char *gateway4 = inject_gateway(nic, false), *gateway6 = inject_gateway(nic, true);
    int r = inject_one_address(nic, false, "connman", &ip4, err);

    (void)old;
    if (r == 0)
        r = inject_one_address(nic, true, "connman", &ip6, err);
    if (r < 0)
        return r;
    strbuf_printf(text, "[service_h2k_%s]\nType=ethernet\nDeviceName=%s\n", nic->name, nic->name);
    if (ip4) {
        CLEANUP_FREE char *mask = inject_netmask(ip4);

        strbuf_printf(text, "IPv4=%.*s/%s%s%s\n", (int)strcspn(ip4, "/"), ip4, mask,
                      gateway4 ? "/" : "", gateway4 ? gateway4 : "");
    } else {
        strbuf_printf(text, "IPv4=%s\n", nic->dhcp ? "dhcp" : "off");
    }
    if (ip6)
        strbuf_printf(text, "IPv6=%s%s%s\n", ip6, gateway6 ? "/" : "", gateway6 ? gateway6 : "");
    inject_put_joined(text, "Nameservers=", &nic->dns, ",", "\n");
    inject_put_joined(text, "SearchDomains=", &nic->search, ",", "\n");
    return 0;
}
