/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Adapters that the guest had once: Windows keeps what was set for them. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/windows/network_records.h"
#include "inspect/windows/facts.h"

static bool have_same(const struct strlist *a, const struct strlist *b)
{
    for (size_t i = 0; i < a->n; i++)
        if (strlist_has_nocase(b, a->items[i]))
            return true;
    return false;
}

bool net_have_same(const struct win_nic *a, const struct win_nic *b)
{
    return have_same(&a->addresses, &b->addresses) || have_same(&a->addresses6, &b->addresses6);
}

/* Is @a rather than @b the adapter that had the address? */
static bool is_better(const struct net_record *a, const struct net_record *b)
{
    if (a->is_wanted != b->is_wanted)
        return a->is_wanted;
    if (a->is_given != b->is_given)
        return a->is_given;
    if (a->from->is_present != b->from->is_present)
        return a->from->is_present;
    if ((*a->mac != '\0') != (*b->mac != '\0'))
        return *a->mac != '\0';
    return a->from->installed > b->from->installed;
}

void net_records_drop_doubles(struct net_records *records, struct plan *plan)
{
    for (size_t i = 0; i < records->n;) {
        struct net_record *record = &records->items[i];
        const struct net_record *better = NULL;

        for (size_t n = 0; n < records->n && record->from && !record->is_wanted && !better; n++) {
            const struct net_record *other = &records->items[n];

            if (n != i && other->from &&
                (have_same(&other->addresses, &record->addresses) ||
                 have_same(&other->addresses6, &record->addresses6)) &&
                (is_better(other, record) || (n < i && !is_better(record, other))))
                better = other;
        }
        if (!better) {
            i++;
            continue;
        }
        plan_note(plan,
                  "%s: it has an address of %s, which is taken for the newer one: it is left out",
                  record->name, better->name);
        net_record_done(record);
        memmove(record, record + 1, (--records->n - i) * sizeof(*record));
    }
}

void net_records_find_leftovers(struct net_records *records, const struct fix_context *ctx)
{
    const struct fact_windows *windows = ctx->facts->windows;

    for (size_t i = 0; i < records->n; i++) {
        struct net_record *record = &records->items[i];

        for (size_t n = 0; n < windows->n_nics; n++) {
            const struct win_nic *nic = &windows->nics[n];

            if (nic != record->from && !nic->is_present && *nic->guid &&
                have_same(&nic->addresses, &record->addresses))
                strlist_add(&record->leftovers, nic->guid);
        }
    }
}
