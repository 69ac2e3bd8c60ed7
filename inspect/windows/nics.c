/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Interfaces of TCP/IP: Services\Tcpip\Parameters\Interfaces has their addresses by GUID (the case
 * of which differs between keys), Control\Network and Control\Class say which device they are.
 * IPv6 addresses lie in tables of the network stack (nsi.h), and only its name servers beside those
 * of IPv4.
 */
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/windows/nsi.h"
#include "inspect/windows/windows.h"

#define NICS_MAX 256U
#define ROWS_MAX 4096U

/* ---- lists of addresses ---- */

static bool is_set(const char *address)
{
    return *address && strcmp(address, "0.0.0.0") != 0;
}

/* Values of several strings, or of one text with the addresses between commas and blanks; what is
 * not set is left out. */
static void addresses(struct hive *hive, const char *key, const char *name, struct strlist *ret)
{
    CLEANUP_STRLIST struct strlist texts = { 0 };

    win_list(hive, key, name, &texts);
    for (size_t i = 0; i < texts.n; i++) {
        for (const char *at = texts.items[i]; *at;) {
            size_t len = strcspn(at, " ,;");
            CLEANUP_FREE char *one = mem_strndup(at, len);

            if (is_set(one))
                strlist_add(ret, one);
            at += len + (at[len] != '\0');
        }
    }
}

/* Addresses and their masks belong together by position. */
static void static_addresses(struct hive *hive, const char *key, struct win_nic *nic)
{
    CLEANUP_STRLIST struct strlist list = { 0 }, masks = { 0 };

    win_list(hive, key, "IPAddress", &list);
    win_list(hive, key, "SubnetMask", &masks);
    for (size_t i = 0; i < list.n && i < masks.n; i++) {
        if (!is_set(list.items[i]) || !is_set(masks.items[i]))
            continue;
        strlist_add(&nic->addresses, list.items[i]);
        strlist_add(&nic->masks, masks.items[i]);
    }
}

/* ---- one interface ---- */

static void read_addresses(struct win_reader *reader, const char *guid, struct win_nic *nic)
{
    CLEANUP_FREE char *key = win_key(reader, "Services\\Tcpip\\Parameters\\Interfaces\\%s", guid);
    CLEANUP_FREE char *wins_key =
        win_key(reader, "Services\\NetBT\\Parameters\\Interfaces\\Tcpip_%s", guid);
    CLEANUP_FREE char *domain = win_text(reader->system, key, "Domain");
    uint32_t dhcp = 1;

    (void)win_u32(reader->system, key, "EnableDHCP", &dhcp);
    if (dhcp == 0)
        static_addresses(reader->system, key, nic);
    nic->is_static = nic->addresses.n > 0;
    if (nic->is_static)
        addresses(reader->system, key, "DefaultGateway", &nic->gateways);
    addresses(reader->system, key, "NameServer", &nic->dns);
    addresses(reader->system, wins_key, "NameServerList", &nic->wins);
    facts_set(&nic->domain, domain);
    (void)win_u32(reader->system, key, "InterfaceMetric", &nic->metric);
}

/* ---- IPv6 ---- */

/* For people: something of this interface could not be understood, so it is not restored. */
static void note_unknown(struct win_reader *reader, struct win_nic *nic, const char *what)
{
    if (!nic->ip6_unknown)
        strlist_take(&reader->windows->notes,
                     mem_printf("%s: %s", *nic->name ? nic->name : nic->guid, what));
    nic->ip6_unknown = true;
}

/* Rows that belong to @nic. */
static void take_ip6_address(struct win_reader *reader, const struct hive_value *value,
                             struct win_nic *nic)
{
    struct nsi_address address;
    enum nsi_kind kind = nsi_ip6_address(value->name, value->data, value->len, &address);

    if (address.luid != nic->luid || kind == NSI_OTHER)
        return;
    if (kind == NSI_MANUAL)
        strlist_add(&nic->addresses6, address.text);
    else
        note_unknown(reader, nic, "an IPv6 address of it is kept in a form that is not known");
}

static void take_ip6_route(struct win_reader *reader, const struct hive_value *value,
                           struct win_nic *nic)
{
    struct nsi_route route;
    enum nsi_kind kind = nsi_ip6_route(value->name, value->data, value->len, &route);
    struct win_route *added;

    if (route.luid != nic->luid || kind == NSI_OTHER)
        return;
    if (kind == NSI_UNKNOWN) {
        note_unknown(reader, nic, "an IPv6 route of it is kept in a form that is not known");
        return;
    }
    added = fact_windows_add_route(nic);
    facts_set(&added->prefix, route.prefix);
    facts_set(&added->gateway, route.gateway);
    added->metric = route.metric;
}

/* Of an interface without a number any row could be. */
static void take_any_address(struct win_reader *reader, const struct hive_value *value,
                             struct win_nic *nic)
{
    struct nsi_address address;

    if (nsi_ip6_address(value->name, value->data, value->len, &address) == NSI_MANUAL)
        note_unknown(reader, nic, "which IPv6 addresses are its own cannot be told");
}

static void each_row(struct win_reader *reader, const char *table, struct win_nic *nic,
                     void (*take)(struct win_reader *reader, const struct hive_value *value,
                                  struct win_nic *nic))
{
    CLEANUP_FREE char *key = win_key(reader, "%s", table);
    struct hive_values rows = { 0 };

    win_values(reader->system, key, &rows);
    for (size_t i = 0; i < rows.n && i < ROWS_MAX; i++)
        take(reader, &rows.items[i], nic);
    hive_values_done(&rows);
}

/* Before NT 6.0 IPv6 is a protocol that somebody installed, with a store of its own. */
static void read_ip6(struct win_reader *reader, struct win_nic *nic)
{
    CLEANUP_FREE char *key =
        win_key(reader, "Services\\Tcpip6\\Parameters\\Interfaces\\%s", nic->guid);

    if (reader->windows->nt_major > 0 && reader->windows->nt_major < 6) {
        if (win_has_key(reader->system, key))
            note_unknown(reader, nic, "IPv6 is set up for it in a form that is not known");
        return;
    }
    addresses(reader->system, key, "NameServer", &nic->dns6);
    if (nic->luid == 0) {
        each_row(reader, NSI_IP6_ADDRESSES, nic, take_any_address);
        return;
    }
    each_row(reader, NSI_IP6_ADDRESSES, nic, take_ip6_address);
    each_row(reader, NSI_IP6_ROUTES, nic, take_ip6_route);
}

/* ---- which of them count ---- */

/* What is no card (tunnels, the loopback, Wi-Fi Direct) has no device, or one that is made up. */
static bool is_card(const struct win_nic *nic)
{
    static const char *const made_up[] = { "ROOT\\", "SW\\", "SWD\\", "{" };

    for (size_t i = 0; i < ARRAY_SIZE(made_up); i++)
        if (strncasecmp(nic->device, made_up[i], strlen(made_up[i])) == 0)
            return false;
    return *nic->device != '\0';
}

static bool have_same_address(const struct win_nic *a, const struct win_nic *b)
{
    for (size_t i = 0; i < a->addresses.n; i++)
        if (strlist_has(&b->addresses, a->addresses.items[i]))
            return true;
    for (size_t i = 0; i < a->addresses6.n; i++)
        if (strlist_has_nocase(&b->addresses6, a->addresses6.items[i]))
            return true;
    return false;
}

/* Did @a come after @b? Where it is not known, what was installed later is what came in its
 * place. */
static bool is_newer(const struct win_nic *a, const struct win_nic *b)
{
    if (a->arrived > 0 && b->arrived > 0 && a->arrived != b->arrived)
        return a->arrived > b->arrived;
    return a->installed > 0 && b->installed > 0 && a->installed > b->installed;
}

/* Windows gives no two adapters the same address: one of them is a left-over. */
static void find_leftovers(struct fact_windows *windows)
{
    for (size_t i = 0; i < windows->n_nics; i++) {
        struct win_nic *nic = &windows->nics[i];

        for (size_t n = 0; n < windows->n_nics && nic->is_present; n++) {
            const struct win_nic *other = &windows->nics[n];

            if (n != i && other->is_present && is_newer(other, nic) &&
                have_same_address(other, nic))
                nic->is_present = false;
        }
    }
}

/* As every system has them: the machine that is made gets a card for each. */
static void add_common(struct win_reader *reader, const struct win_nic *nic)
{
    struct fact_nic *common = facts_add_nic(reader->facts);

    facts_set(&common->name, *nic->name ? nic->name : nic->guid);
    facts_set(&common->mac, nic->mac);
    facts_set(&common->source, reader->windows->system_hive);
    common->is_static = nic->is_static || nic->addresses6.n > 0;
}

void windows_nics(struct win_reader *reader)
{
    CLEANUP_FREE char *key = win_key(reader, "Services\\Tcpip\\Parameters\\Interfaces");
    CLEANUP_STRLIST struct strlist guids = { 0 };
    struct fact_windows *windows = reader->windows;

    win_keys(reader->system, key, &guids);
    for (size_t i = 0; i < guids.n && i < NICS_MAX; i++) {
        struct win_nic *nic = fact_windows_add_nic(windows);

        facts_set(&nic->guid, guids.items[i]);
        read_addresses(reader, guids.items[i], nic);
        windows_nic_device(reader, nic);
        if (is_card(nic) || nic->is_static)
            read_ip6(reader, nic);
        else
            fact_windows_drop_last_nic(windows);
    }
    find_leftovers(windows);
    for (size_t i = 0; i < windows->n_nics; i++)
        if (windows->nics[i].is_present)
            add_common(reader, &windows->nics[i]);
}
