/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of inf_driver.c: what install sections lead to. */
#ifndef H2K_FIXERS_WINDOWS_INF_INSTALL_H
#define H2K_FIXERS_WINDOWS_INF_INSTALL_H

#include "fixers/windows/inf_driver.h"

/* Lists of one driver have so many elements together: sections can be named again and again. */
#define INF_ITEMS_MAX 8192U

/* While a driver is read. */
struct inf_reading {
    const struct inf *inf;
    const struct win_target *target;
    struct inf_driver *driver;
    size_t n_items; /* of INF_ITEMS_MAX */
};

void inf_install_read(struct inf_reading *reading, const char *name, struct inf_install *ret);
void inf_install_done(struct inf_install *install);

/* One more element? false, and a problem of the driver: there are too many. */
bool inf_room(struct inf_reading *reading);

/* Say what was left out. */
void inf_complain(struct inf_reading *reading, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Add what the sections named by "AddReg" in @section say (inf_reg.c). */
void inf_regs_read(struct inf_reading *reading, const struct inf_section *section,
                   struct inf_regs *ret);
void inf_regs_done(struct inf_regs *regs);

/* Add the files that "CopyFiles" in @section names (inf_files.c). */
void inf_files_read(struct inf_reading *reading, const struct inf_section *section,
                    struct inf_install *ret);

/* A file name that leads nowhere else. */
bool inf_is_plain_name(const char *name);

#endif
