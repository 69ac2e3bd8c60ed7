/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices to resume from that are on none of the guest's disks (a swap that was made anew, a disk
 * that was left behind): an initramfs waits half a minute for them, or for ever. There is nothing
 * to resume from in any case: an image of memory belongs to the machine it was made on.
 */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/boot_args.h"
#include "fixers/linux/linux.h"

/* Volumes below which others lie, and what those are. */
static const struct {
    const char *fstype, *kind;
} layers[] = {
    { "BitLocker", "bitlk" },
    { "LVM2_member", "lv" },
    { "crypto_LUKS", "luks" },
    { "linux_raid_member", "md" },
};

static bool has_kind(const struct facts *facts, const char *kind)
{
    for (size_t i = 0; i < facts->n_devices; i++)
        if (strcmp(facts->devices[i].kind, kind) == 0)
            return true;
    return false;
}

/* Could all volumes be opened? */
static bool sees_everything(const struct facts *facts)
{
    for (size_t i = 0; i < facts->n_devices; i++)
        for (size_t j = 0; j < ARRAY_SIZE(layers); j++)
            if (strcmp(facts->devices[i].fstype, layers[j].fstype) == 0 &&
                !has_kind(facts, layers[j].kind))
                return false;
    return facts->n_devices > 0;
}

bool resume_is_gone(const struct facts *facts, const char *device)
{
    static const char *const forms[] = { "UUID=", "LABEL=", "PARTUUID=", "/dev/disk/by-uuid/" };

    for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
        if (strncmp(device, forms[i], strlen(forms[i])) == 0 && device[strlen(forms[i])] &&
            !strpbrk(device, "$`\"'"))
            return !facts_resolve(facts, device) && sees_everything(facts);
    return false;
}

bool resume_drop(struct boot_file *file, struct span at, const char *arg, const char *value)
{
    static const char *const args[] = { "resume", "real_resume" };
    size_t len = strlen(arg) + 1;

    for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
        CLEANUP_FREE char *text = NULL;

        if (strcmp(arg, args[i]) != 0 || !resume_is_gone(file->ctx->facts, value))
            continue;
        if (at.start < len || strncmp(file->text + at.start - len, arg, len - 1) != 0 ||
            file->text[at.start - 1] != '=') {
            plan_note(file->plan, "%s: %s=%s is on none of the disks; take it out by hand",
                      file->path, arg, value);
            return true;
        }
        edits_add(&file->edits, (struct span){ at.start - len, at.len + len }, "noresume");
        text = mem_printf("; %s=%s is on none of the disks and becomes noresume", arg, value);
        if (!strstr(strbuf_text(&file->changes), text))
            strbuf_puts(&file->changes, text);
        return true;
    }
    return false;
}
