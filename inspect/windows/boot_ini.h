/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boot.ini of Windows up to 2003 (Microsoft, KB 102873: "BOOT.INI and ARC path naming"). */
#ifndef H2K_INSPECT_WINDOWS_BOOT_INI_H
#define H2K_INSPECT_WINDOWS_BOOT_INI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOT_INI_MAX (64U << 10) /* bytes that are looked at */
#define BOOT_INI_ENTRIES_MAX 64U

/* "multi(0)disk(0)rdisk(0)partition(1)\WINDOWS" */
struct arc_path {
    bool is_arc;        /* else a boot sector: "C:\BOOTSECT.DOS" */
    uint32_t rdisk;     /* number of the disk, as the firmware counts, from 0 */
    uint32_t partition; /* of the disk's, from 1, primary ones first */
    char *folder;       /* "/WINDOWS"; "" */
};

struct boot_ini_entry {
    struct arc_path path;
    char *line; /* all of it */
};

struct boot_ini {
    struct arc_path default_path;
    bool has_default;
    struct boot_ini_entry *entries;
    size_t n_entries;
};

/* What makes no sense is left out. Release with boot_ini_done(). */
void boot_ini_parse(const char *text, size_t len, struct boot_ini *ret);
void boot_ini_done(struct boot_ini *ini);

/* What is started by itself; NULL: it is not said, and there are no entries. */
const struct arc_path *boot_ini_default(const struct boot_ini *ini);

#endif
