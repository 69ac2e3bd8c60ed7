/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Security descriptors of NTFS (who owns a file, who may do what), as bytes: what Windows gives to
 * a new file or folder.
 *
 * Facts: MS-DTYP, 2.4.2 SID, 2.4.4 ACE, 2.4.5 ACL, 2.4.6 SECURITY_DESCRIPTOR (self-relative form),
 * 2.5.3.4 how a new object's descriptor comes from its parent's; generic rights of files:
 * "File Security and Access Rights".
 */
#ifndef H2K_ENGINE_NTFS_SD_H
#define H2K_ENGINE_NTFS_SD_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/strbuf.h"

#define NTFS_SD_MAX 65536U /* as long as an extended attribute can be */

/*
 * The descriptor of a new file or folder in a folder that has @parent: owned by the group of
 * administrators like what Windows' own installers make, with the entries that @parent hands down;
 * when there are none, only Windows itself and administrators may do anything.
 * 0 and @ret filled; -EINVAL: @parent is none; -EFBIG: it would become too large.
 */
int ntfs_sd_inherit(const void *parent, size_t len, bool is_folder, struct strbuf *ret);

/* One that only Windows itself and administrators may do anything with; nothing is inherited from
 * above, and what is put into such a folder gets the same. */
void ntfs_sd_private(bool is_folder, struct strbuf *ret);

#endif
