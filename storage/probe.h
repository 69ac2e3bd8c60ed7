/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lies on a volume, by libblkid's low-level probing straight on a descriptor: no block
 * device is needed and no cache of the host is asked. */
#ifndef H2K_STORAGE_PROBE_H
#define H2K_STORAGE_PROBE_H

#include <blkid.h>

#include "storage/volume.h"

/* A prober of @len bytes at @offset of the volume; sector size 512 or 4096. NULL and *err. */
blkid_probe probe_new(const struct volume *volume, uint64_t offset, uint64_t len,
                      unsigned sector_size, struct err *err);
void probe_done(blkid_probe *probe);
#define CLEANUP_PROBE CLEANUP(probe_done)

/*
 * Fill use, fstype, uuid and label of a volume. Signatures of several file
 * systems at once: use "other", fstype "ambivalent" (nothing is guessed).
 */
int probe_content(struct volume *volume, struct err *err);

#endif
