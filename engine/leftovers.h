/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What killed runs left behind. Only sessions whose state file nobody holds locked are touched, and
 * only objects that their records identify (a server by its start time, a loop device by the name
 * we gave it and the inode of its file).
 */
#ifndef H2K_ENGINE_LEFTOVERS_H
#define H2K_ENGINE_LEFTOVERS_H

#include <stdbool.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"

/*
 * Release everything of dead sessions. @ret_released (may be NULL) gets a line for each thing
 * ("loop /dev/loop3", "folder /var/tmp/h2k-abc"). A session of which something cannot be released
 * keeps its state file, so that a later run tries again.
 * 0, or negative errno and *err of the first failure.
 */
int leftovers_clean(struct strlist *ret_released, struct err *err);

/* The same for the one session @id. */
int leftovers_clean_session(const char *id, struct strlist *ret_released, struct err *err);

/*
 * Objects that bear our name but that no state file knows: loop and device-mapper devices,
 * folders.
 * @remove: release them too; otherwise they are only listed.
 */
int leftovers_orphans(bool remove, struct strlist *ret_found, struct err *err);

/* Remove a folder with all that is in it, on one file system, links not followed. Fine when it is
 * not there. */
int leftovers_remove_tree(const char *path, struct err *err);

#endif
