/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What each adapter gets at the first start: what the one before it had, or what the user wants
 * instead.
 */
#ifndef H2K_FIXERS_WINDOWS_NETWORK_RECORDS_H
#define H2K_FIXERS_WINDOWS_NETWORK_RECORDS_H

#include "fixers/fixer.h"
#include "fixers/windows/network_text.h"

/* Those that can be found again; the plan is told of the others. Texts belong to @ctx. */
void net_records_collect(const struct fix_context *ctx, struct plan *plan, struct net_records *ret);
void net_records_done(struct net_records *records);

void net_record_done(struct net_record *record);

/* Two adapters with the same address: Windows allows that only where one is not there any more. It
 * gets nothing, which is noted. */
void net_records_drop_doubles(struct net_records *records, struct plan *plan);

/* What still has an address that another gets would be named by Windows as its owner. */
void net_records_find_leftovers(struct net_records *records, const struct fix_context *ctx);

bool net_have_same(const struct win_nic *a, const struct win_nic *b);

/* An adapter of KVM's keeps its addresses: it is the one it was. */
bool net_adapter_stays(const struct win_nic *nic);

/* NULL: the user says nothing about the adapter @name. */
const struct inject_nic *net_wanted_for(const struct fix_context *ctx, const char *name);

#endif
