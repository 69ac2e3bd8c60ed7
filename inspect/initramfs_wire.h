/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was found in an initramfs as bytes: the child process that reads archives of a guest hands
 * it to its parent, which does not trust it. */
#ifndef H2K_INSPECT_INITRAMFS_WIRE_H
#define H2K_INSPECT_INITRAMFS_WIRE_H

#include "engine/base/strbuf.h"
#include "inspect/initramfs.h"

#define INITRAMFS_WIRE_MAX (64U << 20)

/* -EFBIG: more than INITRAMFS_WIRE_MAX bytes. */
int initramfs_pack(const struct initramfs *initramfs, struct strbuf *ret);

/* 0 and *ret (initramfs_done()), or -EBADMSG. */
int initramfs_unpack(const char *bytes, size_t len, struct initramfs *ret);

#endif
