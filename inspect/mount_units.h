/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mounts that systemd units of the guest describe (systemd.mount(5), systemd.unit(5)): what a unit
 * says with its drop-ins, and whether something starts it with the system.
 */
#ifndef H2K_INSPECT_MOUNT_UNITS_H
#define H2K_INSPECT_MOUNT_UNITS_H

#include "engine/guest.h"

/* Where units are; the first folder that has a file of a name wins. */
#define UNIT_FOLDERS 4
extern const char *const unit_folders[UNIT_FOLDERS];

struct mount_unit {
    char *name;                          /* "var-log.mount" */
    char *path;                          /* of the file: "/etc/systemd/system/var-log.mount" */
    char *what, *where, *type, *options; /* "" when missing */
    bool is_local;                       /* below /etc: wins over fstab */
    bool is_masked;                      /* the unit does not exist, nor does a line of fstab */
    bool is_enabled; /* a link in some *.wants or *.requires starts it, or its automount */
    char *problem;   /* why systemd would not take it; "" */
};

struct mount_units {
    struct mount_unit *items; /* by name */
    size_t n;
};

/* All of them but packages' own for the kernel's file systems; what cannot be read is not there.
 * Release with mount_units_done(). */
void mount_units_read(const struct guest_root *root, struct mount_units *ret);
void mount_units_done(struct mount_units *units);
#define CLEANUP_MOUNT_UNITS __attribute__((cleanup(mount_units_done)))

/* The unit of this name, NULL when there is none. */
const struct mount_unit *mount_units_find(const struct mount_units *units, const char *name);

/* The name of the unit for a path, as systemd-escape --path gives it: "/var/log" and ".mount" are
 * "var-log.mount". Free it. */
char *unit_name_of_path(const char *path, const char *suffix);

#endif
