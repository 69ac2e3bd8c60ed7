/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scripts that set addresses, with what they set: ASCII, whatever the names are. */
#ifndef H2K_FIXERS_WINDOWS_NETWORK_TEXT_H
#define H2K_FIXERS_WINDOWS_NETWORK_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "fixers/windows/firstboot.h"
#include "inspect/windows/facts.h"

/* What one adapter gets. Lists have addresses only, checked. */
struct net_record {
    const char *name;   /* of the connection */
    const char *guid;   /* of the interface that had it; "" */
    const char *device; /* that it belonged to; "" */
    const char *mac;    /* with colons; "": the only adapter */
    struct strlist addresses, masks;
    struct strlist gateways, metrics; /* as many as gateways: numbers, "0": automatic */
    struct strlist addresses6;        /* with their prefix lengths */
    struct strlist routes6;           /* "PREFIX GATEWAY METRIC", "::": on the link */
    struct strlist dns;               /* of both kinds */
    struct strlist wins;
    struct strlist leftovers;   /* GUIDs of others that had one of these addresses and are gone */
    const char *suffix;         /* of DNS; "" */
    uint32_t metric;            /* of the interface; 0: automatic */
    const struct win_nic *from; /* NULL: the guest has none of this name */
    bool is_given;              /* the user says which adapter it is */
    bool is_single; /* the guest has one adapter: it is meant though its MAC address changed */
    bool dhcp;
    bool is_wanted; /* the user asks for it: also for the adapter that had the settings before */
};

struct net_records {
    struct net_record *items;
    size_t n;
};

/* Append a text as the language has it, whatever characters it is made of (not for batch files). */
void script_text(enum win_script_kind kind, const char *text, struct strbuf *ret);

/* For NT 6.2 and later; free it. */
char *network_powershell(const struct net_records *records);

/* For older ones; @by_netsh: from 6.0 on. Free it. */
char *network_vbscript(const struct net_records *records, bool by_netsh);

#endif
