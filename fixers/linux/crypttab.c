/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encrypted volumes by UUID instead of by disk name. */
#include "inspect/crypttab.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/devnames.h"
#include "fixers/linux/linux.h"

#define REASON "names of disks change with the disk controller; the LUKS UUID does not"

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    (void)ctx;
    *ret_why = "disk names change under virtio";
    return true;
}

/* A plain volume (swap with a random key) has no UUID of its own: what libblkid may find in its
 * bytes is gone after the next start. So only an encrypted volume's UUID is used. */
static void fix_entry(const struct fix_context *ctx, struct plan *plan, const char *path,
                      const char *text, const struct crypttab_entry *entry, struct edits *edits)
{
    CLEANUP_FREE char *stable = NULL;
    CLEANUP_FREE char *header = NULL;
    const char *why = "";

    if (devname_changes(entry->key))
        plan_note(plan,
                  "%s: the key of %s is at %s, which changes its name; write "
                  "/dev/disk/by-uuid/ there by hand",
                  path, entry->name, entry->key);
    header = list_value(entry->options, "header");
    if (header && devname_changes(header))
        plan_note(plan,
                  "%s: the header of %s is at %s, which changes its name; write "
                  "/dev/disk/by-partuuid/ there by hand",
                  path, entry->name, header);
    if (!devname_changes(entry->device))
        return;
    stable = devname_stable(ctx->facts, entry->device, "", DEVNAME_LUKS_UUID, &why);
    if (stable)
        field_replace(edits, text, entry->device_at, stable);
    else
        plan_note(plan,
                  "%s: %s (for %s) %s; it stays as it is: give the disk with --add-disk, "
                  "or write UUID= there by hand",
                  path, entry->device, entry->name, why);
}

char *crypttab_by_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                       const char *text)
{
    CLEANUP_CRYPTTAB struct crypttab crypttab = { 0 };
    CLEANUP_EDITS struct edits edits = { 0 };

    crypttab_parse(text, strlen(text), &crypttab);
    for (size_t i = 0; i < crypttab.n; i++)
        fix_entry(ctx, plan, path, text, &crypttab.entries[i], &edits);
    return edits_apply(&edits, text, strlen(text), NULL);
}

static int plan_one(const struct fix_context *ctx, struct plan *plan, const char *path,
                    struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    int r = plan_read_text(plan, path, &text, err);

    if (r <= 0)
        return r;
    fixed = crypttab_by_uuid(ctx, plan, path, text);
    plan_write(plan, path, fixed, REASON);
    return 0;
}

static int plan_crypttab(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    /* the second is what mkinitcpio puts into its archive */
    if (plan_one(ctx, plan, "/etc/crypttab", err) < 0 ||
        plan_one(ctx, plan, "/etc/crypttab.initramfs", err) < 0)
        return -err->code;
    return 0;
}

const struct fixer fixer_crypttab = {
    .name = "crypttab",
    .summary = "open encrypted volumes by UUID instead of by disk name",
    .os = OS_LINUX,
    .applies = applies,
    .plan = plan_crypttab,
};
