/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What gives network interfaces their names in a guest. */
#ifndef H2K_FIXERS_LINUX_NETWORK_NAMES_H
#define H2K_FIXERS_LINUX_NETWORK_NAMES_H

#include <stdbool.h>

#include "fixers/plan.h"
#include "inspect/facts.h"

/* Is @name one that the kernel accepts and that a file name and a rule can hold? */
bool nic_name_ok(const char *name);

/* Does the .link file's text give @name to the card of @driver with @mac ("": to the only one)? */
bool link_names(const char *text, const char *name, const char *mac, const char *driver);

/* Do the udev rules give @name to whatever card has @mac? */
bool rules_name(const char *text, const char *name, const char *mac, const char *driver);

/* Does netplan's YAML give @name (set-name) to the card of @driver with @mac ("": to the only one)?
 */
bool netplan_names(const char *text, const char *name, const char *mac, const char *driver);

/* Does the ifcfg file's text (Red Hat) give @name to the card with @mac? */
bool ifcfg_names(const char *text, const char *name, const char *mac, const char *driver);

/* Does the table of nameif(8) give @name to the card with @mac? */
bool table_names(const char *text, const char *name, const char *mac, const char *driver);

/* How a guest can be told the name of a card: the oldest way that it understands. */
enum naming_way {
    NAMING_LINK,   /* .link files: udev of systemd 209 and later */
    NAMING_RULE,   /* rules: udev 098 and later, eudev */
    NAMING_HWADDR, /* HWADDR= in ifcfg files: EL5, whose udev knows no ATTR{} */
    NAMING_TABLE,  /* /etc/mactab: mdev with nameif */
    NAMING_NONE,   /* mdev alone; udev before 098 */
};
/* @kernel_names: as keeps_kernel_names() says. */
int find_naming_way(struct plan *plan, bool kernel_names, enum naming_way *ret, struct err *err);

/* Does udev ask Red Hat's rename_device, which reads HWADDR= of ifcfg files? */
bool has_rename_device(const struct guest_root *root);

/* Do interfaces keep the kernel's names (eth0 ...): net.ifnames=0, or udev's naming switched off?
 * 0, 1, or negative errno. */
int keeps_kernel_names(const struct facts *facts, struct plan *plan, struct err *err);

#endif
