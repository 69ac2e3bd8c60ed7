/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of kernel modules, which may be compressed. */
#ifndef H2K_FIXERS_LINUX_MODULE_FILE_H
#define H2K_FIXERS_LINUX_MODULE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/err.h"

#define MODULE_FILE_MAX (64U << 20)

/* Does the name say that the module is compressed? */
bool module_file_is_packed(const char *path);

/* "a/b.ko" of "a/b.ko.xz". Free it. */
char *module_file_plain(const char *path);

/* Replace a compressed module's bytes with what is in it; -EBADMSG when it is damaged, -EFBIG when
 * it has more than MODULE_FILE_MAX bytes. */
int module_file_unpack(const char *path, char **data, size_t *len, struct err *err);

#endif
