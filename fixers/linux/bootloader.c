/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the boot loader tells the kernel: root= and resume= by UUID. Only arguments of kernels are
 * touched; GRUB's own names ("set root=", "search", "--hint") mean drives of the firmware, which
 * GRUB finds again by itself.
 */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/devnames.h"
#include "fixers/linux/linux.h"
#include "inspect/grubcfg.h"

#define REASON "the kernel must find its devices whatever the disk controller calls them"
#define REASON_MAX 400 /* bytes, after which no further name is listed */
#define DEBCONF "/var/cache/debconf/config.dat"

/* Full configurations and files that GRUB reads or copies into them. */
static const char *const configs[] = {
    "/boot/grub/grub.cfg",    "/boot/grub2/grub.cfg",  "/boot/grub/custom.cfg",
    "/boot/grub2/custom.cfg", "/etc/grub.d/40_custom", "/etc/grub.d/41_custom",
};

static const char *const device_maps[] = {
    "/boot/grub/device.map",
    "/boot/grub2/device.map",
};

char *boot_device(const struct fix_context *ctx, struct plan *plan, const char *path,
                  const char *arg, const char *value, unsigned flags)
{
    const char *why = "";
    char *stable;

    if (!devname_changes(value))
        return NULL;
    stable = devname_stable(ctx->facts, value, "", flags, &why);
    if (!stable)
        plan_note(plan,
                  "%s: %s=%s %s; it stays as it is: give the disk with --add-disk, or write "
                  "%s=UUID=... there by hand",
                  path, arg, value, why, arg);
    return stable;
}

static bool names_device(const char *arg)
{
    return strcmp(arg, "root") == 0 || strcmp(arg, "resume") == 0;
}

/* Files of boot loaders are often not world-readable, so their diffs are hidden: the reason says
 * what becomes of each name. */
static void add_to_reason(struct strbuf *reason, const struct grubcfg_arg *arg, const char *stable)
{
    CLEANUP_FREE char *text =
        mem_printf("%s=%s becomes %s=%s", arg->name, arg->value, arg->name, stable);

    if (reason->len < REASON_MAX && !strstr(strbuf_text(reason), text))
        strbuf_printf(reason, "; %s", text);
}

static void fix_kernel(const struct fix_context *ctx, struct plan *plan, const char *path,
                       const struct grubcfg_linux *kernel, struct edits *edits,
                       struct strbuf *reason)
{
    /* without an initramfs the kernel itself looks for its root, and knows no UUID */
    unsigned flags = *kernel->initrd ? 0 : DEVNAME_NO_UUID;

    for (size_t i = 0; i < kernel->n_args; i++) {
        const struct grubcfg_arg *arg = &kernel->args[i];
        CLEANUP_FREE char *stable = NULL;

        if (!arg->value || !names_device(arg->name))
            continue;
        stable = boot_device(ctx, plan, path, arg->name, arg->value, flags);
        if (stable && arg->plain) {
            edits_add(edits, arg->value_at, stable);
            add_to_reason(reason, arg, stable);
        } else if (stable) {
            plan_note(plan, "%s: %s=%s is quoted in a way that is not understood; write %s there",
                      path, arg->name, arg->value, stable);
        }
    }
}

static int fix_config(const struct fix_context *ctx, struct plan *plan, const char *path,
                      struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    CLEANUP_GRUBCFG struct grubcfg cfg = { 0 };
    CLEANUP_EDITS struct edits edits = { 0 };
    CLEANUP_STRBUF struct strbuf reason = { 0 };
    int r = plan_read_text(plan, path, &text, err);

    if (r <= 0)
        return r;
    strbuf_puts(&reason, REASON);
    grubcfg_parse(text, strlen(text), &cfg);
    for (size_t i = 0; i < cfg.n_linuxes; i++)
        fix_kernel(ctx, plan, path, &cfg.linuxes[i], &edits, &reason);
    fixed = edits_apply(&edits, text, strlen(text), NULL);
    plan_write(plan, path, fixed, strbuf_text(&reason));
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
    if (r < 0)
        return r;
    note_install_devices(plan);
    return 0;
}

const struct fixer fixer_bootloader = {
    .name = "bootloader",
    .summary = "start kernels with root= and resume= by UUID, and from the removable EFI path",
    .os = OS_LINUX,
    .applies = applies,
    .plan = plan_bootloader,
};
