/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses that do not come by DHCP: Windows keeps them by adapter, and the adapter will be
 * another one. A script gives them to the one with the same MAC address at the first start. Where
 * that is not known it has to be given; only a single adapter is found without.
 */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/plan_hive.h"
#include "fixers/windows/embedded.h"
#include "fixers/windows/firstboot.h"
#include "fixers/windows/network_text.h"
#include "inspect/windows/facts.h"

static void record_done(struct net_record *record)
{
    strlist_done(&record->addresses);
    strlist_done(&record->masks);
    strlist_done(&record->gateways);
    strlist_done(&record->metrics);
    strlist_done(&record->addresses6);
    strlist_done(&record->gateways6);
    strlist_done(&record->dns);
    strlist_done(&record->wins);
}

static void records_done(struct net_records *records)
{
    for (size_t i = 0; i < records->n; i++)
        record_done(&records->items[i]);
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
    add_addresses(plan, record->name, &nic->dns, &record->dns);
    add_addresses(plan, record->name, &nic->wins, &record->wins);
    add_metrics(ctx, plan, nic, record);
}

/* ---- what the user wants instead ---- */

static const struct inject_nic *wanted_for(const struct fix_context *ctx, const char *name)
{
    const struct injections *inject = &ctx->opts->inject;

    for (size_t i = 0; i < inject->n_nics; i++)
        if (strcasecmp(inject->nics[i].name, name) == 0)
            return &inject->nics[i];
    return NULL;
}

static void take_wanted(const struct inject_nic *nic, struct net_record *record)
{
    record_done(record);
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
        bool is_6 = inject_is_ip6(nic->gateways.items[i]);

        strlist_add(is_6 ? &record->gateways6 : &record->gateways, nic->gateways.items[i]);
        if (!is_6)
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

/* An adapter of KVM's keeps its addresses: it is the one it was. */
static bool stays(const struct win_nic *nic)
{
    return strncasecmp(nic->device, "PCI\\VEN_1AF4&", 13) == 0;
}

/* Has it settings that DHCP does not bring? */
static bool has_settings(const struct win_nic *nic)
{
    return nic->is_static || nic->dns.n > 0 || nic->wins.n > 0 || *nic->domain || nic->metric > 0;
}

static void collect(const struct fix_context *ctx, struct plan *plan, struct net_records *records)
{
    const struct fact_windows *windows = ctx->facts->windows;

    for (size_t i = 0; i < windows->n_nics; i++) {
        const struct win_nic *nic = &windows->nics[i];
        const struct inject_nic *wanted = wanted_for(ctx, nic->name);
        const char *mac = mac_given(ctx, nic->name);
        struct net_record *record;

        if (!wanted && (!has_settings(nic) || stays(nic) ||
                        (!nic->is_present && !mac && count_present(windows) > 0)))
            continue;
        record = add_record(records, nic->name);
        record->mac = mac ? mac : nic->mac;
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
            records->items[n++] = *record;
            continue;
        }
        plan_note(plan,
                  "%s: its MAC address is not known, so %s%s will not be set again; give it with "
                  "--nic \"%s=MAC\"",
                  record->name,
                  record->addresses.n > 0 ? record->addresses.items[0] : "what it has",
                  record->addresses.n > 1 ? " and others" : "", record->name);
        record_done(record);
    }
    records->n = n;
}

/* ---- IPv6 ---- */

/* Windows keeps IPv6 addresses where they cannot be read; that some were set by hand is known from
 * the name servers, which are set with them. */
static void note_ip6(const struct fix_context *ctx, struct plan *plan)
{
    const struct fact_windows *windows = ctx->facts->windows;

    for (size_t i = 0; windows->control_sets.n > 0 && i < windows->n_nics; i++) {
        const struct win_nic *nic = &windows->nics[i];
        CLEANUP_FREE char *key = mem_printf("%s\\Services\\Tcpip6\\Parameters\\Interfaces\\%s",
                                            windows->control_sets.items[0], nic->guid);
        CLEANUP_FREE char *servers = plan_hive_text(plan, windows->system_hive, key, "NameServer");

        if (servers && *servers && !stays(nic) && !wanted_for(ctx, nic->name))
            plan_note(plan,
                      "%s: it has IPv6 name servers that were set by hand (%.80s): they and IPv6 "
                      "addresses set by hand are not carried over",
                      nic->name, servers);
    }
}

static bool any_ip6(const struct strlist *addresses)
{
    for (size_t i = 0; i < addresses->n; i++)
        if (inject_is_ip6(addresses->items[i]))
            return true;
    return false;
}

/* What the script for older ones cannot set. */
static int refuse_ip6(const struct injections *inject, struct err *err)
{
    for (size_t i = 0; i < inject->n_nics; i++) {
        const struct inject_nic *nic = &inject->nics[i];

        if (any_ip6(&nic->addresses) || any_ip6(&nic->gateways) || any_ip6(&nic->dns))
            return err_status(err, STATUS_USAGE,
                              "%s: IPv6 addresses can be set from Windows 8 and Server 2012 on",
                              nic->name);
    }
    return 0;
}

/* ---- the fixer ---- */

/* For the note: what the adapter gets. */
static const char *what_is_set(const struct net_record *record)
{
    if (record->addresses.n > 0)
        return record->addresses.items[0];
    if (record->addresses6.n > 0)
        return record->addresses6.items[0];
    return record->is_wanted ? "DHCP" : "what it has beside DHCP";
}

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    *ret_why = "network adapters will be other ones";
    return ctx->facts->windows != NULL;
}

static int plan_network(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    const struct fact_windows *windows = ctx->facts->windows;
    bool has_powershell =
        windows->nt_major > 6 || (windows->nt_major == 6 && windows->nt_minor >= 2);
    struct win_script script = { .order = WIN_SCRIPT_NETWORK,
                                 .name = "network",
                                 .kind =
                                     has_powershell ? WIN_SCRIPT_POWERSHELL : WIN_SCRIPT_VBSCRIPT };
    struct net_records records = { 0 };
    CLEANUP_FREE char *text = NULL;

    if (!has_powershell && refuse_ip6(&ctx->opts->inject, err) < 0)
        return -err->code;
    collect(ctx, plan, &records);
    drop_unknown(ctx, plan, &records);
    for (size_t i = 0; i < records.n; i++)
        plan_note(plan, "%s: %s is set at the first start for the adapter %s",
                  records.items[i].name, what_is_set(&records.items[i]),
                  *records.items[i].mac ? records.items[i].mac : "that is the only one");
    if (windows->nt_major >= 6)
        note_ip6(ctx, plan);
    if (records.n > 0) {
        text = has_powershell ? network_powershell(&records)
                              : network_vbscript(&records, windows->nt_major >= 6);
        script.text = text;
        win_script_add(plan, ctx->facts, &script,
                       "addresses belong to an adapter that will not be there any more");
    }
    records_done(&records);
    return 0;
}

const struct fixer fixer_win_network = {
    .name = "win-network",
    .summary = "static addresses and name servers are set again at the first start, by MAC address",
    .os = OS_WINDOWS,
    .applies = applies,
    .plan = plan_network,
};
