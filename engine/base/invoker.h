/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The user who started h2k through sudo: what h2k makes for people belongs to that user. */
#ifndef H2K_ENGINE_BASE_INVOKER_H
#define H2K_ENGINE_BASE_INVOKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "engine/base/err.h"

/* Numbers of SUDO_UID and SUDO_GID; false when they are not set, damaged, or we are not root. */
bool invoker_ids(uid_t *ret_uid, gid_t *ret_gid);

/* Give the open file to that user; @path is for the error text. Fine when there is none. */
int invoker_own(int fd, const char *path, struct err *err);

#endif
