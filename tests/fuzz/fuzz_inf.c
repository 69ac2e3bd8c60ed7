/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No INF file may crash or hang the parser; names of files that come out lead nowhere else. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/windows/inf_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name)
{
    if (!*name || strpbrk(name, "\\/:") || strcmp(name, "..") == 0)
        abort();
}

static void check_folder(const char *folder)
{
    if (*folder == '/' || strchr(folder, '\\') || strcmp(folder, "..") == 0 ||
        strncmp(folder, "../", 3) == 0 || strstr(folder, "/../"))
        abort();
}

static void check_install(const struct inf_install *install)
{
    for (size_t i = 0; i < install->n_files; i++) {
        check_name(install->files[i].name);
        check_name(install->files[i].source);
        check_folder(install->files[i].subdir);
        check_folder(install->files[i].dest_subdir);
    }
    for (size_t i = 0; i < install->n_services; i++)
        if (install->services[i].binary[0])
            check_name(install->services[i].binary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct win_target targets[] = {
        { 5, 1, 2600, WIN_X86, false, 0, false },
        { 6, 1, 7601, WIN_AMD64, true, 0x110, false },
        { 10, 0, 26100, WIN_ARM64, false, 0, false },
    };
    struct inf *inf = NULL;
    struct err err = ERR_NONE;

    if (inf_parse(data, size, &inf, &err) < 0)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
        struct inf_driver *driver = inf_driver_new(inf, &targets[i]);
        struct strlist files = { 0 };

        for (size_t k = 0; k < driver->n_installs; k++)
            check_install(&driver->installs[k]);
        for (size_t k = 0; k < driver->n_devices; k++)
            if (driver->devices[k].install >= driver->n_installs)
                abort();
        (void)inf_driver_boot_service(driver);
        inf_driver_files(driver, "x.inf", &files);
        strlist_done(&files);
        inf_driver_free(driver);
    }
    inf_free(inf);
    return 0;
}
