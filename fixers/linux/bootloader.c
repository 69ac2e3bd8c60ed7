/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the boot loader tells the kernel: root=, resume= and others by UUID. Only arguments of
 * kernels are touched; GRUB's own names ("set root=", "search", "--hint") mean drives of the
 * firmware, which GRUB finds again by itself.
 */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/boot_args.h"
#include "fixers/linux/devnames.h"
#include "fixers/linux/linux.h"
#include "inspect/grubcfg.h"

#define REASON "the kernel must find its devices whatever the disk controller calls them"
#define VARIABLES_MAX 64U /* that hold devices: for each one all kernels are looked at */
#define SEARCH_WORDS 16   /* of a "search" command */
#define DEBCONF "/var/cache/debconf/config.dat"

/* Full configurations and files that GRUB reads or copies into them. */
static const char *const configs[] = {
    "/boot/grub/grub.cfg",    "/boot/grub2/grub.cfg",  "/boot/grub/custom.cfg",
    "/boot/grub2/custom.cfg", "/etc/grub.d/40_custom", "/etc/grub.d/41_custom",
};

static const char *const device_maps[] = {
    "/boot/grub/device.map",
    "/boot/grub2/device.map",
    "/etc/grub2-device.map",
};

static void fix_kernel(struct boot_file *file, const struct grubcfg_linux *kernel)
{
    /* without an initramfs the kernel itself looks for its root, and knows no UUID */
    unsigned flags = *kernel->initrd ? 0 : DEVNAME_NO_UUID;

    for (size_t i = 0; i < kernel->n_args; i++) {
        const struct grubcfg_arg *arg = &kernel->args[i];
        CLEANUP_FREE char *fixed = NULL;

        if (!arg->value || resume_drop(file, arg->value_at, arg->name, arg->value))
            continue;
        fixed = boot_arg_fixed(file, arg->name, arg->value, flags);
        if (fixed && arg->plain)
            boot_file_replace(file, arg->value_at, arg->name, arg->value, fixed);
        else if (fixed)
            plan_note(file->plan,
                      "%s: %s=%s is quoted in a way that is not understood; write %s there",
                      file->path, arg->name, arg->value, fixed);
    }
    consoles_add(file, kernel->at);
}

/* Does the kernel's command line have root=$NAME or root=${NAME}? */
static bool is_root_of(const struct grubcfg_linux *kernel, const char *name)
{
    CLEANUP_FREE char *plain = mem_printf("$%s", name);
    CLEANUP_FREE char *braced = mem_printf("${%s}", name);

    for (size_t i = 0; i < kernel->n_args; i++) {
        const struct grubcfg_arg *arg = &kernel->args[i];

        if (arg->value && strcmp(arg->name, "root") == 0 &&
            (strcmp(arg->value, plain) == 0 || strcmp(arg->value, braced) == 0))
            return true;
    }
    return false;
}

/* set rootpartition=/dev/sda2 (Photon); NULL when no kernel's root is meant. */
static char *fix_root_variable(const struct boot_file *file, const struct grubcfg *cfg,
                               const struct grubcfg_arg *var)
{
    unsigned flags = 0;
    bool is_used = false;

    for (size_t i = 0; i < cfg->n_linuxes; i++) {
        const struct grubcfg_linux *kernel = &cfg->linuxes[i];

        if (!is_root_of(kernel, var->name))
            continue;
        is_used = true;
        /* one whose name is a variable need not be there */
        if (*kernel->initrd == '\0' || strchr(kernel->initrd, '$'))
            flags = DEVNAME_NO_UUID;
    }
    return is_used ? boot_device(file, "root", var->value, flags) : NULL;
}

/* Variables that hold a device or whole arguments (set kernelopts="root=/dev/sda1 ro"). GRUB's own
 * are names of its drives. */
static void fix_variable(struct boot_file *file, const struct grubcfg *cfg,
                         const struct grubcfg_arg *var, unsigned *n_devices)
{
    CLEANUP_FREE char *fixed = NULL;

    if (!var->plain)
        return;
    if (!devname_changes(var->value)) {
        boot_args_fix(file, var->value_at, 0);
        if (strcmp(var->name, "kernelopts") == 0 && strchr(var->value, ' '))
            consoles_add(file, var->value_at);
        return;
    }
    fixed = (*n_devices)++ < VARIABLES_MAX ? fix_root_variable(file, cfg, var) : NULL;
    if (fixed)
        boot_file_replace(file, var->value_at, var->name, var->value, fixed);
}

static int fix_config(const struct fix_context *ctx, struct plan *plan, const char *path,
                      struct err *err)
{
    CLEANUP_BOOT_FILE struct boot_file file = { .ctx = ctx, .plan = plan, .path = path };
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    CLEANUP_GRUBCFG struct grubcfg cfg = { 0 };
    unsigned n_devices = 0;
    int r = plan_read_text(plan, path, &text, err);

    if (r <= 0)
        return r;
    file.text = text;
    grubcfg_parse(text, strlen(text), &cfg);
    for (size_t i = 0; i < cfg.n_linuxes; i++)
        fix_kernel(&file, &cfg.linuxes[i]);
    for (size_t i = 0; i < cfg.n_vars; i++)
        fix_variable(&file, &cfg, &cfg.vars[i], &n_devices);
    if (cfg.n_entries > 0 || strstr(text, "blscfg"))
        consoles_add_menu(&file);
    fixed = edits_apply(&file.edits, text, strlen(text), NULL);
    boot_file_write(&file, fixed, REASON);
    return 0;
}

/* The UUID that a "search" or "search.fs_uuid" command looks for; NULL. Free it. */
static char *searched_uuid(const char *text, const struct span *line)
{
    struct span fields[SEARCH_WORDS];
    size_t n = fields_split(text, line, fields, ARRAY_SIZE(fields));
    bool by_uuid = false;

    if (n < 2)
        return NULL;
    if (span_is(text, fields[0], "search.fs_uuid"))
        return span_unescape(text, fields[1], true);
    for (size_t i = 1; i < n && span_is(text, fields[0], "search"); i++)
        by_uuid |= span_is(text, fields[i], "--fs-uuid") || span_is(text, fields[i], "-u");
    return by_uuid ? span_unescape(text, fields[n - 1], true) : NULL;
}

/* A stub on the ESP leads GRUB to its configuration: without that there is but a prompt. */
static int note_lost_search(const struct fix_context *ctx, struct plan *plan, const char *path,
                            struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    struct span line;
    size_t pos = 0;
    int r = plan_read_text(plan, path, &text, err);

    if (r <= 0 || strstr(text, "menuentry"))
        return r < 0 ? r : 0;
    while (line_next(text, strlen(text), &pos, &line)) {
        CLEANUP_FREE char *uuid = searched_uuid(text, &line);
        CLEANUP_FREE char *tag = uuid ? mem_printf("UUID=%s", uuid) : NULL;

        if (tag && !strpbrk(uuid, "$\"'") && facts_count(ctx->facts, tag) == 0)
            plan_note(plan,
                      "%s: GRUB looks for the file system %s, which is on none of the given disks: "
                      "it will stop at its prompt; give the disk with --add-disk, or write the "
                      "UUID of the file system with /boot there",
                      path, uuid);
    }
    return 0;
}

/* A vendor's grub.cfg on the ESP is a stub or a full configuration (older RHEL, some grub2-mkconfig
 * users): both are looked at alike. */
static int fix_efi_configs(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    CLEANUP_FREE char *folder = efi_folder(plan->root);
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = folder ? guest_list(plan->root, folder, &names, err) : 0;

    for (size_t i = 0; r >= 0 && i < names.n; i++) {
        CLEANUP_FREE char *vendor = mem_printf("%s/%s", folder, names.items[i]);
        CLEANUP_FREE char *path = find_any_case(plan->root, vendor, "grub.cfg");

        if (path)
            r = fix_config(ctx, plan, path, err);
        if (path && r >= 0)
            r = note_lost_search(ctx, plan, path, err);
    }
    return r;
}

/* "(hd0) /dev/sda": GRUB's tools fall back to asking the system when the file is missing. */
static int fix_device_map(struct plan *plan, const char *path, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    struct span line;
    size_t pos = 0;
    bool stale = false;
    int r = plan_read_text(plan, path, &text, err);

    if (r <= 0)
        return r;
    while (line_next(text, strlen(text), &pos, &line)) {
        struct span fields[2];
        CLEANUP_FREE char *name = NULL;

        if (fields_split(text, &line, fields, ARRAY_SIZE(fields)) < ARRAY_SIZE(fields))
            continue;
        name = span_dup(text, fields[1]);
        stale = stale || devname_changes(name);
    }
    if (stale)
        plan_remove(plan, path,
                    "it maps GRUB's drives to disk names that change; grub-install finds the disks "
                    "itself when it is missing");
    return 0;
}

/* Upgrades of grub-pc install the boot sector on the disks that debconf remembers by name. */
static void note_install_devices(struct plan *plan)
{
    static const char name[] = "\nName: grub-pc/install_devices\n";
    CLEANUP_FREE char *text = NULL;
    struct err err = ERR_NONE;
    const char *at, *end, *value;

    if (!plan_exists(plan, "/var/lib/dpkg/info/grub-pc.list") ||
        guest_read(plan->root, DEBCONF, GUEST_TEXT_MAX, &text, NULL, &err) < 0)
        return;
    at = strstr(text, name);
    end = at ? strstr(at + 1, "\n\n") : NULL;
    value = at ? strstr(at, "\nValue: /dev/") : NULL;
    if (value && (!end || value < end))
        plan_note(plan, "grub-pc remembers the disk that it installs to by its old name; run "
                        "\"dpkg-reconfigure grub-pc\" in the guest before the next upgrade");
}

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    (void)ctx;
    *ret_why = "command lines of kernels may name disks";
    return true;
}

static int plan_bootloader(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(configs); i++)
        r = fix_config(ctx, plan, configs[i], err);
    if (r >= 0)
        r = fix_efi_configs(ctx, plan, err);
    if (r >= 0)
        r = plan_command_lines(ctx, plan, err);
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(device_maps); i++)
        r = fix_device_map(plan, device_maps[i], err);
    if (r >= 0 && ctx->facts->firmware == FIRMWARE_UEFI)
        r = plan_removable_loader(ctx, plan, err);
    if (r >= 0)
        r = note_unified_images(ctx, plan, err);
    if (r < 0)
        return r;
    note_install_devices(plan);
    consoles_note(ctx, plan);
    return 0;
}

const struct fixer fixer_bootloader = {
    .name = "bootloader",
    .summary = "start kernels with devices by UUID, and from the removable EFI path",
    .os = OS_LINUX,
    .applies = applies,
    .plan = plan_bootloader,
};
