/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The removable path of the EFI system partition, \EFI\BOOT\BOOTX64.EFI (UEFI 2.10, 3.5.1.1), and
 * the loaders that can be put there.
 */
#ifndef H2K_FIXERS_LINUX_EFI_H
#define H2K_FIXERS_LINUX_EFI_H

#include "fixers/fixer.h"

struct efi_arch {
    const char *guest;       /* as facts have it */
    const char *boot, *name; /* "X64", "x64": ends of the names of loaders (UEFI 2.10, table 3-1) */
    uint32_t machine;        /* of their files: PE_X86_64 */
};

/* The place of a loader. */
struct efi_place {
    const struct fix_context *ctx;
    struct plan *plan;
    const struct efi_arch *arch;
    const char *efi;    /* "/boot/efi/EFI" */
    const char *boot;   /* "/boot/efi/EFI/BOOT", which need not be there */
    const char *loader; /* "/boot/efi/EFI/BOOT/BOOTX64.EFI" */
    const char *reason; /* of every copy */
};

/* Copy a loader that the ESP has elsewhere, with what it reads. 1; 0: there is none that is known;
 * or negative errno and *err. */
int efi_copy_loader(const struct efi_place *place, struct err *err);

/* Is what firmware with Secure Boot checks signed: the loaders at the removable path, as they will
 * be, and the kernel? 0, or STATUS_REFUSED. */
int efi_check_signed(const struct efi_place *place, struct err *err);

/* Is the loader that is there already a shim without what it starts? That is copied beside it. 0,
 * or negative errno and *err. */
int efi_complete_pair(const struct efi_place *place, struct err *err);

#endif
