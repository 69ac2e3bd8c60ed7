/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding md superblocks on volumes. */
#ifndef H2K_STORAGE_MD_READ_H
#define H2K_STORAGE_MD_READ_H

#include "storage/md_super.h"
#include "storage/volume.h"

/* The superblock of a member; of several the one that was made last, as mdadm chooses.
 * 1 when there is one, 0 when not, -EBADMSG when what is there is damaged, or negative errno. */
int md_super_read(const struct volume *volume, struct md_super *ret);

/* The same for the formats that leave the start of the device to the data (1.0, 0.90). */
int md_super_read_end(const struct volume *volume, struct md_super *ret);

/* RAID of firmware or a host adapter on this disk (see md_foreign_raid()); NULL: none. */
const char *md_foreign_read(const struct volume *volume);

#endif
