/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arguments of kernels outside of grub.cfg: what other boot loaders read, and what the guest's own
 * tools start from when they write such files again.
 */
#include <fnmatch.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/boot_args.h"
#include "fixers/linux/devnames.h"
#include "fixers/linux/linux.h"
#include "inspect/bootmenu.h"
#include "inspect/grubenv.h"
#include "inspect/shellvars.h"

#define LOADER "the kernel must find its devices whatever the disk controller calls them"
#define TOOLS "the guest's own tools must not bring disk names back later"

/* ---- shell assignments ---- */

/* Is the root on a device whose name changes? Names of volumes are better kept as they are. */
static bool root_name_changes(const struct facts *facts)
{
    const struct fact_device *device = facts_root_device(facts);

    return !device || devname_changes(device->name);
}

static void fix_command_line(struct boot_file *file, const struct shellvar *var)
{
    boot_args_fix(file, var->raw, 0);
}

/* GRUB_DISABLE_LINUX_UUID=true: grub-mkconfig would write root=/dev/vda1, which is right until the
 * disk changes its bus again. */
static void allow_uuid(struct boot_file *file, const struct shellvar *var)
{
    if (root_name_changes(file->ctx->facts) && strcmp(var->value, "true") == 0)
        edits_add(&file->edits, var->at, "false");
}

/* RESUME=/dev/sda5, ROOT=/dev/sda1 of initramfs-tools (initramfs.conf(5)). */
static void fix_device(struct boot_file *file, const struct shellvar *var)
{
    CLEANUP_FREE char *stable = NULL;

    if (!var->literal)
        return;
    if (strcmp(var->name, "RESUME") == 0 && resume_is_gone(file->ctx->facts, var->value)) {
        boot_file_replace(file, var->raw, var->name, var->value, "none");
        return;
    }
    stable = boot_device(file, var->name, var->value, 0);
    if (stable)
        boot_file_replace(file, var->raw, var->name, var->value, stable);
}

/* GRUB_DEVICE, where only a path will do. */
static void fix_device_path(struct boot_file *file, const struct shellvar *var)
{
    CLEANUP_FREE char *stable = NULL;
    CLEANUP_FREE char *path = NULL;

    if (!var->literal)
        return;
    stable = boot_device(file, var->name, var->value, 0);
    path = stable ? devname_as_path(stable) : NULL;
    if (path)
        boot_file_replace(file, var->raw, var->name, var->value, path);
}

/* target=NAME,source=/dev/sda3,key=none (initramfs-tools before crypttab was read). */
static void fix_crypt_options(struct boot_file *file, const struct shellvar *var)
{
    CLEANUP_FREE char *fixed = boot_arg_fixed(file, "cryptopts", var->value, 0);

    /* escapes in what stays would be lost */
    if (fixed && span_is(file->text, var->raw, var->value))
        boot_file_replace(file, var->raw, var->name, var->value, fixed);
}

/* The disk that grubby and grub-install of EL5 and EL6 look for the boot sector on. */
static void note_boot_disk(struct boot_file *file, const struct shellvar *var)
{
    if (devname_changes(var->value))
        plan_note(file->plan,
                  "%s: %s=%s is the disk that GRUB was installed to; when its name is another one "
                  "on the new machine, write that there by hand",
                  file->path, var->name, var->value);
}

static void add_consoles(struct boot_file *file, const struct shellvar *var)
{
    consoles_add_to_var(file, var);
}

struct var_rule {
    const char *prefix; /* of the variable's name */
    bool whole;         /* the prefix is the whole name */
    void (*fix)(struct boot_file *file, const struct shellvar *var);
};

static const struct var_rule grub_rules[] = {
    { "GRUB_CMDLINE_", false, fix_command_line },
    { "GRUB_CMDLINE_LINUX", true, add_consoles },
    { "GRUB_DEVICE", true, fix_device_path },
    { "GRUB_DISABLE_LINUX_UUID", true, allow_uuid },
    { "GRUB_DISABLE_UUID", true, allow_uuid }, /* implies the other one (grub-mkconfig 2.04) */
    { "boot", true, note_boot_disk },
};

static const struct var_rule initramfs_rules[] = {
    { "CRYPTROOT", true, fix_crypt_options },
    { "RESUME", true, fix_device },
    { "ROOT", true, fix_device },
    { "target", true, fix_crypt_options }, /* lines of conf.d/cryptroot in the archive */
};

/* extlinux-update, u-boot-update, update-extlinux, perl-Bootloader, kexec-tools, kdump */
static const struct var_rule other_rules[] = {
    { "APPEND", true, fix_command_line },
    { "DEFAULT_APPEND", true, fix_command_line },
    { "DEFAULT_APPEND", true, add_consoles },
    { "EXTLINUX_PARAMETERS", true, fix_command_line },
    { "EXTLINUX_PARAMETERS", true, add_consoles },
    { "EXTLINUX_ROOT", true, fix_command_line },
    { "FAILSAFE_APPEND", true, fix_command_line },
    { "CRYPT_ROOT", true, fix_device }, /* genkernel */
    { "KDUMP_CMDLINE", false, fix_command_line },
    { "KDUMP_COMMANDLINE", false, fix_command_line },
    { "REAL_ROOT", true, fix_device },
    { "U_BOOT_PARAMETERS", true, fix_command_line },
    { "U_BOOT_PARAMETERS", true, add_consoles },
    { "U_BOOT_ROOT", true, fix_command_line },
    { "XEN_KERNEL_APPEND", true, fix_command_line },
    { "default_kernel_opts", true, fix_command_line },
    { "default_kernel_opts", true, add_consoles },
    { "root", true, fix_device },
};

static void fix_vars(struct boot_file *file, const struct var_rule *rules, size_t n_rules)
{
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };

    shellvars_parse(file->text, strlen(file->text), &vars);
    for (size_t i = 0; i < vars.n; i++) {
        const struct shellvar *var = &vars.vars[i];

        for (size_t j = 0; j < n_rules; j++)
            if (rules[j].whole ? strcmp(var->name, rules[j].prefix) == 0
                               : strncmp(var->name, rules[j].prefix, strlen(rules[j].prefix)) == 0)
                rules[j].fix(file, var);
    }
}

/* ---- menus ---- */

/* The root's device alone. It becomes a path, which stands for itself in every one of them. */
static void fix_root(struct boot_file *file, const struct bootmenu_line *line, unsigned flags)
{
    CLEANUP_FREE char *old = span_dup(file->text, line->at);
    CLEANUP_FREE char *stable = boot_device(file, "root", old, flags);
    CLEANUP_FREE char *path = stable ? devname_as_path(stable) : NULL;

    if (path && line->has_initrd)
        boot_file_replace(file, line->at, "root", old, path);
    else if (path)
        plan_note(file->plan,
                  "%s: root=%s changes with the disk controller, and the kernel has no "
                  "initramfs that could find it by another name",
                  file->path, old);
}

/* @starts: a kernel is started with these lines. */
static void fix_menu(struct boot_file *file, enum bootmenu_kind kind, bool starts)
{
    CLEANUP_BOOTMENU struct bootmenu menu = { 0 };

    bootmenu_parse(kind, file->text, strlen(file->text), &menu);
    for (size_t i = 0; i < menu.n; i++) {
        /* without an initramfs the kernel itself looks for its root, and knows no UUID */
        unsigned flags = menu.lines[i].has_initrd ? 0 : DEVNAME_NO_UUID;

        if (menu.lines[i].is_device)
            fix_root(file, &menu.lines[i], flags);
        else
            boot_args_fix(file, menu.lines[i].at, flags);
        if (starts && menu.lines[i].extends && menu.lines[i].at.len > 0)
            consoles_add(file, menu.lines[i].at);
    }
}

/* ---- GRUB's environment ---- */

static void fix_env(struct boot_file *file, bool with_consoles)
{
    struct span name, value;
    size_t pos = 0, len = strlen(file->text);

    while (grubenv_is(file->text, len) && grubenv_next(file->text, len, &pos, &name, &value)) {
        boot_args_fix(file, value, 0);
        /* Red Hat's entries name this variable */
        if (with_consoles && span_is(file->text, name, "kernelopts"))
            consoles_add(file, value);
    }
}

/* ---- texts ---- */

static char *file_text(const struct boot_file *file)
{
    return edits_apply(&file->edits, file->text, strlen(file->text), NULL);
}

char *initramfs_vars_by_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                             const char *text)
{
    CLEANUP_BOOT_FILE struct boot_file file = {
        .ctx = ctx, .plan = plan, .path = path, .text = text
    };

    fix_vars(&file, initramfs_rules, ARRAY_SIZE(initramfs_rules));
    return file_text(&file);
}

char *command_line_by_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                           const char *text)
{
    CLEANUP_BOOT_FILE struct boot_file file = {
        .ctx = ctx, .plan = plan, .path = path, .text = text
    };

    fix_menu(&file, BOOTMENU_LINES, false);
    return file_text(&file);
}

/* ---- where they are ---- */

/* STARTED: a menu whose kernels are started with its arguments alone */
enum format { VARS, MENU, STARTED, ENV };

#define RULES(rules) VARS, 0, rules, ARRAY_SIZE(rules)
#define LINES_OF(kind) MENU, kind, NULL, 0
#define STARTS_OF(kind) STARTED, kind, NULL, 0
#define BLOCK ENV, 0, NULL, 0

static const struct source {
    const char *path;
    const char *pattern; /* not NULL: @path is a folder, and these are its files */
    const char *reason;  /* NULL: it is not edited, but told of in a note */
    enum format format;
    enum bootmenu_kind menu;
    const struct var_rule *rules;
    size_t n_rules;
    const char *note; /* when something was found; may be NULL */
} sources[] = {
    { "/etc/default/grub", NULL, TOOLS, RULES(grub_rules), NULL },
    { "/etc/default/grub.d", "*.cfg", TOOLS, RULES(grub_rules), NULL },
    { "/etc/sysconfig/grub", NULL, TOOLS, RULES(grub_rules), NULL },
    { "/etc/sysconfig/bootloader", NULL, TOOLS, RULES(other_rules), NULL },
    { "/etc/sysconfig/kdump", NULL, TOOLS, RULES(other_rules), NULL },
    { "/etc/default/extlinux", NULL, TOOLS, RULES(other_rules), NULL },
    { "/etc/default/kdump-tools", NULL, TOOLS, RULES(other_rules), NULL },
    { "/etc/default/kexec", NULL, TOOLS, RULES(other_rules), NULL },
    { "/etc/default/u-boot", NULL, TOOLS, RULES(other_rules), NULL },
    { "/etc/genkernel.conf", NULL, TOOLS, RULES(other_rules), NULL },
    { "/etc/update-extlinux.conf", NULL, TOOLS, RULES(other_rules), NULL },
    { "/etc/initramfs-tools/initramfs.conf", NULL, TOOLS, RULES(initramfs_rules), NULL },
    { "/etc/initramfs-tools/conf.d", "*", TOOLS, RULES(initramfs_rules), NULL },
    { "/etc/cmdline.d", "*.conf", TOOLS, LINES_OF(BOOTMENU_LINES), NULL },
    { "/etc/dracut.conf", NULL, TOOLS, LINES_OF(BOOTMENU_DRACUT), NULL },
    { "/etc/dracut.conf.d", "*.conf", TOOLS, LINES_OF(BOOTMENU_DRACUT), NULL },
    { "/etc/kernel/cmdline", NULL, TOOLS, STARTS_OF(BOOTMENU_LINES), NULL },
    { "/etc/kernel/uki.conf", NULL, TOOLS, LINES_OF(BOOTMENU_UKI), NULL },
    { "/usr/lib/kernel/cmdline", NULL, TOOLS, LINES_OF(BOOTMENU_LINES), NULL },
    { "/boot/loader/entries", "*.conf", LOADER, STARTS_OF(BOOTMENU_BLS), NULL },
    { "/boot/efi/loader/entries", "*.conf", LOADER, STARTS_OF(BOOTMENU_BLS), NULL },
    { "/efi/loader/entries", "*.conf", LOADER, STARTS_OF(BOOTMENU_BLS), NULL },
    { "/boot/grub/grub.conf", NULL, LOADER, STARTS_OF(BOOTMENU_GRUB1), NULL },
    { "/boot/grub/menu.lst", NULL, LOADER, STARTS_OF(BOOTMENU_GRUB1), NULL },
    { "/boot/grub/grubenv", NULL, LOADER, BLOCK, NULL },
    { "/boot/grub2/grubenv", NULL, LOADER, BLOCK, NULL },
    { "/boot", "*.cfg", LOADER, BLOCK, NULL }, /* Photon's photon.cfg and systemd.cfg */
    { "/boot/extlinux.conf", NULL, LOADER, STARTS_OF(BOOTMENU_SYSLINUX), NULL },
    { "/boot/syslinux.cfg", NULL, LOADER, STARTS_OF(BOOTMENU_SYSLINUX), NULL },
    { "/boot/extlinux", "*.cfg", LOADER, STARTS_OF(BOOTMENU_SYSLINUX), NULL },
    { "/boot/extlinux", "*.conf", LOADER, STARTS_OF(BOOTMENU_SYSLINUX), NULL },
    { "/boot/syslinux", "*.cfg", LOADER, STARTS_OF(BOOTMENU_SYSLINUX), NULL },
    { "/boot/limine.cfg", NULL, LOADER, STARTS_OF(BOOTMENU_LIMINE), NULL },
    { "/boot/limine.conf", NULL, LOADER, STARTS_OF(BOOTMENU_LIMINE), NULL },
    { "/boot/limine", "*.conf", LOADER, STARTS_OF(BOOTMENU_LIMINE), NULL },
    { "/boot/refind_linux.conf", NULL, LOADER, STARTS_OF(BOOTMENU_LINES), NULL },
    { "/etc/elilo.conf", NULL, TOOLS, STARTS_OF(BOOTMENU_ELILO), NULL },
    { "/etc/lilo.conf", NULL, NULL, LINES_OF(BOOTMENU_ELILO),
      "LILO has the numbers of these devices in its map: give the guest a disk with the same name "
      "(IDE, SATA or SCSI as before), or change the file and run lilo before the move" },
    { "/etc/zipl.conf", NULL, LOADER, LINES_OF(BOOTMENU_ZIPL),
      "the boot record holds the old arguments until zipl is run" },
};

/* In the vendors' folders of the ESP; grub.cfg is there as well. */
static const struct source esp_sources[] = {
    { "bootx64.conf", NULL, LOADER, STARTS_OF(BOOTMENU_GRUB1), NULL },
    { "elilo.conf", NULL, LOADER, STARTS_OF(BOOTMENU_ELILO), NULL },
    { "grub.conf", NULL, LOADER, STARTS_OF(BOOTMENU_GRUB1), NULL },
    { "grubenv", NULL, LOADER, BLOCK, NULL },
    { "limine.conf", NULL, LOADER, STARTS_OF(BOOTMENU_LIMINE), NULL },
    { "refind.conf", NULL, LOADER, STARTS_OF(BOOTMENU_REFIND), NULL },
    { "syslinux.cfg", NULL, LOADER, STARTS_OF(BOOTMENU_SYSLINUX), NULL },
};

/* UUIDs come before consoles where there is no room for both. NULL: there is none for either. */
static char *env_text(struct boot_file *file)
{
    size_t len = 0;
    char *text = grubenv_apply(&file->edits, file->text, strlen(file->text), &len);

    if (text || file->n_consoles == 0)
        return text;
    plan_note(file->plan,
              "%s: this block of fixed size has no room for the console on the serial port",
              file->path);
    boot_file_done(file);
    file->n_consoles = 0;
    fix_env(file, false);
    return grubenv_apply(&file->edits, file->text, strlen(file->text), &len);
}

static void write_file(struct boot_file *file, const struct source *source)
{
    CLEANUP_FREE char *fixed = NULL;

    if (file->edits.n == 0)
        return;
    if (source->note)
        plan_note(file->plan, "%s: %s", file->path, source->note);
    if (!source->reason)
        return;
    if (source->format == ENV)
        fixed = env_text(file);
    else
        fixed = file_text(file);
    if (fixed)
        boot_file_write(file, fixed, source->reason);
    else if (file->edits.n > 0)
        plan_note(file->plan,
                  "%s: this block of fixed size has no room for UUIDs (%s); it stays as it is: "
                  "remove something with grub-editenv before the move",
                  file->path, strbuf_text(&file->changes) + strlen("; "));
}

static int fix_one(const struct fix_context *ctx, struct plan *plan, const struct source *source,
                   const char *path, struct err *err)
{
    CLEANUP_BOOT_FILE struct boot_file file = { .ctx = ctx, .plan = plan };
    CLEANUP_FREE char *real = NULL;
    CLEANUP_FREE char *text = NULL;
    struct err ignored = ERR_NONE;
    int r = plan_read_text(plan, path, &text, err);

    if (r <= 0)
        return r;
    /* menu.lst is often a link to grub.conf: nothing is said twice */
    file.path = guest_real_path(plan->root, path, &real, &ignored) < 0 ? path : real;
    file.text = text;
    switch (source->format) {
    case VARS:
        fix_vars(&file, source->rules, source->n_rules);
        if (strcmp(path, "/etc/default/grub") == 0)
            consoles_add_defaults(&file);
        break;
    case MENU:
    case STARTED:
        fix_menu(&file, source->menu, source->format == STARTED);
        break;
    case ENV:
        fix_env(&file, true);
        break;
    }
    write_file(&file, source);
    return 0;
}

static int fix_folder(const struct fix_context *ctx, struct plan *plan, const struct source *source,
                      struct err *err)
{
    CLEANUP_STRLIST struct strlist files = { 0 };
    int r = guest_files(plan->root, source->path, source->pattern, FNM_PERIOD, &files, err);

    for (size_t i = 0; r >= 0 && i < files.n; i++)
        r = fix_one(ctx, plan, source, files.items[i], err);
    return r;
}

/* Folders of the ESP's "EFI". */
static int fix_esp(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    CLEANUP_FREE char *folder = efi_folder(plan->root);
    CLEANUP_STRLIST struct strlist vendors = { 0 };
    int r = folder ? guest_list(plan->root, folder, &vendors, err) : 0;

    for (size_t i = 0; r >= 0 && i < vendors.n; i++) {
        CLEANUP_FREE char *vendor = mem_printf("%s/%s", folder, vendors.items[i]);

        for (size_t j = 0; r >= 0 && j < ARRAY_SIZE(esp_sources); j++) {
            CLEANUP_FREE char *path = find_any_case(plan->root, vendor, esp_sources[j].path);

            if (path)
                r = fix_one(ctx, plan, &esp_sources[j], path, err);
        }
    }
    return r;
}

int plan_command_lines(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(sources); i++)
        r = sources[i].pattern ? fix_folder(ctx, plan, &sources[i], err)
                               : fix_one(ctx, plan, &sources[i], sources[i].path, err);
    if (r >= 0)
        r = fix_esp(ctx, plan, err);
    return r < 0 ? r : 0;
}
