/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/windows/boot.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "inspect/windows/bcd.h"
#include "inspect/windows/boot_ini.h"
#include "inspect/windows/place.h"
#include "inspect/windows/windows.h"

/* ---- is it this system? ---- */

/* The root may be what an encrypted partition holds. */
static bool is_root(const struct facts *facts, const struct fact_device *device)
{
    const struct fact_device *root = facts_root_device(facts);

    return root && device && (root == device || strcmp(root->decrypts, device->name) == 0);
}

/* "\Windows", "/WINDOWS/" against "/Windows". */
static bool is_folder(const struct facts *facts, const char *folder)
{
    CLEANUP_FREE char *path = mem_strdup(folder);
    size_t len = strlen(path);

    for (char *c = path; *c; c++)
        if (*c == '\\')
            *c = '/';
    if (len > 1 && path[len - 1] == '/')
        path[len - 1] = '\0';
    return strcasecmp(path, facts->windows->system_root) == 0;
}

/* ---- boot configuration data ---- */

static bool starts_this(const struct facts *facts, const struct bcd_loader *loader,
                        const struct fact_device *boot_device)
{
    const struct bcd_device *device = &loader->os_device;
    const struct fact_device *found = NULL, *other;

    if (loader->is_winpe)
        return false;
    if (device->kind == BCD_DEVICE_GPT)
        found = place_gpt(facts, device->part_uuid, &other);
    else if (device->kind == BCD_DEVICE_MBR)
        found = place_mbr(facts, device->disk_id, device->start_bytes, &other);
    else if (device->kind == BCD_DEVICE_BOOT)
        found = boot_device;
    return is_root(facts, found) && is_folder(facts, loader->system_root);
}

static void note_loader(struct facts *facts, const struct bcd_loader *loader, bool is_default)
{
    facts_set(&facts->windows->boot_entry, loader->id);
    facts->windows->is_default = is_default;
    facts->windows->test_signing = loader->test_signing;
    if (text_ends_with_nocase(loader->path, ".efi"))
        facts->firmware = FIRMWARE_UEFI;
    else if (text_ends_with_nocase(loader->path, ".exe"))
        facts->firmware = FIRMWARE_BIOS;
    if (loader->test_signing)
        strlist_add(&facts->windows->notes, "drivers with test signatures are let in");
}

static bool read_bcd(const struct guest_root *root, const char *path,
                     const struct fact_device *device, struct facts *facts)
{
    struct hive *hive = NULL;
    struct err err = ERR_NONE;
    struct bcd bcd = { .n_loaders = 0 };
    const struct bcd_loader *first;
    bool found = false;

    if (hive_open(root, path, &hive, &err) < 0)
        return false;
    if (bcd_read(hive, &bcd, &err) < 0) {
        hive_free(hive);
        return false;
    }
    facts_set(&facts->windows->bcd, path);
    first = bcd_default(&bcd);
    if (first && starts_this(facts, first, device)) {
        note_loader(facts, first, true);
        found = true;
    }
    for (size_t i = 0; i < bcd.n_loaders && !found; i++) {
        if (!starts_this(facts, &bcd.loaders[i], device))
            continue;
        note_loader(facts, &bcd.loaders[i], false);
        found = true;
    }
    bcd_done(&bcd);
    hive_free(hive);
    return true;
}

/* ---- boot.ini ---- */

static bool names_this(const struct facts *facts, const struct arc_path *path)
{
    return path->is_arc && is_root(facts, place_arc(facts, path->rdisk, path->partition)) &&
           is_folder(facts, path->folder);
}

static bool read_boot_ini(const struct guest_root *root, const char *path, struct facts *facts)
{
    struct err err = ERR_NONE;
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    struct boot_ini ini;
    const struct arc_path *first;

    if (guest_read(root, path, BOOT_INI_MAX, &text, &len, &err) < 0)
        return false;
    boot_ini_parse(text, len, &ini);
    facts_set(&facts->windows->boot_ini, path);
    first = boot_ini_default(&ini);
    facts->windows->is_default = first && names_this(facts, first);
    for (size_t i = 0; i < ini.n_entries && !*facts->windows->boot_entry; i++)
        if (names_this(facts, &ini.entries[i].path))
            facts_set(&facts->windows->boot_entry, ini.entries[i].line);
    boot_ini_done(&ini);
    return true;
}

/* ---- both ---- */

bool boot_read(const struct guest_root *root, const char *base, const struct fact_device *device,
               struct facts *facts)
{
    static const struct {
        const char *path;
        enum firmware firmware;
    } bcds[] = {
        { "EFI/Microsoft/Boot/BCD", FIRMWARE_UEFI },
        { "Boot/BCD", FIRMWARE_BIOS },
    };
    CLEANUP_FREE char *ini = mem_printf("%s/boot.ini", base);
    CLEANUP_FREE char *ini_path = windows_spelling(root, ini);

    for (size_t i = 0; i < ARRAY_SIZE(bcds); i++) {
        CLEANUP_FREE char *wanted = mem_printf("%s/%s", base, bcds[i].path);
        CLEANUP_FREE char *path = windows_spelling(root, wanted);

        if (!guest_is_file(root, path))
            continue;
        facts->firmware = bcds[i].firmware;
        facts_set(&facts->boot_loader, "bootmgr");
        facts_set(&facts->boot_config, path);
        return read_bcd(root, path, device, facts);
    }
    /* where there is both, the newer boot manager reads its own */
    if (!guest_is_file(root, ini_path) || !read_boot_ini(root, ini_path, facts))
        return false;
    facts->firmware = FIRMWARE_BIOS;
    facts_set(&facts->boot_loader, "ntldr");
    facts_set(&facts->boot_config, ini_path);
    return true;
}

/* Where nothing says it: Windows starts from a GPT with UEFI only. */
static enum firmware firmware_of_table(const struct facts *facts)
{
    const struct fact_device *root = facts_root_device(facts);

    for (size_t i = 0; root && i < facts->n_devices; i++)
        if (strcmp(facts->devices[i].name, root->disk) == 0)
            return strcmp(facts->devices[i].table, "gpt") == 0 ? FIRMWARE_UEFI : FIRMWARE_BIOS;
    return FIRMWARE_BIOS;
}

void windows_boot(const struct guest_root *root, struct facts *facts)
{
    struct fact_windows *windows = facts->windows;
    const struct fact_mount *beside = facts_mount(facts, WINDOWS_SYSTEM_VOLUME);
    bool found = false;

    facts->firmware = firmware_of_table(facts);
    facts_set(&windows->boot_entry, "");
    windows->is_default = false;
    if (beside && beside->mounted)
        found = boot_read(root, WINDOWS_SYSTEM_VOLUME, beside->device, facts);
    if (!found)
        (void)boot_read(root, "", facts_root_device(facts), facts);
}
