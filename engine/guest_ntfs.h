/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a file has on NTFS only. Drivers let everybody do everything with a new one, and hand down
 * the compression of its folder, which those who read it early in a boot cannot undo.
 *
 * By extended attributes: of ntfs-3g ("Extended Attributes" of its manual) and ntfs3 (xattr.c of
 * the kernel).
 */
#ifndef H2K_ENGINE_GUEST_NTFS_H
#define H2K_ENGINE_GUEST_NTFS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/guest.h"

/* Attributes of Windows that say how content is stored: sparse, reparse point (CompactOS is one),
 * compressed, encrypted. */
#define GUEST_NTFS_STORED_SPECIALLY 0x4e00U

/* Is the file @fd on NTFS? */
bool guest_ntfs_is(int fd);

/*
 * The security descriptor of the new file or folder @fd in the folder @dir (O_PATH will do): the
 * one that Windows would let it inherit; with a mode that lets only the owner do anything, one that
 * lets only Windows and administrators. Also when that of @dir cannot be read. 0 or -errno.
 */
int guest_ntfs_secure(int dir, int fd, const struct guest_attr *attr, bool is_folder);

/* Take from a new, empty file or folder that its content be compressed. 0 or -errno; -EOPNOTSUPP:
 * it stays so; see guest_ntfs_compresses(). */
int guest_ntfs_store_plainly(int fd);

/* Does the folder @dir (O_PATH will do) compress new files in a way that cannot be taken from them?
 * ntfs3 goes on to write those as compressed ones, and its kernel fails at once (seen with 6.12).
 */
bool guest_ntfs_compresses(int dir);

/* Make a folder @name there that compresses nothing: files keep what they were born with when they
 * are moved. 0 or -errno. */
int guest_ntfs_plain_folder(int dir, const char *name);

/* May the content of @fd be replaced where it is? Not when it is stored in another way than as
 * plain bytes. */
bool guest_ntfs_is_plain(int fd);

#endif
