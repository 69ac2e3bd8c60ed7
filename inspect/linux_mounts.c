/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is mounted where, as fstab and systemd units say. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "inspect/crypttab.h"
#include "inspect/fstab.h"
#include "inspect/linux.h"
#include "inspect/mdadm_conf.h"
#include "inspect/mount_units.h"
#include "inspect/resolve_hardware.h"

#define MAX_MOUNTS 1024 /* further lines are not looked at */

/* "/boot//efi/" -> "/boot/efi"; names that are no path ("none", "swap") stay. */
static char *clean_target(const char *target)
{
    struct strbuf out = { 0 };

    for (const char *c = target; *c; c++)
        if (*c != '/' || out.len == 0 || out.data[out.len - 1] != '/')
            strbuf_putc(&out, *c);
    while (out.len > 1 && out.data[out.len - 1] == '/')
        out.data[--out.len] = '\0';
    return strbuf_take(&out);
}

/* The names that mdadm.conf gives to arrays: by uuid, else by name. */
static void add_array_names(const struct guest_root *root, struct facts *facts)
{
    struct mdadm_conf conf CLEANUP_MDADM_CONF = { 0 };
    size_t len = 0;
    CLEANUP_FREE char *text = linux_read(root, "/etc/mdadm/mdadm.conf", &len);

    if (!text)
        text = linux_read(root, "/etc/mdadm.conf", &len);
    if (text)
        mdadm_conf_parse(text, len, &conf);
    for (size_t i = 0; i < conf.n && i < MAX_MOUNTS; i++) {
        const struct mdadm_array *array = &conf.arrays[i];
        CLEANUP_FREE char *link = array->uuid[0]
                                      ? mem_printf("/dev/disk/by-id/md-uuid-%s", array->uuid)
                                      : mem_printf("/dev/disk/by-id/md-name-%s", array->name);
        const struct fact_device *device = facts_resolve(facts, link);
        struct fact_alias *alias;

        if (!device || array->device[0] == '\0')
            continue;
        alias = facts_add_alias(facts);
        facts_set(&alias->name, array->device);
        facts_set(&alias->device, device->name);
    }
}

/* The names that crypttab gives to what encrypted volumes hold. */
static void add_crypt_names(const struct guest_root *root, struct facts *facts)
{
    CLEANUP_CRYPTTAB struct crypttab crypttab = { 0 };
    size_t len = 0;
    CLEANUP_FREE char *text = linux_read(root, "/etc/crypttab", &len);

    if (text)
        crypttab_parse(text, len, &crypttab);
    for (size_t i = 0; i < crypttab.n && i < MAX_MOUNTS; i++) {
        const struct fact_device *locked = facts_resolve(facts, crypttab.entries[i].device);
        CLEANUP_FREE char *name = mem_printf("/dev/mapper/%s", crypttab.entries[i].name);

        for (size_t d = 0; locked && d < facts->n_devices; d++) {
            const struct fact_device *device = &facts->devices[d];
            struct fact_alias *alias;

            if (strcmp(device->decrypts, locked->name) != 0)
                continue;
            alias = facts_add_alias(facts);
            facts_set(&alias->name, name);
            facts_set(&alias->device, device->name);
        }
    }
}

/* ---- mounts ---- */

static void add_fstab(const struct guest_root *root, struct facts *facts)
{
    struct fstab fstab CLEANUP_FSTAB = { 0 };
    size_t len = 0;
    CLEANUP_FREE char *text = linux_read(root, "/etc/fstab", &len);

    if (text)
        fstab_parse(text, len, &fstab);
    for (size_t i = 0; i < fstab.n && i < MAX_MOUNTS; i++) {
        const struct fstab_entry *entry = &fstab.entries[i];
        struct fact_mount *mount = facts_add_mount(facts);
        CLEANUP_FREE char *target = clean_target(entry->target);

        facts_set(&mount->source, entry->source);
        facts_set(&mount->target, target);
        facts_set(&mount->type, entry->type);
        facts_set(&mount->options, entry->options);
        facts_set(&mount->file, "/etc/fstab");
        mount->at_boot =
            !list_has(entry->options, "noauto") || list_has(entry->options, "x-systemd.automount");
    }
}

static void set_unit(struct fact_mount *mount, const struct mount_unit *unit)
{
    CLEANUP_FREE char *target = clean_target(unit->where);

    facts_set(&mount->source, unit->what);
    facts_set(&mount->target, target);
    facts_set(&mount->type, unit->type);
    facts_set(&mount->options, unit->options);
    facts_set(&mount->file, unit->path);
    facts_set(&mount->problem, unit->problem);
}

/* The line of fstab that makes the unit of this name; NULL: there is none. */
static struct fact_mount *find_line(struct facts *facts, size_t n_lines, const char *name)
{
    for (size_t i = 0; i < n_lines; i++) {
        struct fact_mount *mount = &facts->mounts[i];
        CLEANUP_FREE char *unit =
            mount->target[0] == '/' ? unit_name_of_path(mount->target, ".mount") : mem_strdup("");

        if (strcmp(unit, name) == 0)
            return mount;
    }
    return NULL;
}

/* Packages' own mounts of the kernel's file systems are of no interest. */
static bool is_worth_listing(const struct mount_unit *unit)
{
    return unit->is_local || (unit->is_enabled && facts_names_device(unit->what));
}

/* Units below /etc win over lines of fstab, which start them; those win over packages' units. */
static void add_units(const struct guest_root *root, struct facts *facts)
{
    struct mount_units units CLEANUP_MOUNT_UNITS = { 0 };
    size_t n_lines = facts->n_mounts;

    mount_units_read(root, &units);
    for (size_t i = 0; i < units.n; i++) {
        const struct mount_unit *unit = &units.items[i];
        struct fact_mount *line = find_line(facts, n_lines, unit->name);

        if (unit->is_masked) {
            if (line && unit->is_local)
                line->at_boot = false;
        } else if (line) {
            if (unit->is_local && unit->problem[0] == '\0')
                set_unit(line, unit);
        } else if (is_worth_listing(unit)) {
            struct fact_mount *mount = facts_add_mount(facts);

            set_unit(mount, unit);
            mount->at_boot = unit->is_enabled && unit->problem[0] == '\0';
        }
    }
}

static void add_root(struct facts *facts)
{
    const struct fact_device *device = facts_root_device(facts);
    struct fact_mount *mount = facts_add_mount(facts);

    mount->device = device;
    facts_set(&mount->source, device ? device->name : "");
    facts_set(&mount->target, "/");
    facts_set(&mount->type, device ? device->fstype : "");
    mount->at_boot = true;
}

void linux_mounts(const struct guest_root *root, struct facts *facts)
{
    add_array_names(root, facts);
    add_crypt_names(root, facts);
    add_fstab(root, facts);
    add_units(root, facts);
    resolve_hardware(facts);
    for (size_t i = 0; i < facts->n_mounts; i++)
        facts->mounts[i].device = facts_resolve(facts, facts->mounts[i].source);
    if (!facts_mount(facts, "/"))
        add_root(facts);
}
