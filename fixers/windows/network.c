/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses that do not come by DHCP: Windows keeps them by adapter, and the adapter will be
 * another one. A script gives them to the one with the same MAC address at the first start. Where
 * that is not known it has to be given; only a single adapter is found without.
 */
#include "engine/base/cleanup.h"
#include "fixers/windows/embedded.h"
#include "fixers/windows/firstboot.h"
#include "fixers/windows/network_records.h"
#include "inspect/windows/facts.h"

/* ---- IPv6 ---- */

/* What could not be understood stays behind. */
static void note_ip6(const struct fix_context *ctx, struct plan *plan)
{
    const struct fact_windows *windows = ctx->facts->windows;

    for (size_t i = 0; i < windows->n_nics; i++) {
        const struct win_nic *nic = &windows->nics[i];

        if (nic->ip6_unknown && !net_adapter_stays(nic) && !net_wanted_for(ctx, nic->name))
            plan_note(plan,
                      "%s: IPv6 addresses or routes of it are kept in a form that is not known: "
                      "they are not carried over",
                      nic->name);
    }
}

static bool any_ip6(const struct strlist *addresses)
{
    for (size_t i = 0; i < addresses->n; i++)
        if (inject_is_ip6(addresses->items[i]))
            return true;
    return false;
}

/* Before NT 6.0 IPv6 is no part of Windows. */
static int refuse_ip6(const struct injections *inject, struct err *err)
{
    for (size_t i = 0; i < inject->n_nics; i++) {
        const struct inject_nic *nic = &inject->nics[i];

        if (any_ip6(&nic->addresses) || any_ip6(&nic->gateways) || any_ip6(&nic->dns))
            return err_status(err, STATUS_USAGE,
                              "%s: IPv6 addresses can be set from Windows Vista on", nic->name);
    }
    return 0;
}

/* ---- the fixer ---- */

/* For the note: what the adapter gets. Free it. */
static char *what_is_set(const struct net_record *record)
{
    const struct strlist *lists[] = { &record->addresses, &record->addresses6 };
    struct strbuf text = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        for (size_t n = 0; n < lists[i]->n; n++)
            strbuf_printf(&text, "%s%s", text.len > 0 ? ", " : "", lists[i]->items[n]);
    if (text.len == 0)
        strbuf_puts(&text, record->is_wanted ? "DHCP" : "what it has beside DHCP");
    return strbuf_take(&text);
}

static void note_what_is_set(struct plan *plan, const struct net_record *record)
{
    CLEANUP_FREE char *what = what_is_set(record);

    plan_note(plan, "%s: %s is set at the first start for the adapter %s", record->name, what,
              *record->mac ? record->mac : "that is the only one");
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

    if (windows->nt_major < 6 && refuse_ip6(&ctx->opts->inject, err) < 0)
        return -err->code;
    net_records_collect(ctx, plan, &records);
    for (size_t i = 0; i < records.n; i++)
        note_what_is_set(plan, &records.items[i]);
    note_ip6(ctx, plan);
    if (records.n > 0) {
        text = has_powershell ? network_powershell(&records)
                              : network_vbscript(&records, windows->nt_major >= 6);
        script.text = text;
        win_script_add(plan, ctx->facts, &script,
                       "addresses belong to an adapter that will not be there any more");
    }
    net_records_done(&records);
    return 0;
}

const struct fixer fixer_win_network = {
    .name = "win-network",
    .summary = "static addresses and name servers are set again at the first start, by MAC address",
    .os = OS_WINDOWS,
    .applies = applies,
    .plan = plan_network,
};
