/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that name network interfaces. udev in the initramfs names an interface when its driver is
 * loaded there, before the rules of the root file system can be read, so they must be in both.
 */
#ifndef H2K_FIXERS_LINUX_NAMING_FILES_H
#define H2K_FIXERS_LINUX_NAMING_FILES_H

#include "fixers/linux/segment.h"
#include "fixers/plan.h"

#define NAMING_RULES "/etc/udev/rules.d/70-persistent-net.rules"
#define NAMING_LINKS "/etc/systemd/network"

struct naming_file {
    char *path; /* in the guest: "/etc/systemd/network/10-h2k-ens192.link" */
    char *text;
};

struct naming_files {
    struct naming_file *files;
    size_t n;
};

/* The files as they will be after the changes planned so far. */
int naming_files_read(struct plan *plan, struct naming_files *ret, struct err *err);
void naming_files_done(struct naming_files *naming);

/* Does the archive run udev? */
bool naming_archive_has_udev(const struct initramfs *found);

/* Add to @segment those that the archive lacks or has with another content; returns how many. */
size_t naming_add_missing(const struct naming_files *naming, const struct initramfs *found,
                          struct segment *segment);

#endif
