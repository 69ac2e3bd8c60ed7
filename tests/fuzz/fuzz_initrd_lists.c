/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scripts and lists of an archive that name drivers (the first byte says which kind): what was
 * added once is not added again, and everything else stays. */
#include <stdlib.h>
#include <string.h>

#include "fixers/linux/initramfs_kinds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct strlist drivers;

static int booster(const char *text, const struct strlist *list, char **ret)
{
    struct booster_module modules[] = { { .name = list->items[0], .needs = *list },
                                        { .name = list->items[1] } };

    return booster_with_modules(text, modules, 2, ret);
}

static int (*const kinds[])(const char *text, const struct strlist *list, char **ret) = {
    nash_with_modules, suse_with_drivers, words_with_drivers, booster, tiny_with_modules,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text, *once = NULL, *twice = NULL;
    size_t kind = size > 0 ? ((size_t)data[0] - '0') % (sizeof(kinds) / sizeof(kinds[0])) : 0;

    if (size == 0)
        return 0;
    if (drivers.n == 0) {
        strlist_add(&drivers, "virtio_pci.ko");
        strlist_add(&drivers, "virtio_blk.ko");
    }
    text = mem_strndup((const char *)data + 1, size - 1);
    if (kinds[kind](text, &drivers, &once) > 0) {
        if (strlen(once) <= strlen(text) || kinds[kind](once, &drivers, &twice) > 0)
            abort();
    }
    free(once);
    free(twice);
    free(text);
    return 0;
}
