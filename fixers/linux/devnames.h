/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device names of a Linux guest that change with the disk controller, and names for the same
 * devices that do not.
 */
#ifndef H2K_FIXERS_LINUX_DEVNAMES_H
#define H2K_FIXERS_LINUX_DEVNAMES_H

#include <stdbool.h>

#include "inspect/facts.h"
#include "inspect/fields.h"

/* Does @name depend on the controller or on the order of disks (/dev/sda1, /dev/disk/by-path/...)?
 * Names of volumes (/dev/mapper, /dev/md0), tags and removable drives (sr0, fd0) do not; but those
 * of disks under multipath do. */
bool devname_changes(const char *name);

/* The same for a pattern: "/dev/sd*", "/dev/hd[ab]1", "/dev/sd.*". */
bool devname_pattern_changes(const char *pattern);

/* The device that a name means: as facts_resolve(), and the cciss driver's names. NULL: none, or it
 * is not clear which. */
const struct fact_device *devname_resolve(const struct facts *facts, const char *name);

enum devname_flags {
    DEVNAME_NO_UUID = 1 << 0,   /* only PARTUUID: for a kernel without initramfs, plain dm-crypt */
    DEVNAME_LUKS_UUID = 1 << 1, /* UUID only of an encrypted volume: any other one is not kept */
};

/*
 * A lasting name for what @name means: "UUID=...", else "PARTUUID=...". Free it.
 * @fstype: what is expected there; "" or "auto" fits everything
 * NULL when there is none; *ret_why then says why (a literal that follows "/dev/sda1 ").
 */
char *devname_stable(const struct facts *facts, const char *name, const char *fstype,
                     unsigned flags, const char **ret_why);

/* "UUID=x" -> "/dev/disk/by-uuid/x", "PARTUUID=x" -> "/dev/disk/by-partuuid/x". Free it. */
char *devname_as_path(const char *stable);

/* Replace a field of a table; spaces that align the next column are given up or added so that the
 * column stays where it is as long as at least one remains. */
void field_replace(struct edits *edits, const char *text, struct span at, const char *value);

#endif
