/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration of the guest's own initramfs tool, so that later rebuilds keep the drivers. */
#ifndef H2K_FIXERS_LINUX_INITRAMFS_CONF_H
#define H2K_FIXERS_LINUX_INITRAMFS_CONF_H

#include "fixers/fixer.h"

/*
 * @modules: names of the loadable drivers the guest needs; @injected: some initramfs lacked them,
 * so what made it would leave them out again.
 */
int initramfs_conf_plan(const struct fix_context *ctx, struct plan *plan,
                        const struct strlist *modules, bool injected, struct err *err);

/* The text of a dracut configuration file without what keeps @modules out of an initramfs
 * (omit_drivers); NULL when it holds nothing of that kind. Free it. */
char *dracut_without_omits(const char *text, const struct strlist *modules);

/* MODULES= of initramfs-tools, as it will be: "most" when nothing says so. *ret_file: what has the
 * last word, or "". Free both, after a failure too. */
int initramfs_tools_setting(struct plan *plan, char **ret_value, char **ret_file, struct err *err);

/* The text of initramfs-tools' list of modules with those that it lacks; NULL when it has all. */
char *initramfs_tools_with(const char *text, const struct strlist *modules);

/* ---- tools that are given lists (initramfs_conf_lists.c) ---- */

int initramfs_plan_mkinitcpio(struct plan *plan, const struct strlist *modules, struct err *err);
int initramfs_plan_mkinitfs(struct plan *plan, struct err *err);
int initramfs_plan_mkinitrd(struct plan *plan, const struct strlist *modules, struct err *err);
int initramfs_plan_tiny(struct plan *plan, const struct strlist *modules, struct err *err);

/* INCLUDE_MODULES of tiny-initramfs as it will be, and @modules that it lacks: "a,b". Free *ret. */
int initramfs_tiny_modules(struct plan *plan, const struct strlist *modules, char **ret,
                           struct err *err);

/* mkinitcpio.conf(5) with @modules in MODULES=(); NULL when it has them. Free it. */
char *mkinitcpio_with(const char *text, const struct strlist *modules);

/* modprobe.conf(5) with an alias scsi_hostadapter for each of @modules; NULL when it has them. */
char *hostadapters_with(const char *text, const struct strlist *modules);

#endif
