/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/boot_args.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/devnames.h"
#include "inspect/bootmenu.h"

#define REASON_MAX 400U /* bytes, after which no further name is listed */

static const struct device_arg {
    const char *arg;
    const char *key;  /* the device stands behind this in a comma list; "": at the beginning */
    const char *ends; /* what ends it */
    unsigned flags;
} device_args[] = {
    { "boot", "", "", 0 },                       /* dracut's FIPS mode checks the kernel there */
    { "crypt_root", "", "", DEVNAME_LUKS_UUID }, /* genkernel */
    { "crypt_swap", "", "", DEVNAME_LUKS_UUID },
    { "cryptdevice", "", ":", DEVNAME_LUKS_UUID }, /* mkinitcpio */
    { "cryptkey", "", ":", 0 },
    { "cryptopts", "source=", ",", DEVNAME_LUKS_UUID }, /* initramfs-tools */
    { "cryptroot", "", "", DEVNAME_LUKS_UUID },         /* mkinitfs */
    { "mount.usr", "", "", 0 },
    { "real_resume", "", "", 0 }, /* genkernel */
    { "real_root", "", "", 0 },
    { "resume", "", "", 0 },
    { "root", "", "", 0 },
};

void boot_file_done(struct boot_file *file)
{
    edits_done(&file->edits);
    strbuf_done(&file->changes);
}

char *boot_device(const struct boot_file *file, const char *arg, const char *device, unsigned flags)
{
    const char *why = "";
    char *stable;

    if (!devname_changes(device))
        return NULL;
    stable = devname_stable(file->ctx->facts, device, "", flags, &why);
    if (!stable)
        plan_note(file->plan,
                  "%s: %s=%s %s; it stays as it is: give the disk with --add-disk, or write "
                  "%s=UUID=... there by hand",
                  file->path, arg, device, why, arg);
    return stable;
}

/* Names of devices anywhere in a value that is not understood. */
static void note_names(const struct boot_file *file, const char *arg, const char *value)
{
    for (const char *at = strstr(value, "/dev/"); at; at = strstr(at + 1, "/dev/")) {
        CLEANUP_FREE char *name = mem_strndup(at, strcspn(at, ",:;=\"' \t"));

        if ((at == value || strchr(",:=\"'", at[-1])) && devname_changes(name))
            plan_note(file->plan,
                      "%s: %s=%s names %s, which changes with the disk controller; it stays as it "
                      "is: write a lasting name there by hand",
                      file->path, arg, value, name);
    }
}

/* "801", "0x0801", "8:1": what LILO writes for /dev/sda1. */
static bool is_number_of_device(const char *value)
{
    size_t digits = strspn(value, "0123456789");

    if (strncmp(value, "0x", 2) == 0)
        value += 2;
    else if (digits > 0 && value[digits] == ':')
        return value[digits + 1] &&
               strspn(value + digits + 1, "0123456789") == strlen(value + digits + 1);
    digits = strspn(value, "0123456789abcdefABCDEF");
    return digits >= 3 && digits <= 4 && value[digits] == '\0';
}

/* Where the device is in the value; false: there is none. */
static bool find_device(const struct device_arg *row, const char *value, struct span *ret)
{
    const char *at = *row->key ? strstr(value, row->key) : value;

    if (!at || (at > value && at[-1] != ','))
        return false;
    at += strlen(row->key);
    *ret = (struct span){ (size_t)(at - value), strcspn(at, row->ends) };
    return true;
}

/*
 * A name below /dev/disk stays one: whoever reads it has udev, and may know nothing else. SUSE's
 * mkinitrd is like that: it waits for what begins with /dev/, and mounts UUID= before it is there.
 */
static bool needs_path(const struct boot_file *file, const char *device, unsigned flags)
{
    if (flags & DEVNAME_NO_UUID) /* the kernel itself knows no links */
        return false;
    return strncmp(device, "/dev/disk/", 10) == 0 ||
           (file->plan->root && guest_is_dir(file->plan->root, "/lib/mkinitrd"));
}

char *boot_arg_fixed(const struct boot_file *file, const char *arg, const char *value,
                     unsigned flags)
{
    for (size_t i = 0; i < ARRAY_SIZE(device_args); i++) {
        CLEANUP_FREE char *device = NULL;
        CLEANUP_FREE char *stable = NULL;
        struct span at;

        if (strcmp(device_args[i].arg, arg) != 0 || !find_device(&device_args[i], value, &at))
            continue;
        device = span_dup(value, at);
        if (strcmp(arg, "root") == 0 && is_number_of_device(device))
            plan_note(file->plan,
                      "%s: root=%s is the number of a device, which changes with the disk "
                      "controller; it stays as it is: write root=UUID=... there by hand",
                      file->path, device);
        if (!devname_changes(device))
            break;
        stable = boot_device(file, arg, device, flags | device_args[i].flags);
        if (!stable)
            return NULL;
        if (needs_path(file, device, flags)) {
            CLEANUP_FREE char *tag = TAKE(stable);

            stable = devname_as_path(tag);
        }
        return mem_printf("%.*s%s%s", (int)at.start, value, stable, value + at.start + at.len);
    }
    if (strcmp(arg, "console") == 0)
        return console_fixed(file->ctx->facts, value);
    note_names(file, arg, value);
    return NULL;
}

void boot_file_replace(struct boot_file *file, struct span at, const char *arg, const char *old,
                       const char *with)
{
    CLEANUP_FREE char *text = mem_printf("%s=%s becomes %s=%s", arg, old, arg, with);

    edits_add(&file->edits, at, with);
    if (file->changes.len < REASON_MAX && !strstr(strbuf_text(&file->changes), text))
        strbuf_printf(&file->changes, "; %s", text);
}

void boot_args_fix(struct boot_file *file, struct span at, unsigned flags)
{
    struct kernel_arg arg;
    size_t pos = at.start;

    while (kernel_arg_next(file->text, &at, &pos, &arg)) {
        CLEANUP_FREE char *name = span_dup(file->text, arg.name);
        CLEANUP_FREE char *value = span_dup(file->text, arg.value);
        CLEANUP_FREE char *fixed = NULL;

        if (resume_drop(file, arg.value, name, value))
            continue;
        fixed = boot_arg_fixed(file, name, value, flags);
        if (fixed)
            boot_file_replace(file, arg.value, name, value, fixed);
    }
}

void boot_file_write(struct boot_file *file, const char *text, const char *reason)
{
    bool is_asked = file->n_consoles > 0, is_all = file->n_consoles == file->edits.n;
    CLEANUP_FREE char *whole =
        mem_printf("%s%s%s%s", is_all ? "" : reason, strbuf_text(&file->changes),
                   is_asked && !is_all ? "; " : "",
                   is_asked ? "--serial-console asks for a console on the serial port" : "");

    plan_write(file->plan, file->path, text, whole);
}
