/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * File systems and swap by UUID: on virtio /dev/sda1 becomes /dev/vda1 or stays, as the bus is.
 * Nothing but the names is changed. Stable names (LVM, md, UUID, LABEL) stay: a UUID in place of a
 * volume's name would become ambiguous with a snapshot.
 */
#include "inspect/fstab.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/devnames.h"
#include "fixers/linux/linux.h"

#define REASON "names of disks change with the disk controller; the UUID does not"

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    (void)ctx;
    *ret_why = "disk names change under virtio";
    return true;
}

/* Discs that come and go have no lasting name. Old systems mount whatever is in the drive, by hand,
 * at a place that tells. */
static bool is_removable(const struct fstab_entry *entry)
{
    static const char *const places[] = { "/cd", "/dvd", "/floppy" };

    if (list_has(entry->type, "iso9660") || list_has(entry->type, "udf"))
        return true;
    for (size_t i = 0; list_has(entry->options, "noauto") && i < ARRAY_SIZE(places); i++)
        if (strstr(entry->target, places[i]))
            return true;
    return false;
}

/* Options that are devices: further ones of btrfs, logs of xfs and ext4, what systemd waits for.
 * The file system's own UUID would mean the whole of it, so only a path by PARTUUID will do. */
static void fix_options(const struct fix_context *ctx, struct plan *plan, const char *text,
                        const struct fstab_entry *entry, struct edits *edits)
{
    static const char *const names[] = {
        "device=",           "journal_path=",      "logdev=", "rtdev=", "x-systemd.after=",
        "x-systemd.before=", "x-systemd.requires="
    };
    size_t end = entry->options_at.start + entry->options_at.len;
    size_t len;

    for (size_t at = entry->options_at.start; at < end; at += len + 1) {
        len = strcspn(text + at, ", \t\r\n");
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            size_t skip = strlen(names[i]);
            CLEANUP_FREE char *name = NULL;
            CLEANUP_FREE char *stable = NULL;
            CLEANUP_FREE char *path = NULL;
            const char *why = "";

            if (len <= skip || strncmp(text + at, names[i], skip) != 0)
                continue;
            name = mem_strndup(text + at + skip, len - skip);
            if (!devname_changes(name))
                continue;
            stable = devname_stable(ctx->facts, name, "", DEVNAME_NO_UUID, &why);
            path = stable ? devname_as_path(stable) : NULL;
            if (path)
                edits_add(edits, (struct span){ at + skip, len - skip }, path);
            else
                plan_note(plan, "/etc/fstab: the option %s%s (for %s) %s; it stays as it is",
                          names[i], name, entry->target, why);
        }
    }
}

static void fix_entry(const struct fix_context *ctx, struct plan *plan, const char *text,
                      const struct fstab_entry *entry, struct edits *edits)
{
    CLEANUP_FREE char *stable = NULL;
    const char *why = "";

    if (!devname_changes(entry->source) || is_removable(entry))
        return;
    stable = devname_stable(ctx->facts, entry->source, entry->type, 0, &why);
    if (stable)
        field_replace(edits, text, entry->source_at, stable);
    else
        plan_note(
            plan,
            "/etc/fstab: %s (for %s) %s; it stays as it is: give the disk with --add-disk, or "
            "write UUID= or nofail there before the guest starts on virtio",
            entry->source, entry->target, why);
}

static int plan_fstab(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    CLEANUP_FSTAB struct fstab fstab = { 0 };
    CLEANUP_EDITS struct edits edits = { 0 };
    int r = plan_read_text(plan, "/etc/fstab", &text, err);

    if (r < 0)
        return r;
    if (r > 0) {
        fstab_parse(text, strlen(text), &fstab);
        for (size_t i = 0; i < fstab.n; i++) {
            fix_entry(ctx, plan, text, &fstab.entries[i], &edits);
            fix_options(ctx, plan, text, &fstab.entries[i], &edits);
        }
        fixed = edits_apply(&edits, text, strlen(text), NULL);
        plan_write(plan, "/etc/fstab", fixed, REASON);
    }
    return units_use_uuids(ctx, plan, REASON, err);
}

const struct fixer fixer_fstab = {
    .name = "fstab",
    .summary = "mount file systems and swap by UUID instead of by disk name",
    .os = OS_LINUX,
    .applies = applies,
    .plan = plan_fstab,
};
