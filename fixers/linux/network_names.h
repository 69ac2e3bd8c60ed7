/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What gives network interfaces their names in a guest. */
#ifndef H2K_FIXERS_LINUX_NETWORK_NAMES_H
#define H2K_FIXERS_LINUX_NETWORK_NAMES_H

#include <stdbool.h>

#include "fixers/plan.h"
#include "inspect/facts.h"

/* Is @name one that the kernel accepts and that a file name and a rule can hold? */
bool nic_name_ok(const char *name);

/* Does the .link file's text give @name to the virtio card with @mac ("": to the only one)? */
bool link_names(const char *text, const char *name, const char *mac);

/* Do the udev rules give @name to whatever card has @mac? */
bool rules_name(const char *text, const char *name, const char *mac);

/* Does netplan's YAML give @name (set-name) to the card with @mac? */
bool netplan_names(const char *text, const char *name, const char *mac);

/* Does udev read .link files (197 and later)? */
bool has_link_files(const struct guest_root *root);

/* Do interfaces keep the kernel's names (eth0 ...): net.ifnames=0, or udev's naming switched off?
 * 0, 1, or negative errno. */
int keeps_kernel_names(const struct facts *facts, struct plan *plan, struct err *err);

#endif
