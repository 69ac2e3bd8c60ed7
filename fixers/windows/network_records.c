/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/network_records.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/plan_hive.h"
#include "inspect/windows/facts.h"

void net_record_done(struct net_record *record)
{
    strlist_done(&record->addresses);
    strlist_done(&record->masks);
    strlist_done(&record->gateways);
    strlist_done(&record->metrics);
    strlist_done(&record->addresses6);
    strlist_done(&record->routes6);
    strlist_done(&record->dns);
    strlist_done(&record->wins);
    strlist_done(&record->leftovers);
}

void net_records_done(struct net_records *records)
{
    for (size_t i = 0; i < records->n; i++)
        net_record_done(&records->items[i]);
    free(records->items);
}

/* ---- masks ---- */

/* -1: the bits of the mask are not in one piece. */
static int prefix_of(const char *mask)
{
    struct in_addr addr;
    uint32_t bits;
    int n = 0;

    if (inet_pton(AF_INET, mask, &addr) != 1)
        return -1;
    bits = ntohl(addr.s_addr);
    while (n < 32 && bits & (1U << (31 - n)))
        n++;
    return n < 32 && bits << n != 0 ? -1 : n;
}

static void mask_of(int prefix, char ret[INET_ADDRSTRLEN])
{
    struct in_addr addr = { .s_addr = htonl(prefix > 0 ? ~0U << (32 - prefix) : 0) };

    (void)inet_ntop(AF_INET, &addr, ret, INET_ADDRSTRLEN);
}

/* ---- what was found ---- */

static bool is_address(const char *text)
{
    unsigned char addr[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, text, addr) == 1 || inet_pton(AF_INET6, text, addr) == 1;
}

/* What is no address stays out of scripts. */
static void add_addresses(struct plan *plan, const char *name, const struct strlist *from,
                          struct strlist *to)
{
    for (size_t i = 0; i < from->n; i++) {
        if (is_address(from->items[i]))
            strlist_add(to, from->items[i]);
        else
            plan_note(plan, "%s: \"%.40s\" is no address and is left out", name, from->items[i]);
    }
}

/* Costs of the gateways, in their order; "0" where there are none. */
static void add_metrics(const struct fix_context *ctx, struct plan *plan, const struct win_nic *nic,
                        struct net_record *record)
{
    const struct fact_windows *windows = ctx->facts->windows;
    CLEANUP_STRLIST struct strlist costs = { 0 };
    CLEANUP_FREE char *key = NULL;

    if (windows->control_sets.n > 0) {
        key = mem_printf("%s\\Services\\Tcpip\\Parameters\\Interfaces\\%s",
                         windows->control_sets.items[0], nic->guid);
        (void)plan_hive_list(plan, windows->system_hive, key, "DefaultGatewayMetric", &costs);
    }
    for (size_t i = 0; i < record->gateways.n; i++) {
        const char *cost = i < costs.n ? costs.items[i] : "";

        strlist_add(&record->metrics,
                    *cost && strspn(cost, "0123456789") == strlen(cost) && strlen(cost) < 5 ? cost
                                                                                            : "0");
    }
}

/* "PREFIX GATEWAY METRIC"; what is on the link has the gateway "::". */
static void add_route(struct net_record *record, const char *prefix, const char *gateway,
                      uint32_t metric)
{
    strlist_take(&record->routes6,
                 mem_printf("%s %s %u", prefix, *gateway ? gateway : "::", metric));
}

/* These were checked when they were read: they are made of bytes. */
static void take_ip6(const struct win_nic *nic, struct net_record *record)
{
    for (size_t i = 0; i < nic->addresses6.n; i++)
        strlist_add(&record->addresses6, nic->addresses6.items[i]);
    for (size_t i = 0; i < nic->n_routes6; i++)
        add_route(record, nic->routes6[i].prefix, nic->routes6[i].gateway, nic->routes6[i].metric);
}

static void take_found(const struct fix_context *ctx, struct plan *plan, const struct win_nic *nic,
                       struct net_record *record)
{
    record->guid = nic->guid;
    record->device = nic->device;
    record->suffix = nic->domain;
    record->metric = nic->metric;
    record->dhcp = !nic->is_static;
    for (size_t i = 0; nic->is_static && i < nic->addresses.n && i < nic->masks.n; i++) {
        if (!is_address(nic->addresses.items[i]) || prefix_of(nic->masks.items[i]) < 0) {
            plan_note(plan, "%s: %.40s with the mask %.40s cannot be set again", record->name,
                      nic->addresses.items[i], nic->masks.items[i]);
            continue;
        }
        strlist_add(&record->addresses, nic->addresses.items[i]);
        strlist_add(&record->masks, nic->masks.items[i]);
    }
    if (nic->is_static)
        add_addresses(plan, record->name, &nic->gateways, &record->gateways);
    take_ip6(nic, record);
    add_addresses(plan, record->name, &nic->dns, &record->dns);
    add_addresses(plan, record->name, &nic->dns6, &record->dns);
    add_addresses(plan, record->name, &nic->wins, &record->wins);
    add_metrics(ctx, plan, nic, record);
}

/* ---- what the user wants instead ---- */

const struct inject_nic *net_wanted_for(const struct fix_context *ctx, const char *name)
{
    const struct injections *inject = &ctx->opts->inject;

    for (size_t i = 0; i < inject->n_nics; i++)
        if (strcasecmp(inject->nics[i].name, name) == 0)
            return &inject->nics[i];
    return NULL;
}

static void take_wanted(const struct inject_nic *nic, struct net_record *record)
{
    net_record_done(record);
    record->is_wanted = true;
    record->dhcp = nic->dhcp;
    record->suffix = nic->search.n > 0 ? nic->search.items[0] : "";
    for (size_t i = 0; i < nic->addresses.n; i++) {
        const char *slash = strchr(nic->addresses.items[i], '/');
        char mask[INET_ADDRSTRLEN];

        if (inject_is_ip6(nic->addresses.items[i])) {
            strlist_add(&record->addresses6, nic->addresses.items[i]);
            continue;
        }
        mask_of(slash ? (int)strtol(slash + 1, NULL, 10) : 32, mask);
        strlist_take(&record->addresses,
                     mem_strndup(nic->addresses.items[i], strcspn(nic->addresses.items[i], "/")));
        strlist_add(&record->masks, mask);
    }
    for (size_t i = 0; i < nic->gateways.n; i++) {
        if (inject_is_ip6(nic->gateways.items[i])) {
            add_route(record, "::/0", nic->gateways.items[i], 0);
            continue;
        }
        strlist_add(&record->gateways, nic->gateways.items[i]);
        strlist_add(&record->metrics, "0");
    }
    for (size_t i = 0; i < nic->dns.n; i++)
        strlist_add(&record->dns, nic->dns.items[i]);
}

/* ---- which adapter it will be ---- */

static const char *mac_given(const struct fix_context *ctx, const char *name)
{
    for (size_t i = 0; i < ctx->opts->n_nics; i++)
        if (strcasecmp(ctx->opts->nics[i].name, name) == 0)
            return ctx->opts->nics[i].mac;
    return NULL;
}

static struct net_record *add_record(struct net_records *records, const char *name)
{
    struct net_record *record = mem_add(&records->items, &records->n, sizeof(*record));

    record->name = name;
    record->mac = record->guid = record->device = record->suffix = "";
    return record;
}

/* Adapters that Windows had when it ran last. */
static size_t count_present(const struct fact_windows *windows)
{
    size_t n = 0;

    for (size_t i = 0; i < windows->n_nics; i++)
        n += windows->nics[i].is_present;
    return n;
}

bool net_adapter_stays(const struct win_nic *nic)
{
    return strncasecmp(nic->device, "PCI\\VEN_1AF4&", 13) == 0;
}

/* Has it settings that DHCP does not bring? */
static bool has_settings(const struct win_nic *nic)
{
    return nic->is_static || nic->addresses6.n > 0 || nic->n_routes6 > 0 || nic->dns.n > 0 ||
           nic->dns6.n > 0 || nic->wins.n > 0 || *nic->domain || nic->metric > 0;
}

static bool is_gone(const struct fix_context *ctx, const struct win_nic *nic)
{
    return !nic->is_present && !mac_given(ctx, nic->name) && count_present(ctx->facts->windows) > 0;
}

/* Its addresses are told, unless one that is there has them. */
static void note_gone(const struct fix_context *ctx, struct plan *plan, const struct win_nic *nic)
{
    const struct fact_windows *windows = ctx->facts->windows;
    const struct strlist *list = nic->addresses.n > 0 ? &nic->addresses : &nic->addresses6;

    for (size_t i = 0; i < windows->n_nics; i++)
        if (windows->nics[i].is_present && net_have_same(nic, &windows->nics[i]))
            return;
    if (list->n > 0)
        plan_note(plan,
                  "%s: it was not there when Windows ran last, so %.60s is not set again; if it is "
                  "to be, give --nic \"%s=MAC\"",
                  nic->name, list->items[0], nic->name);
}

static void collect(const struct fix_context *ctx, struct plan *plan, struct net_records *records)
{
    const struct fact_windows *windows = ctx->facts->windows;

    for (size_t i = 0; i < windows->n_nics; i++) {
        const struct win_nic *nic = &windows->nics[i];
        const struct inject_nic *wanted = net_wanted_for(ctx, nic->name);
        const char *mac = mac_given(ctx, nic->name);
        struct net_record *record;

        if (!wanted && (!has_settings(nic) || net_adapter_stays(nic)))
            continue;
        if (!wanted && is_gone(ctx, nic)) {
            note_gone(ctx, plan, nic);
            continue;
        }
        record = add_record(records, nic->name);
        record->mac = mac ? mac : nic->mac;
        record->is_given = mac != NULL;
        record->from = nic;
        take_found(ctx, plan, nic, record);
        if (wanted)
            take_wanted(wanted, record);
    }
    for (size_t i = 0; i < ctx->opts->inject.n_nics; i++) {
        const struct inject_nic *nic = &ctx->opts->inject.nics[i];
        struct net_record *record;
        bool found = false;

        for (size_t n = 0; n < records->n; n++)
            found = found || strcasecmp(records->items[n].name, nic->name) == 0;
        if (found)
            continue;
        record = add_record(records, nic->name);
        record->mac = mac_given(ctx, nic->name);
        record->mac = record->mac ? record->mac : "";
        take_wanted(nic, record);
    }
}

/* ---- that cannot be found ---- */

/* Has the guest just this one? Then it is meant by whatever there is of it, unless the user says
 * which it is. */
static bool is_single(const struct fix_context *ctx, const struct net_record *record)
{
    const struct fact_windows *windows = ctx->facts->windows;

    return record->from && !mac_given(ctx, record->name) &&
           (windows->n_nics == 1 || (record->from->is_present && count_present(windows) == 1));
}

/* Without a MAC address only the single adapter of a guest that had a single one can be meant. */
static void drop_unknown(const struct fix_context *ctx, struct plan *plan,
                         struct net_records *records)
{
    bool single = records->n == 1 && ctx->facts->windows->n_nics > 0 &&
                  (count_present(ctx->facts->windows) == 1 || ctx->facts->windows->n_nics == 1);
    size_t n = 0;

    single = single || (records->n == 1 && ctx->facts->windows->n_nics == 0);
    for (size_t i = 0; i < records->n; i++) {
        struct net_record *record = &records->items[i];

        if (*record->mac || single) {
            record->is_single = single && is_single(ctx, record);
            records->items[n++] = *record;
            continue;
        }
        plan_note(plan,
                  "%s: its MAC address is not known, so %s%s will not be set again; give it with "
                  "--nic \"%s=MAC\"",
                  record->name,
                  record->addresses.n > 0 ? record->addresses.items[0] : "what it has",
                  record->addresses.n > 1 ? " and others" : "", record->name);
        net_record_done(record);
    }
    records->n = n;
}

void net_records_collect(const struct fix_context *ctx, struct plan *plan, struct net_records *ret)
{
    collect(ctx, plan, ret);
    net_records_drop_doubles(ret, plan);
    net_records_find_leftovers(ret, ctx);
    drop_unknown(ctx, plan, ret);
}
