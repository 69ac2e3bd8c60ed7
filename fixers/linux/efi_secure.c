/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --secure-boot=on: firmware starts what is signed only, shim a signed GRUB only, and that a signed
 * kernel only. Whose signatures these are is not looked at: shims are signed for all firmware, and
 * the rest by the distribution whose key is in its shim.
 */
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/text.h"
#include "fixers/hardware.h"
#include "fixers/linux/efi.h"
#include "fixers/linux/linux.h"
#include "inspect/pe.h"

/* The file of the guest that @name at the removable path is, or is a copy of. NULL: there is none.
 * Free it. */
static char *file_behind(const struct efi_place *place, const char *name)
{
    for (size_t i = 0; i < place->plan->n; i++) {
        const struct change *change = &place->plan->changes[i];

        if (change->action == CHANGE_COPY && path_is_below(change->path, place->boot) &&
            strcasecmp(strrchr(change->path, '/') + 1, name) == 0)
            return mem_strdup(change->data);
    }
    return find_any_case(place->plan->root, place->boot, name);
}

static int check(const struct efi_place *place, const char *path, struct err *err)
{
    if (!path || pe_is_signed(place->plan->root, path))
        return 0;
    return err_status(err, STATUS_REFUSED, "--secure-boot=on: %s is not signed and would not start",
                      path);
}

int efi_check_signed(const struct efi_place *place, struct err *err)
{
    const struct fact_kernel *kernel = kernel_started(place->ctx->facts);
    CLEANUP_FREE char *loader_name = mem_printf("BOOT%s.EFI", place->arch->boot);
    CLEANUP_FREE char *grub_name = mem_printf("grub%s.efi", place->arch->name);
    CLEANUP_FREE char *loader = file_behind(place, loader_name);
    CLEANUP_FREE char *grub = file_behind(place, grub_name);
    CLEANUP_FREE char *plain = file_behind(place, "grub.efi"); /* SUSE */
    int r = check(place, loader, err);

    if (r == 0)
        r = check(place, grub, err);
    if (r == 0)
        r = check(place, plain, err);
    if (r == 0 && kernel)
        r = check(place, *kernel->unified ? kernel->unified : kernel->image, err);
    return r;
}
