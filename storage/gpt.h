/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef H2K_STORAGE_GPT_H
#define H2K_STORAGE_GPT_H

#include "storage/volume.h"

/* Is the first copy of the disk's GPT whole? libblkid takes the second one without a word, but
 * Linux does not. */
bool gpt_is_whole(const struct volume *disk, unsigned sector_size);

#endif
