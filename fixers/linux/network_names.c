/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/network_names.h"

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/network_match.h"
#include "inspect/fields.h"
#include "inspect/keyfile.h"
#include "inspect/netplan.h"
#include "inspect/shellvars.h"
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

bool link_names(const char *text, const char *name, const char *mac, const char *driver)
{
    CLEANUP_KEYFILE struct keyfile keyfile = { 0 };
    const char *match, *given;
    bool by_mac = false, by_other = false;

    keyfile_parse(text, strlen(text), &keyfile);
    given = keyfile_get(&keyfile, "Link", "Name");
    match = keyfile_get(&keyfile, "Match", "Driver");
    for (size_t i = 0; i < keyfile.n; i++) {
        const struct keyfile_entry *entry = &keyfile.entries[i];

        if (strcmp(entry->section, "Match") != 0)
            continue;
        if (strcmp(entry->key, "MACAddress") == 0 || strcmp(entry->key, "PermanentMACAddress") == 0)
            by_mac = lists_mac(entry->value, mac);
        else if (strcmp(entry->key, "Path") == 0)
            by_other |= fnmatch(entry->value, SOME_SLOT, 0) != 0;
        else if (strcmp(entry->key, "Driver") != 0 && strcmp(entry->key, "Type") != 0)
            by_other = true;
    }
    if (!given || strcmp(given, name) != 0 || by_other || (match && !same(match, driver)))
        return false;
    return *mac ? by_mac : match != NULL && !keyfile_get(&keyfile, "Match", "MACAddress");
}

/* ---- udev rules: udev(7) ---- */

/* Conditions on hardware that the new card does not meet. @by_driver: the one on its driver. */
static bool wants_old_hardware(const char *line, const char *by_driver)
{
    static const char *const conditions[] = { "KERNELS==", "SUBSYSTEMS==", "ENV{", "ATTRS{vendor}",
                                              "ATTRS{device}" };
    const char *driver = strstr(line, "DRIVERS==\"");

    for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
        if (strstr(line, conditions[i]))
            return true;
    return driver && strncmp(driver, "DRIVERS==\"?*\"", 13) != 0 &&
           strncmp(driver, by_driver, strlen(by_driver)) != 0;
}

bool rules_name(const char *text, const char *name, const char *mac, const char *driver)
{
    CLEANUP_FREE char *by_driver = mem_printf("DRIVERS==\"%s\"", driver);
    size_t pos = 0, len = strlen(text);
    struct span rule;

    while (udev_rule_next(text, len, &pos, &rule)) {
        CLEANUP_UDEV_NAMES struct udev_names names = { 0 };
        CLEANUP_FREE char *copy = span_dup(text, rule);

        if (wants_old_hardware(copy, by_driver))
            continue;
        udev_rules_parse(copy, strlen(copy), &names);
        for (size_t i = 0; i < names.n; i++)
            if (*mac && strcmp(names.names[i].name, name) == 0 &&
                strcasecmp(names.names[i].mac, mac) == 0)
                return true;
        /* our own rule for an unknown address */
        if (!*mac && strstr(copy, by_driver)) {
            CLEANUP_FREE char *gives = mem_printf("NAME=\"%s\"", name);

            if (strstr(copy, gives))
                return true;
        }
    }
    return false;
}

bool netplan_names(const char *text, const char *name, const char *mac, const char *driver)
{
    CLEANUP_NETPLAN struct netplan netplan = { 0 };

    if (netplan_parse(text, strlen(text), &netplan) < 0)
        return false;
    for (size_t i = 0; i < netplan.n; i++) {
        const struct netplan_ethernet *ethernet = &netplan.ethernets[i];

        if (strcmp(ethernet->set_name, name) == 0 && !*ethernet->match_name &&
            (*mac ? strcasecmp(ethernet->match_mac, mac) == 0
                  : strcmp(ethernet->match_driver, driver) == 0))
            return true;
    }
    return false;
}

bool ifcfg_names(const char *text, const char *name, const char *mac, const char *driver)
{
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };

    (void)driver;
    shellvars_parse(text, strlen(text), &vars);
    return *mac && same(shellvars_get(&vars, "HWADDR"), mac) &&
           same(shellvars_get(&vars, "DEVICE"), name);
}

bool table_names(const char *text, const char *name, const char *mac, const char *driver)
{
    size_t pos = 0, len = strlen(text);
    struct span line, words[2];

    (void)driver;
    while (*mac && line_next(text, len, &pos, &line)) {
        size_t n = fields_split(text, &line, words, ARRAY_SIZE(words));
        CLEANUP_FREE char *card = n == 2 ? span_dup(text, words[1]) : NULL;

        if (card && span_is(text, words[0], name) &&
            same(card + (strncmp(card, "mac=", 4) == 0 ? 4 : 0), mac))
            return true;
    }
    return false;
}

/* ---- how the guest names interfaces ---- */

static bool has_one(const struct guest_root *root, const char *const *paths, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (guest_exists(root, paths[i]))
            return true;
    return false;
}

static bool has_systemd_udev(const struct guest_root *root)
{
    static const char *const programs[] = { "/usr/lib/systemd/systemd-udevd",
                                            "/lib/systemd/systemd-udevd" };

    return has_one(root, programs, ARRAY_SIZE(programs));
}

static bool has_other_udev(const struct guest_root *root)
{
    static const char *const programs[] = { "/sbin/udevd", "/usr/sbin/udevd", "/lib/udev/udevd",
                                            "/usr/lib/udev/udevd", "/usr/bin/udevd" };

    return has_one(root, programs, ARRAY_SIZE(programs));
}

/* systemd before 209 has none of these; eudev may have folders that packages left. */
static bool has_link_files(const struct guest_root *root)
{
    static const char *const marks[] = { "/usr/lib/systemd/network", "/lib/systemd/network",
                                         "/usr/lib/udev/rules.d/80-net-setup-link.rules",
                                         "/lib/udev/rules.d/80-net-setup-link.rules" };

    return has_one(root, marks, ARRAY_SIZE(marks)) &&
           (has_systemd_udev(root) || !has_other_udev(root));
}

bool has_rename_device(const struct guest_root *root)
{
    static const char *const marks[] = { "/lib/udev/rename_device", "/usr/lib/udev/rename_device" };

    return has_one(root, marks, ARRAY_SIZE(marks));
}

static bool has_mdev(const struct guest_root *root)
{
    static const char *const marks[] = { "/etc/mdev.conf", "/sbin/mdev" };

    return has_one(root, marks, ARRAY_SIZE(marks)) && !has_systemd_udev(root) &&
           !has_other_udev(root);
}

/* Does mdev call nameif? 0, 1 or negative errno. */
static int mdev_names(struct plan *plan, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    int r = plan_read_text(plan, "/etc/mdev.conf", &text, err);
    struct span line;
    size_t pos = 0;

    while (r > 0 && line_next(text, strlen(text), &pos, &line)) {
        CLEANUP_FREE char *copy = span_dup(text, line);

        if (copy[0] != '#' && strstr(copy, "nameif"))
            return 1;
    }
    return r < 0 ? r : 0;
}

/* udev 098 replaced SYSFS{} by ATTR{} and ATTRS{}: rules that know the first alone are older. 0, 1
 * or negative errno. */
static int rules_are_old(struct plan *plan, struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    bool has_sysfs = false, has_attr = false;

    if (guest_is_dir(plan->root, "/lib/udev/rules.d") ||
        guest_is_dir(plan->root, "/usr/lib/udev/rules.d"))
        return 0;
    if (guest_is_dir(plan->root, "/etc/udev/rules.d") &&
        guest_list(plan->root, "/etc/udev/rules.d", &names, err) < 0)
        return -err->code;
    for (size_t i = 0; i < names.n; i++) {
        CLEANUP_FREE char *path = mem_printf("/etc/udev/rules.d/%s", names.items[i]);
        CLEANUP_FREE char *text = NULL;

        if (!guest_is_file(plan->root, path))
            continue;
        if (plan_read_text(plan, path, &text, err) < 0)
            return -err->code;
        has_sysfs |= text && strstr(text, "SYSFS{");
        has_attr |= text && (strstr(text, "ATTR{") || strstr(text, "ATTRS{"));
    }
    return has_sysfs && !has_attr;
}

/* udev of Debian 8 reads .link files with net.ifnames=1 only. */
static bool link_files_are_asked_for(const struct guest_root *root)
{
    CLEANUP_FREE char *text = NULL;
    struct err err = ERR_NONE;

    return guest_read(root, "/lib/udev/rules.d/80-net-setup-link.rules", GUEST_TEXT_MAX, &text,
                      NULL, &err) >= 0 &&
           strstr(text, "ENV{net.ifnames}!=\"1\"");
}

int find_naming_way(struct plan *plan, bool kernel_names, enum naming_way *ret, struct err *err)
{
    int r;

    *ret = NAMING_LINK;
    if (has_link_files(plan->root)) {
        if (kernel_names && link_files_are_asked_for(plan->root))
            *ret = NAMING_RULE;
        return 0;
    }
    if (has_mdev(plan->root)) {
        r = mdev_names(plan, err);
        *ret = r > 0 ? NAMING_TABLE : NAMING_NONE;
        return r < 0 ? r : 0;
    }
    r = rules_are_old(plan, err);
    *ret = NAMING_RULE;
    if (r > 0)
        *ret = has_rename_device(plan->root) ? NAMING_HWADDR : NAMING_NONE;
    return r < 0 ? r : 0;
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

/* Arguments that grub.cfg only refers to: entries of the boot loader specification, GRUB's
 * environment. 0, 1 or negative errno. */
static int other_configs_keep(struct plan *plan, struct err *err)
{
    static const char entries[] = "/boot/loader/entries";
    static const char *const files[] = { "/boot/grub2/grubenv", "/boot/grub/grubenv",
                                         "/etc/kernel/cmdline" };
    CLEANUP_STRLIST struct strlist paths = { 0 }, names = { 0 };

    if (guest_is_dir(plan->root, entries) && guest_list(plan->root, entries, &names, err) < 0)
        return -err->code;
    for (size_t i = 0; i < names.n; i++)
        strlist_take(&paths, mem_printf("%s/%s", entries, names.items[i]));
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        strlist_add(&paths, files[i]);
    for (size_t i = 0; i < paths.n; i++) {
        CLEANUP_FREE char *text = NULL;

        if (!guest_is_file(plan->root, paths.items[i]))
            continue;
        if (plan_read_text(plan, paths.items[i], &text, err) < 0)
            return -err->code;
        if (text && ifnames_in(text) == 0)
            return 1;
    }
    return 0;
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
    if (*facts->boot_config && plan_read_text(plan, facts->boot_config, &text, err) < 0)
        return -err->code;
    if (text && ifnames_in(text) >= 0)
        return ifnames_in(text) == 0;
    return link_files_are_asked_for(plan->root) ? 1 : other_configs_keep(plan, err);
}
