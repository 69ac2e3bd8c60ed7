/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loader at the removable path: the boot entries of the old machine's NVRAM do not come along,
 * so a fresh machine finds only this one.
 */
#include "fixers/linux/efi.h"

#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/linux.h"
#include "inspect/pe.h"

#define REASON "boot entries stay in the old machine's NVRAM; the removable path works without one"

/* The first row of an architecture is what its virtual machine's firmware starts. Firmware of 32
 * bits is rare, and so is a guest that has a loader for no other. */
static const struct efi_arch archs[] = {
    { "x86_64", "X64", "x64", PE_X86_64 },
    { "x86_64", "IA32", "ia32", PE_I386 },
    { "i386", "X64", "x64", PE_X86_64 },
    { "i386", "IA32", "ia32", PE_I386 },
    { "aarch64", "AA64", "aa64", PE_AARCH64 },
    { "arm", "ARM", "arm", PE_ARM },
    { "loongarch64", "LOONGARCH64", "loongarch64", PE_LOONGARCH64 },
    { "riscv64", "RISCV64", "riscv64", PE_RISCV64 },
};

char *find_any_case(const struct guest_root *root, const char *dir, const char *name)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct err err = ERR_NONE;

    if (!guest_is_dir(root, dir) || guest_list(root, dir, &names, &err) < 0)
        return NULL;
    for (size_t i = 0; i < names.n; i++)
        if (strcasecmp(names.items[i], name) == 0)
            return mem_printf("%s/%s", dir, names.items[i]);
    return NULL;
}

char *efi_folder(const struct guest_root *root)
{
    static const char *const mounts[] = { "/boot/efi", "/efi", "/boot" };

    for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
        char *folder = find_any_case(root, mounts[i], "EFI");

        /* /boot/efi is itself a match below /boot when the ESP is not mounted */
        if (folder && strcmp(folder, "/boot/efi") != 0)
            return folder;
        free(folder);
    }
    return NULL;
}

/* 1: firmware will start something there; 0: it will not. */
static int plan_loader(struct efi_place *place, struct err *err)
{
    CLEANUP_FREE char *name = mem_printf("BOOT%s.EFI", place->arch->boot);
    CLEANUP_FREE char *there = find_any_case(place->plan->root, place->boot, name);
    CLEANUP_FREE char *wanted = there ? NULL : mem_printf("%s/%s", place->boot, name);
    CLEANUP_FREE char *broken = NULL;
    uint32_t machine = 0;
    const char *problem = there ? pe_problem(place->plan->root, there, &machine) : NULL;
    int r;

    place->loader = there ? there : wanted;
    place->reason = REASON;
    if (there && !problem)
        return efi_complete_pair(place, err) < 0 ? -err->code : 1;
    if (problem) {
        broken = mem_printf("%s; what was there %s", REASON, problem);
        place->reason = broken;
    }
    r = efi_copy_loader(place, err);
    if (r == 0 && problem)
        plan_note(place->plan, "%s %s, and the ESP has no other loader to put there", there,
                  problem);
    return r;
}

int plan_removable_loader(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    CLEANUP_FREE char *efi = efi_folder(plan->root);
    CLEANUP_FREE char *found = efi ? find_any_case(plan->root, efi, "BOOT") : NULL;
    CLEANUP_FREE char *boot = efi && !found ? mem_printf("%s/BOOT", efi) : NULL;
    struct efi_place place = { .ctx = ctx, .plan = plan, .efi = efi, .boot = found ? found : boot };
    const struct efi_arch *first = NULL, *started = NULL;
    size_t n_notes = plan->notes.n;

    for (size_t i = 0; efi && i < ARRAY_SIZE(archs); i++) {
        int r;

        if (strcmp(archs[i].guest, ctx->facts->arch) != 0)
            continue;
        place.arch = &archs[i];
        r = plan_loader(&place, err);
        if (r < 0)
            return r;
        if (!first)
            first = &archs[i];
        if (r > 0 && !started)
            started = &archs[i];
        if (r > 0 && ctx->opts->secure_boot == SECURE_BOOT_ON && efi_check_signed(&place, err) < 0)
            return -err->code;
    }
    if (!first)
        plan_note(plan, "the guest starts by UEFI, but no EFI system partition was found at "
                        "/boot/efi, /efi or /boot; it may need a boot entry made by hand");
    else if (!started && plan->notes.n == n_notes)
        plan_note(plan,
                  "%s holds neither BOOT/BOOT%s.EFI nor a loader to put there; the guest may need "
                  "a boot entry made by hand",
                  efi, first->boot);
    else if (started && started != first)
        plan_note(plan,
                  "the only loader in %s is BOOT/BOOT%s.EFI: the machine must be given firmware of "
                  "32 bits",
                  efi, started->boot);
    return 0;
}
