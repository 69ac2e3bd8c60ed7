/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Windows' network stack keeps over a restart, from NT 6.0 on: a table of a module is a key
 * Control\Nsi\{module}\<table>. A row of it is a value: the name is the row's key in hexadecimal
 * digits, and the data are what can be set of the row followed by a mask of the same length, ones
 * where something is set. Rows are those that the functions of iphlpapi.dll get, with the fields
 * of MIB_UNICASTIPADDRESS_ROW and MIB_IPFORWARD_ROW2 in another order. Pure functions; all bytes
 * come from the guest.
 */
#ifndef H2K_INSPECT_WINDOWS_NSI_H
#define H2K_INSPECT_WINDOWS_NSI_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSI_IP6_ADDRESSES "Control\\Nsi\\{eb004a01-9b1a-11d4-9123-0050047759bc}\\10"
#define NSI_IP6_ROUTES "Control\\Nsi\\{eb004a01-9b1a-11d4-9123-0050047759bc}\\16"
#define NSI_CARDS "Control\\Nsi\\{eb004a11-9b1a-11d4-9123-0050047759bc}\\10" /* up to NT 6.1 */

enum nsi_kind {
    NSI_UNKNOWN, /* not as it is known to be: nothing may be concluded from it */
    NSI_OTHER,   /* of the network itself: link-local, by DHCP or announced */
    NSI_MANUAL,  /* set by somebody */
};

/* "2001:db8::5/64" */
#define NSI_PREFIX_TEXT (INET6_ADDRSTRLEN + 4)

struct nsi_address {
    uint64_t luid; /* of the interface; 0 when not even that can be told */
    char text[NSI_PREFIX_TEXT];
};

struct nsi_route {
    uint64_t luid;
    char prefix[NSI_PREFIX_TEXT];
    char gateway[INET6_ADDRSTRLEN]; /* "": on the link */
    uint32_t metric;                /* 0: automatic */
};

struct nsi_card {
    uint64_t luid;
    char guid[39]; /* "{...}", lower case */
    char mac[18];
};

/* The number that stands for an interface in keys of rows; @type: ifType of the IANA. */
uint64_t nsi_luid(uint32_t type, uint32_t index);

enum nsi_kind nsi_ip6_address(const char *name, const void *data, size_t len,
                              struct nsi_address *ret);
enum nsi_kind nsi_ip6_route(const char *name, const void *data, size_t len, struct nsi_route *ret);

/* A network card and its MAC address. false: it is none, or has none. */
bool nsi_card(const char *name, const void *data, size_t len, struct nsi_card *ret);

#endif
