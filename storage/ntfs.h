/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an NTFS volume says about itself: may it be written? Read without a driver, because the
 * drivers look at less (ntfs3 knows nothing of hibernation, ntfs-3g nothing of the dirty flag).
 *
 * Facts: Linux' ntfs documentation (layout.h of ntfs and ntfs-3g, flatcap's "NTFS Documentation"):
 * FILE records, data runs, $Volume, $LogFile's restart pages and the index of the root directory.
 */
#ifndef H2K_STORAGE_NTFS_H
#define H2K_STORAGE_NTFS_H

#include <stdbool.h>

#include "storage/volume.h"

struct ntfs_state {
    bool unreadable; /* what follows could not be found out: damaged, or in an unusual layout */
    bool hibernated; /* an image of Windows' memory refers to this volume */
    bool cached;     /* fast startup, or pulled out: metadata is kept in Windows' memory */
    bool marked;     /* the dirty flag: Windows wants chkdsk to run */
    bool log_dirty;  /* the log holds what was not written to its place */
};

/* Of @volume, which libblkid took for NTFS. Never fails: see unreadable. */
void ntfs_state_read(const struct volume *volume, struct ntfs_state *ret);

/* Does the log have to be replayed? */
bool ntfs_is_dirty(const struct volume *volume);

/* Why the volume must not be written by anything but Windows; NULL: it may. A literal. */
const char *ntfs_not_written(const struct ntfs_state *state);

#endif
