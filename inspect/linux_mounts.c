/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is mounted where, as fstab says. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "inspect/crypttab.h"
#include "inspect/fstab.h"
#include "inspect/linux.h"
#include "inspect/mdadm_conf.h"

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

static void add_root(struct facts *facts)
{
    const struct fact_device *device = facts_root_device(facts);
    struct fact_mount *mount = facts_add_mount(facts);

    mount->device = device;
    facts_set(&mount->source, device ? device->name : "");
    facts_set(&mount->target, "/");
    facts_set(&mount->type, device ? device->fstype : "");
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

void linux_mounts(const struct guest_root *root, struct facts *facts)
{
    struct fstab fstab CLEANUP_FSTAB = { 0 };
    size_t len = 0;
    CLEANUP_FREE char *text = linux_read(root, "/etc/fstab", &len);

    add_array_names(root, facts);
    add_crypt_names(root, facts);
    if (text)
        fstab_parse(text, len, &fstab);
    for (size_t i = 0; i < fstab.n && i < MAX_MOUNTS; i++) {
        struct fact_mount *mount = facts_add_mount(facts);
        CLEANUP_FREE char *target = clean_target(fstab.entries[i].target);

        facts_set(&mount->source, fstab.entries[i].source);
        facts_set(&mount->target, target);
        facts_set(&mount->type, fstab.entries[i].type);
        facts_set(&mount->options, fstab.entries[i].options);
        mount->device = facts_resolve(facts, mount->source);
    }
    if (!facts_mount(facts, "/"))
        add_root(facts);
}
