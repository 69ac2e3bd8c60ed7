/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The drivers that a job has for its Windows guest: opened when they are asked for, once. */
#ifndef H2K_FIXERS_WINDOWS_DRIVERS_H
#define H2K_FIXERS_WINDOWS_DRIVERS_H

#include "fixers/windows/virtio_win.h"

struct drivers;

/* @path: of --virtio-win; NULL: where the host has them. Nothing is opened yet. */
struct drivers *drivers_new(const char *path);
void drivers_free(struct drivers *source);

/*
 * The drivers for @target (one and the same each time), with their files. 1 and *ret, owned by
 * @source; 0 and *ret_why (owned by it, too) when nothing was named and the host has none; negative
 * errno and *err when what was named cannot be read. @source NULL: 0.
 */
int drivers_get(struct drivers *source, const struct win_target *target,
                const struct win_drivers **ret, const char **ret_why, struct err *err);

/*
 * The guest agent's package for @arch that lies beside the drivers. 1 and *ret, owned by @source; 0
 * and *ret_why when there is none; negative errno and *err. @source NULL: 0.
 */
int drivers_agent(struct drivers *source, enum win_arch arch, const void **ret, size_t *ret_len,
                  const char **ret_why, struct err *err);

#endif
