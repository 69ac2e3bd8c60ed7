/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configuration of boot loaders, and the head of a kernel. */
#include <stdint.h>
#include <stdlib.h>

#include "inspect/boot_entries.h"
#include "inspect/kernel_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct boot_entries *menu)
{
    if (menu->chosen != BOOT_ENTRIES_NONE && menu->chosen >= menu->n)
        abort();
    boot_entries_done(menu);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct boot_entries menu = { .chosen = BOOT_ENTRIES_NONE };
    struct bls_entry entry;

    if (size == 0)
        return 0;
    boot_entries_parse_grub1(text, size, NULL, &menu);
    check(&menu);
    boot_entries_parse_syslinux(text, size, &menu);
    check(&menu);
    (void)bls_parse(text, size, "id", &entry);
    bls_entry_done(&entry);
    free(loader_conf_default(text, size));
    free(kernel_image_version(data, size));
    (void)kernel_kind("6.1", text, size);
    return 0;
}
