/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a jail is made of, for engine/jail.c. All of this runs in a child that is h2k still; what
 * fails is *ret_step (a literal) and the negative errno that is returned. */
#ifndef H2K_ENGINE_JAIL_PARTS_H
#define H2K_ENGINE_JAIL_PARTS_H

#include "engine/jail.h"

/* Mounts of the guest and of the out folder, not in any namespace yet. */
struct jail_tree {
    int root_fd, out_fd; /* out_fd -1: none */
};

/* Take copies of the mounts; in the mount namespace that they are in. */
int jail_tree_pick(const struct jail_opts *opts, struct jail_tree *ret, const char **ret_step);

/* Make them this process's "/", with fresh /proc, /dev, /sys, /run and /tmp; in a mount namespace
 * and as a process of the process namespace that are the jail's. Closes @tree. */
int jail_tree_enter(const struct jail_opts *opts, struct jail_tree *tree, const char **ret_step);

/* Give up capabilities and system calls, for good. */
int jail_lock(const char **ret_step);

/* Limits of one process, just before the program is started. */
void jail_limit(const struct jail_opts *opts);

#endif
