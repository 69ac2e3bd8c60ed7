/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/network_names.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/network_match.h"
#include "inspect/fields.h"
#include "inspect/keyfile.h"
#include "inspect/netplan.h"
#include "inspect/udev_rules.h"

#define NAME_MAX_LEN 15 /* IFNAMSIZ - 1 */

bool nic_name_ok(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > NAME_MAX_LEN || name[0] == '.' || name[0] == '-')
        return false;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-' && *c != '.')
            return false;
    return true;
}

/* ---- .link files: systemd.link(5) ---- */

static bool same(const char *a, const char *b)
{
    return a && strcasecmp(a, b) == 0;
}

/* One of the addresses of a list. */
static bool lists_mac(const char *list, const char *mac)
{
    return list && *mac && strcasestr(list, mac) != NULL;
}

bool link_names(const char *text, const char *name, const char *mac)
{
    CLEANUP_KEYFILE struct keyfile keyfile = { 0 };
    const char *driver, *given;
    bool by_mac = false, by_other = false;

    keyfile_parse(text, strlen(text), &keyfile);
    given = keyfile_get(&keyfile, "Link", "Name");
    driver = keyfile_get(&keyfile, "Match", "Driver");
    for (size_t i = 0; i < keyfile.n; i++) {
        const struct keyfile_entry *entry = &keyfile.entries[i];

        if (strcmp(entry->section, "Match") != 0)
            continue;
        if (strcmp(entry->key, "MACAddress") == 0 || strcmp(entry->key, "PermanentMACAddress") == 0)
            by_mac = lists_mac(entry->value, mac);
        else if (strcmp(entry->key, "Driver") != 0 && strcmp(entry->key, "Type") != 0)
            by_other = true;
    }
    if (!given || strcmp(given, name) != 0 || by_other || (driver && !same(driver, NEW_DRIVER)))
        return false;
    return *mac ? by_mac : driver != NULL && !keyfile_get(&keyfile, "Match", "MACAddress");
}

/* ---- udev rules: udev(7) ---- */

/* Conditions on hardware that a virtio card does not meet. */
static bool wants_old_hardware(const char *line)
{
    static const char *const conditions[] = { "KERNELS==", "SUBSYSTEMS==", "ATTRS{", "ENV{" };
    const char *driver = strstr(line, "DRIVERS==\"");

    for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
        if (strstr(line, conditions[i]))
            return true;
    return driver && strncmp(driver, "DRIVERS==\"?*\"", 13) != 0 &&
           strncmp(driver, "DRIVERS==\"" NEW_DRIVER "\"", sizeof("DRIVERS==\"" NEW_DRIVER)) != 0;
}

bool rules_name(const char *text, const char *name, const char *mac)
{
    size_t pos = 0, len = strlen(text);
    struct span line;

    while (line_next(text, len, &pos, &line)) {
        CLEANUP_UDEV_NAMES struct udev_names names = { 0 };
        CLEANUP_FREE char *copy = span_dup(text, line);

        if (wants_old_hardware(copy))
            continue;
        udev_rules_parse(copy, strlen(copy), &names);
        for (size_t i = 0; i < names.n; i++)
            if (*mac && strcmp(names.names[i].name, name) == 0 &&
                strcasecmp(names.names[i].mac, mac) == 0)
                return true;
        /* our own rule for an unknown address */
        if (!*mac && copy[strspn(copy, " \t")] != '#' &&
            strstr(copy, "DRIVERS==\"" NEW_DRIVER "\"")) {
            CLEANUP_FREE char *gives = mem_printf("NAME=\"%s\"", name);

            if (strstr(copy, gives))
                return true;
        }
    }
    return false;
}

bool netplan_names(const char *text, const char *name, const char *mac)
{
    CLEANUP_NETPLAN struct netplan netplan = { 0 };

    if (!*mac || netplan_parse(text, strlen(text), &netplan) < 0)
        return false;
    for (size_t i = 0; i < netplan.n; i++)
        if (strcmp(netplan.ethernets[i].set_name, name) == 0 &&
            strcasecmp(netplan.ethernets[i].match_mac, mac) == 0)
            return true;
    return false;
}

/* ---- how the guest names interfaces ---- */

bool has_link_files(const struct guest_root *root)
{
    /* systemd and udev became one project with udev 183; nobody keeps 183 to 196 */
    static const char *const marks[] = { "/usr/lib/systemd/network", "/lib/systemd/network",
                                         "/usr/lib/systemd/systemd", "/lib/systemd/systemd" };

    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (guest_exists(root, marks[i]))
            return true;
    return false;
}

/* The last net.ifnames= among the words of @text: -1 none, 0, 1. */
static int ifnames_in(const char *text)
{
    static const char key[] = "net.ifnames=";
    int value = -1;

    for (const char *at = strstr(text, key); at; at = strstr(at + 1, key))
        value = at[sizeof(key) - 1] != '0';
    return value;
}

int keeps_kernel_names(const struct facts *facts, struct plan *plan, struct err *err)
{
    static const char *const masks[] = { "/etc/systemd/network/99-default.link",
                                         "/etc/udev/rules.d/80-net-setup-link.rules",
                                         "/etc/udev/rules.d/80-net-name-slot.rules" };
    CLEANUP_FREE char *text = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
        CLEANUP_FREE char *target = plan_readlink(plan, masks[i]);

        if (target && strcmp(target, "/dev/null") == 0)
            return 1;
    }
    if (!*facts->boot_config || plan_read_text(plan, facts->boot_config, &text, err) < 0)
        return err->code ? -err->code : 0;
    return text && ifnames_in(text) == 0;
}
