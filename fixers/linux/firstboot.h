/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scripts that the guest runs once, at its first start on the new host, when the network is there.
 * They run one after the other in the order in which they are added; what they say is in
 * FIRSTBOOT_LOG; each moves to the folder "done" or, when it fails, "failed"; none delays a login.
 */
#ifndef H2K_FIXERS_LINUX_FIRSTBOOT_H
#define H2K_FIXERS_LINUX_FIRSTBOOT_H

#include "fixers/fixer.h"

#define FIRSTBOOT "/var/lib/h2k/firstboot"
#define FIRSTBOOT_LOG "/var/log/h2k-firstboot.log"

struct firstboot_script {
    const char *name; /* letters, digits, "-", "_", "." */
    const void *data; /* with its "#!" line */
    size_t len;
    mode_t mode; /* 0755, or 0700 when it may hold secrets */
};

/*
 * Add a script, and what runs it. Nothing is added when the same script, by name and content, is in
 * the guest already, run or not. 0, or negative errno and *err: STATUS_USAGE when the guest's init
 * system is not known.
 */
int firstboot_add(const struct fix_context *ctx, struct plan *plan,
                  const struct firstboot_script *script, const char *reason, struct err *err);

#endif
