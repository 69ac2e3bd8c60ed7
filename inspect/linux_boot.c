/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Firmware and boot loader. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "inspect/grubcfg.h"
#include "inspect/grubenv.h"
#include "inspect/linux.h"

/* GRUB manual, "BIOS installation". */
#define TYPE_BIOS_BOOT "21686148-6449-6e6f-744e-656564454649"

static bool has_partition(const struct facts *facts, const char *type)
{
    for (size_t i = 0; i < facts->n_devices; i++)
        if (strcasecmp(facts->devices[i].part_type, type) == 0)
            return true;
    return false;
}

/* "EFI" below the ESP, in whatever case: a staged copy of a FAT keeps case apart. NULL: none. */
static char *efi_folder(const struct guest_root *root, const char *esp)
{
    struct strlist names CLEANUP_STRLIST = { 0 };
    struct err err = ERR_NONE;

    if (guest_list(root, esp, &names, &err) < 0)
        return NULL;
    for (size_t i = 0; i < names.n; i++)
        if (strcasecmp(names.items[i], "EFI") == 0)
            return mem_printf("%s/%s", esp, names.items[i]);
    return NULL;
}

/* Is there a loader two folders below the mounted ESP: EFI/debian/shimx64.efi? */
static bool has_loader(const struct guest_root *root, const char *esp)
{
    CLEANUP_FREE char *efi = efi_folder(root, esp);
    struct strlist folders CLEANUP_STRLIST = { 0 };
    struct err err = ERR_NONE;

    if (!efi || guest_list(root, efi, &folders, &err) < 0)
        return false;
    for (size_t i = 0; i < folders.n && i < 256; i++) {
        CLEANUP_FREE char *folder = mem_printf("%s/%s", efi, folders.items[i]);
        struct strlist files CLEANUP_STRLIST = { 0 };

        if (guest_list(root, folder, &files, &err) < 0)
            continue;
        for (size_t f = 0; f < files.n; f++)
            if (text_ends_with_nocase(files.items[f], ".efi"))
                return true;
    }
    return false;
}

/*
 * An ESP with a loader on it means UEFI. When its content cannot be seen, an ESP alone means UEFI,
 * and one beside a BIOS boot partition means what GRUB was installed for.
 */
static enum firmware find_firmware(const struct guest_root *root, const struct facts *facts)
{
    static const char *const places[] = { "/boot/efi", "/efi", "/boot" };
    bool has_esp = false, is_seen = false;

    for (size_t i = 0; i < facts->n_devices; i++)
        has_esp |= fact_device_is_esp(&facts->devices[i]);
    if (!has_esp)
        return FIRMWARE_BIOS;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const struct fact_mount *mount = facts_mount(facts, places[i]);

        if (has_loader(root, places[i]))
            return FIRMWARE_UEFI;
        is_seen |=
            mount && mount->mounted && mount->device && strcmp(mount->device->fstype, "vfat") == 0;
    }
    if (is_seen)
        return FIRMWARE_BIOS;
    if (!has_partition(facts, TYPE_BIOS_BOOT))
        return FIRMWARE_UEFI;
    return guest_is_dir(root, "/boot/grub/x86_64-efi") ? FIRMWARE_UEFI : FIRMWARE_BIOS;
}

/* Links are followed: Red Hat's UEFI systems have grub.cfg in the vendor's folder of the ESP. */
static const struct {
    const char *path, *loader;
} configs[] = {
    { "/boot/grub/grub.cfg", "grub2" },
    { "/boot/grub2/grub.cfg", "grub2" },
    { "/boot/efi/loader/loader.conf", "systemd-boot" },
    { "/efi/loader/loader.conf", "systemd-boot" },
    { "/boot/loader/loader.conf", "systemd-boot" },
    { "/etc/grub2-efi.cfg", "grub2" },
    { "/etc/grub2.cfg", "grub2" },
    { "/boot/grub/menu.lst", "grub-legacy" },
    { "/boot/grub/grub.conf", "grub-legacy" },
    { "/boot/efi/EFI/redhat/grub.conf", "grub-legacy" }, /* EL6 with UEFI */
    { "/boot/extlinux/extlinux.conf", "extlinux" },
    { "/boot/extlinux.conf", "extlinux" }, /* Alpine */
    { "/boot/syslinux/syslinux.cfg", "syslinux" },
    { "/boot/limine.conf", "limine" },
    { "/boot/limine/limine.conf", "limine" },
    { "/boot/limine.cfg", "limine" },
    { "/boot/efi/EFI/refind/refind.conf", "refind" },
    { "/efi/EFI/refind/refind.conf", "refind" },
    { "/boot/EFI/refind/refind.conf", "refind" },
    { "/etc/elilo.conf", "elilo" },
    { "/etc/lilo.conf", "lilo" },
    { "/etc/zipl.conf", "zipl" },
};

/* The loader is there, what it reads is not, or lies in an image. */
static const struct {
    const char *path, *loader;
} loaders[] = {
    { "/boot/efi/EFI/systemd", "systemd-boot" },
    { "/efi/EFI/systemd", "systemd-boot" },
    { "/boot/EFI/systemd", "systemd-boot" },
    { "/boot/flatcar/grub", "grub2" }, /* Flatcar's ESP */
    { "/boot/grub/i386-pc", "grub2" },
    { "/boot/grub2/i386-pc", "grub2" },
};

void linux_boot(const struct guest_root *root, struct facts *facts)
{
    facts->firmware = find_firmware(root, facts);
    for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
        CLEANUP_FREE char *real = NULL;
        struct err err = ERR_NONE;

        if (!guest_is_file(root, configs[i].path))
            continue;
        facts_set(&facts->boot_loader, configs[i].loader);
        facts_set(&facts->boot_config, configs[i].path);
        if (strncmp(configs[i].path, "/etc/grub2", strlen("/etc/grub2")) == 0 &&
            guest_real_path(root, configs[i].path, &real, &err) == 0)
            facts_set(&facts->boot_config, real);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(loaders) && facts->boot_loader[0] == '\0'; i++)
        if (guest_is_dir(root, loaders[i].path))
            facts_set(&facts->boot_loader, loaders[i].loader);
}

/* The linux command that GRUB runs by default; GRUBCFG_NONE. @folder holds grub.cfg and grubenv. */
static size_t default_linux(const struct guest_root *root, const char *folder, struct grubcfg *cfg)
{
    CLEANUP_FREE char *cfg_path = mem_printf("%s/grub.cfg", folder);
    CLEANUP_FREE char *env_path = mem_printf("%s/grubenv", folder);
    size_t cfg_len = 0, env_len = 0;
    CLEANUP_FREE char *cfg_text = linux_read(root, cfg_path, &cfg_len);
    CLEANUP_FREE char *env_text = NULL, *saved = NULL;

    if (!cfg_text)
        return GRUBCFG_NONE;
    grubcfg_parse(cfg_text, cfg_len, cfg);
    if (cfg->default_saved) {
        env_text = linux_read(root, env_path, &env_len);
        saved = env_text ? grubenv_get(env_text, env_len, "saved_entry") : NULL;
    }
    return grubcfg_default(cfg, saved);
}

static const char *const grub_folders[] = { "grub", "grub2" };

char *linux_default_root(const struct guest_root *root, const char *boot)
{
    for (size_t i = 0; i < ARRAY_SIZE(grub_folders); i++) {
        CLEANUP_FREE char *folder = mem_printf("%s/%s", boot, grub_folders[i]);
        struct grubcfg cfg CLEANUP_GRUBCFG = { 0 };
        size_t found = default_linux(root, folder, &cfg);

        for (size_t a = 0; found != GRUBCFG_NONE && a < cfg.linuxes[found].n_args; a++)
            if (strcmp(cfg.linuxes[found].args[a].name, "root") == 0)
                return mem_strdup(
                    cfg.linuxes[found].args[a].value ? cfg.linuxes[found].args[a].value : "");
    }
    return mem_strdup("");
}
