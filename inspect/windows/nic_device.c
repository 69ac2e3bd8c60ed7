/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The device of an interface: its name and MAC address, and was it there when Windows ran last? */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "inspect/windows/nsi.h"
#include "inspect/windows/windows.h"

#define NET_CLASS "{4D36E972-E325-11CE-BFC1-08002BE10318}"
#define EPOCH_1601 11644473600U /* seconds to 1970 */
#define TICKS 10000000U         /* in a second */
#define DAY (86400ULL * TICKS)

/* ---- its MAC address ---- */

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

/* Names of values are the bytes of their key in hexadecimal digits. */
static void put_name(uint64_t luid, char ret[17])
{
    for (unsigned i = 0; i < 8; i++)
        (void)snprintf(ret + 2 * (size_t)i, 3, "%02x", (unsigned)(luid >> 8 * i & 0xff));
}

/* Up to NT 6.1 the stack keeps that of each card. */
static void mac_of_stack(struct win_reader *reader, struct win_nic *nic)
{
    CLEANUP_FREE char *key = win_key(reader, NSI_CARDS);
    char name[17];
    struct hive_value value = { 0 };
    struct nsi_card card;

    put_name(nic->luid, name);
    if (nic->luid == 0 || !win_data(reader->system, key, name, &value))
        return;
    if (nsi_card(name, value.data, value.len, &card) && strcasecmp(card.guid, nic->guid) == 0)
        facts_set(&nic->mac, card.mac);
    hive_value_done(&value);
}

/* That was set in the properties of the card. */
static void mac_of_properties(struct win_reader *reader, const char *class_key, struct win_nic *nic)
{
    CLEANUP_FREE char *mac = win_text(reader->system, class_key, "NetworkAddress");
    size_t n = 0;

    for (char *c = mac; c && *c; c++)
        if (isxdigit((unsigned char)*c))
            mac[n++] = *c;
    if (!mac)
        return;
    mac[n] = '\0';
    (void)set_mac(nic, mac);
}

/* ---- times ---- */

/* Eight bytes: in 100 ns since 1601. 0: there is no such value. */
static uint64_t filetime(struct win_reader *reader, const char *key, const char *name)
{
    struct hive_value value = { 0 };
    uint64_t time = 0;

    if (!win_data(reader->system, key, name, &value))
        return 0;
    if (value.len == 8)
        time = get_le64(value.data);
    hive_value_done(&value);
    return time;
}

/* When the interface was made: a FILETIME from NT 6.2 on, before a SYSTEMTIME. */
static uint64_t installed(struct win_reader *reader, const char *class_key)
{
    uint64_t time = filetime(reader, class_key, "NetworkInterfaceInstallTimestamp");
    struct hive_value value = { 0 };

    if (time > 0 || !win_data(reader->system, class_key, "InstallTimeStamp", &value))
        return time;
    if (value.len == 16) {
        const uint8_t *at = value.data;
        struct tm tm = {
            .tm_year = get_le16(at) - 1900,
            .tm_mon = get_le16(at + 2) - 1,
            .tm_mday = get_le16(at + 6),
            .tm_hour = get_le16(at + 8),
            .tm_min = get_le16(at + 10),
            .tm_sec = get_le16(at + 12),
        };
        time_t seconds = timegm(&tm);

        if (seconds > 0)
            time = ((uint64_t)seconds + EPOCH_1601) * TICKS;
    }
    hive_value_done(&value);
    return time;
}

/* DEVPKEY_Device_LastArrivalDate or _LastRemovalDate, which there are from NT 6.2 on. */
static uint64_t device_time(struct win_reader *reader, const char *device, const char *property)
{
    CLEANUP_FREE char *key =
        win_key(reader, "Enum\\%s\\Properties\\{83da6326-97a6-4088-9453-a1923f573b29}\\%s", device,
                property);

    return filetime(reader, key, "");
}

/* ---- was it there? ---- */

/* A device comes after the root of all, at each start. It was gone at the last one when it has not
 * come since that; a day is for clocks that were set meanwhile. */
static bool is_present(struct win_reader *reader, const struct win_nic *nic)
{
    CLEANUP_FREE char *key = win_key(reader, "Enum\\%s", nic->device);
    uint64_t removed, started;

    if (!*nic->device || !win_has_key(reader->system, key))
        return false;
    if (nic->arrived == 0)
        return true;
    removed = device_time(reader, nic->device, "0067");
    started = device_time(reader, "ACPI_HAL\\PNP0C08\\0", "0066");
    return removed <= nic->arrived && nic->arrived + DAY >= started;
}

/* ---- the device ---- */

/* What the key of the driver says. */
static void read_class(struct win_reader *reader, const char *key, struct win_nic *nic)
{
    CLEANUP_FREE char *instance = win_text(reader->system, key, "DeviceInstanceID");
    uint32_t type = 0, index = 0;

    if (instance && !*nic->device)
        facts_set(&nic->device, instance);
    if (win_u32(reader->system, key, "*IfType", &type) &&
        win_u32(reader->system, key, "NetLuidIndex", &index))
        nic->luid = nsi_luid(type, index);
    nic->installed = installed(reader, key);
}

/* The key of its driver; NULL when there is none. Free it. */
static char *class_of(struct win_reader *reader, const struct win_nic *nic)
{
    CLEANUP_FREE char *class_key = win_key(reader, "Control\\Class\\" NET_CLASS);
    CLEANUP_STRLIST struct strlist names = { 0 };

    win_keys(reader->system, class_key, &names);
    for (size_t i = 0; i < names.n; i++) {
        CLEANUP_FREE char *key = mem_printf("%s\\%s", class_key, names.items[i]);
        CLEANUP_FREE char *guid = win_text(reader->system, key, "NetCfgInstanceId");

        if (guid && strcasecmp(guid, nic->guid) == 0)
            return mem_strdup(key);
    }
    return NULL;
}

void windows_nic_device(struct win_reader *reader, struct win_nic *nic)
{
    CLEANUP_FREE char *key =
        win_key(reader, "Control\\Network\\" NET_CLASS "\\%s\\Connection", nic->guid);
    CLEANUP_FREE char *name = win_text(reader->system, key, "Name");
    CLEANUP_FREE char *device = win_text(reader->system, key, "PnpInstanceID");
    CLEANUP_FREE char *class_key = class_of(reader, nic);

    facts_set(&nic->name, name);
    facts_set(&nic->device, device);
    if (class_key)
        read_class(reader, class_key, nic);
    mac_of_stack(reader, nic);
    mac_of_instance(nic);
    if (class_key)
        mac_of_properties(reader, class_key, nic);
    nic->arrived = device_time(reader, nic->device, "0066");
    nic->is_present = is_present(reader, nic);
}
