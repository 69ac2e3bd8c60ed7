/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Interfaces of TCP/IP: Services\Tcpip\Parameters\Interfaces has their addresses by GUID (the case
 * of which differs between keys), Control\Network and Control\Class say which device they are.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/windows/windows.h"

#define NET_CLASS "{4D36E972-E325-11CE-BFC1-08002BE10318}"
#define NICS_MAX 256U

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

/* ---- the device ---- */

/* Twelve digits as a MAC address in the form of facts; false: they are none. */
static bool set_mac(struct win_nic *nic, const char *digits)
{
    char text[18];
    size_t at = 0;

    if (strlen(digits) != 12 || strspn(digits, "0123456789abcdefABCDEF") != 12 ||
        strcmp(digits, "000000000000") == 0)
        return false;
    for (size_t i = 0; i < 12; i++) {
        if (i > 0 && i % 2 == 0)
            text[at++] = ':';
        text[at++] = (char)tolower((unsigned char)digits[i]);
    }
    text[at] = '\0';
    facts_set(&nic->mac, text);
    return true;
}

/* The last part of the instance of a PCIe device with a serial number is that, an EUI-64 of the MAC
 * address: "000C29FFFFF3FFDE00" is 00:0c:29:f3:ff:de. */
static void mac_of_instance(struct win_nic *nic)
{
    const char *serial = strrchr(nic->device, '\\');
    char digits[13];

    if (!serial || strncasecmp(nic->device, "PCI\\", 4) != 0)
        return;
    serial++;
    if ((strlen(serial) != 16 && strlen(serial) != 18) ||
        (strncasecmp(serial + 6, "FFFF", 4) != 0 && strncasecmp(serial + 6, "FFFE", 4) != 0))
        return;
    memcpy(digits, serial, 6);
    memcpy(digits + 6, serial + 10, 6);
    digits[12] = '\0';
    (void)set_mac(nic, digits);
}

/* The MAC address that was set in the properties of the card wins. */
static void mac_of_class(struct win_reader *reader, struct win_nic *nic)
{
    CLEANUP_FREE char *class_key = win_key(reader, "Control\\Class\\" NET_CLASS);
    CLEANUP_STRLIST struct strlist names = { 0 };

    win_keys(reader->system, class_key, &names);
    for (size_t i = 0; i < names.n; i++) {
        CLEANUP_FREE char *key = mem_printf("%s\\%s", class_key, names.items[i]);
        CLEANUP_FREE char *guid = win_text(reader->system, key, "NetCfgInstanceId");
        CLEANUP_FREE char *mac = NULL;
        CLEANUP_FREE char *instance = NULL;
        size_t n = 0;

        if (!guid || strcasecmp(guid, nic->guid) != 0)
            continue;
        instance = win_text(reader->system, key, "DeviceInstanceID");
        if (instance && !*nic->device)
            facts_set(&nic->device, instance);
        mac_of_instance(nic);
        mac = win_text(reader->system, key, "NetworkAddress");
        for (char *c = mac; c && *c; c++)
            if (isxdigit((unsigned char)*c))
                mac[n++] = *c;
        if (mac) {
            mac[n] = '\0';
            (void)set_mac(nic, mac);
        }
        return;
    }
    mac_of_instance(nic);
}

static void read_device(struct win_reader *reader, struct win_nic *nic)
{
    CLEANUP_FREE char *key =
        win_key(reader, "Control\\Network\\" NET_CLASS "\\%s\\Connection", nic->guid);
    CLEANUP_FREE char *name = win_text(reader->system, key, "Name");
    CLEANUP_FREE char *device = win_text(reader->system, key, "PnpInstanceID");
    CLEANUP_FREE char *enum_key = NULL;

    facts_set(&nic->name, name);
    facts_set(&nic->device, device);
    mac_of_class(reader, nic);
    enum_key = win_key(reader, "Enum\\%s", nic->device);
    nic->is_present = *nic->device && win_has_key(reader->system, enum_key);
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

/* What is no card (tunnels, the loopback, Wi-Fi Direct) has no device, or one that is made up. */
static bool is_card(const struct win_nic *nic)
{
    static const char *const made_up[] = { "ROOT\\", "SW\\", "SWD\\", "{" };

    for (size_t i = 0; i < ARRAY_SIZE(made_up); i++)
        if (strncasecmp(nic->device, made_up[i], strlen(made_up[i])) == 0)
            return false;
    return *nic->device != '\0';
}

static void nic_drop_last(struct fact_windows *windows)
{
    struct win_nic *nic = &windows->nics[windows->n_nics - 1];
    char *strings[] = { nic->guid, nic->name, nic->device, nic->mac, nic->domain };
    struct strlist *lists[] = { &nic->addresses, &nic->masks, &nic->gateways, &nic->dns,
                                &nic->wins };

    for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
        free(strings[i]);
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        strlist_done(lists[i]);
    windows->n_nics--;
}

/* As every system has them: the machine that is made gets a card for each. */
static void add_common(struct win_reader *reader, const struct win_nic *nic)
{
    struct fact_nic *common = facts_add_nic(reader->facts);

    facts_set(&common->name, *nic->name ? nic->name : nic->guid);
    facts_set(&common->mac, nic->mac);
    facts_set(&common->source, reader->windows->system_hive);
    common->is_static = nic->is_static;
}

void windows_nics(struct win_reader *reader)
{
    CLEANUP_FREE char *key = win_key(reader, "Services\\Tcpip\\Parameters\\Interfaces");
    CLEANUP_STRLIST struct strlist guids = { 0 };

    win_keys(reader->system, key, &guids);
    for (size_t i = 0; i < guids.n && i < NICS_MAX; i++) {
        struct win_nic *nic = fact_windows_add_nic(reader->windows);

        facts_set(&nic->guid, guids.items[i]);
        read_addresses(reader, guids.items[i], nic);
        read_device(reader, nic);
        if (!nic->is_static && !is_card(nic))
            nic_drop_last(reader->windows);
        else if (nic->is_present)
            add_common(reader, nic);
    }
}
