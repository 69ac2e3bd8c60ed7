/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loader at the removable path, \EFI\BOOT\BOOTX64.EFI (UEFI 2.10, 3.5.1.1): the boot entry that
 * names Windows' own one stays in the old machine's NVRAM. Windows puts a copy there when it is
 * installed, which updates may leave behind; a loader of somebody else is that of another system,
 * or what the owner wants to be started first.
 */
#include <errno.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/windows/boot.h"
#include "inspect/pe.h"
#include "inspect/windows/facts.h"

#define REASON "boot entries stay in the old machine's NVRAM; the removable path works without one"
#define LOADER_MAX (16U << 20) /* bytes */

/* Names of the removable path (UEFI 2.10, table 3-1). */
static const struct {
    uint32_t machine;
    const char *name;
} loaders[] = {
    { PE_X86_64, "BOOTX64.EFI" },
    { PE_I386, "BOOTIA32.EFI" },
    { PE_AARCH64, "BOOTAA64.EFI" },
    { PE_ARM, "BOOTARM.EFI" },
};

const char *boot_volume(const struct plan *plan)
{
    return guest_is_dir(plan->root, WINDOWS_SYSTEM_VOLUME) ? WINDOWS_SYSTEM_VOLUME : "";
}

static void put_utf16(struct strbuf *out, const char *text)
{
    for (; *text; text++) {
        strbuf_putc(out, *text);
        strbuf_putc(out, '\0');
    }
}

/* A program's version resource says "CompanyName", padding, "Microsoft Corporation" in UTF-16
 * (Microsoft, "VS_VERSIONINFO"). Loaders that start Windows, too, name its files, but not that. */
static bool is_of_microsoft(const char *data, size_t len)
{
    struct strbuf key = { 0 }, company = { 0 };
    const char *at = data, *end = data + len;
    bool found = false;

    put_utf16(&key, "CompanyName");
    put_utf16(&company, "Microsoft Corporation");
    while (!found && (at = memmem(at, (size_t)(end - at), key.data, key.len)) != NULL) {
        at += key.len;
        while (at < end && *at == '\0')
            at++;
        found = (size_t)(end - at) >= company.len && memcmp(at, company.data, company.len) == 0;
    }
    strbuf_done(&key);
    strbuf_done(&company);
    return found;
}

enum there { NOT_THERE, SAME, OLDER, FOREIGN };

/* What is at the removable path, compared with @manager? */
static int compare(struct plan *plan, const char *manager, const char *loader, enum there *ret,
                   struct err *err)
{
    CLEANUP_FREE char *old = NULL;
    CLEANUP_FREE char *new = NULL;
    size_t old_len = 0, new_len = 0;
    int r = guest_read(plan->root, manager, LOADER_MAX, &new, &new_len, err);

    if (r == 0)
        r = guest_read(plan->root, loader, LOADER_MAX, &old, &old_len, err);
    if (r < 0 || !old || !new)
        return r;
    *ret = is_of_microsoft(old, old_len) ? OLDER : FOREIGN;
    if (old_len == new_len && memcmp(old, new, new_len) == 0)
        *ret = SAME;
    return 0;
}

static int plan_loader(struct plan *plan, const char *manager, const char *loader, struct err *err)
{
    static const char *const reasons[] = {
        [NOT_THERE] = REASON,
        [OLDER] = REASON "; what was there is another version of Windows' own",
    };
    enum there there = NOT_THERE;
    uint32_t machine = 0;
    const char *problem = NULL;

    if (guest_exists(plan->root, loader)) {
        if (compare(plan, manager, loader, &there, err) < 0)
            return -err->code;
        problem = pe_problem(plan->root, loader, &machine);
    }
    if (there == FOREIGN && problem) {
        CLEANUP_FREE char *reason = mem_printf("%s; what was there %s", REASON, problem);

        plan_copy(plan, manager, loader, reason);
    } else if (there == FOREIGN) {
        plan_note(plan, "%s is not Windows' boot manager, and stays: a new machine starts it first",
                  loader);
    } else if (there != SAME) {
        plan_copy(plan, manager, loader, reasons[there]);
    }
    return 0;
}

int boot_esp_plan(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    CLEANUP_FREE char *manager =
        mem_printf("%s/EFI/Microsoft/Boot/bootmgfw.efi", boot_volume(plan));
    const char *problem;
    uint32_t machine = 0;

    if (ctx->facts->firmware != FIRMWARE_UEFI)
        return 0;
    if (!guest_is_file(plan->root, manager)) {
        plan_note(plan, "Windows' boot manager was not found on an EFI system partition: a new "
                        "machine may need a boot entry made by hand");
        return 0;
    }
    problem = pe_problem(plan->root, manager, &machine);
    for (size_t i = 0; !problem && i < ARRAY_SIZE(loaders); i++) {
        CLEANUP_FREE char *loader = NULL;

        if (loaders[i].machine != machine)
            continue;
        loader = mem_printf("%s/EFI/BOOT/%s", boot_volume(plan), loaders[i].name);
        return plan_loader(plan, manager, loader, err);
    }
    plan_note(plan, "%s %s: it is not copied to the removable path", manager,
              problem ? problem : "is for a processor that is not known");
    return 0;
}
