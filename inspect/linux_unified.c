/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels in unified images, in EFI/Linux of an ESP (the Boot Loader Specification, type 2). */
#include <fnmatch.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "inspect/boot_entries.h"
#include "inspect/linux.h"
#include "inspect/uki.h"

#define IMAGES_MAX 64U /* in one folder; more are not looked at */

static struct fact_kernel *find_kernel(struct facts *facts, const char *version)
{
    for (size_t i = 0; i < facts->n_kernels; i++)
        if (strcmp(facts->kernels[i].version, version) == 0)
            return &facts->kernels[i];
    return NULL;
}

static void add_image(const struct guest_root *root, const char *path, struct facts *facts)
{
    CLEANUP_FREE char *version = uki_version(root, path);
    struct fact_kernel *kernel = version ? find_kernel(facts, version) : NULL;

    if (version && !kernel)
        kernel = linux_add_kernel(root, facts, version, version, path);
    if (kernel && !*kernel->initrd && !*kernel->unified)
        facts_set(&kernel->unified, path);
}

void linux_unified(const struct guest_root *root, struct facts *facts)
{
    static const char *const places[] = { "/boot/efi", "/efi", "/boot" };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        CLEANUP_FREE char *folder = boot_entries_any_case(root, places[i], "/EFI/Linux");
        CLEANUP_STRLIST struct strlist files = { 0 };
        struct err err = ERR_NONE;

        if (!folder || guest_files(root, folder, "*.efi", FNM_CASEFOLD, &files, &err) < 0)
            continue;
        for (size_t f = 0; f < files.n && f < IMAGES_MAX; f++)
            add_image(root, files.items[f], facts);
    }
}
